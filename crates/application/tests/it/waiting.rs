//! Work that waits for something else waits in peace, and not for ever.

use chrono::Duration;
use mzi_domain::Lane;

use crate::{
    ids::{CLASS, LINA, OTHER_SEAT, SEAT},
    world::{World, text, zoho},
};

#[tokio::test]
async fn a_parent_missing_for_a_day_is_an_issue_and_its_coming_revives_the_work() {
    let world = World::new();
    world.has_active_class();
    world.has_seat(SEAT, LINA, CLASS);
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert_eq!(world.issue_codes().await, ["record_not_found"]);

    world.live_through(Duration::hours(25)).await;
    assert_eq!(
        world.issue_codes().await,
        ["parent_missing", "record_not_found"]
    );

    world.has_lina();
    world.notify_and_settle("BTEC_Students", LINA).await;
    assert!(world.takes_part(LINA, CLASS));
    assert_eq!(world.issue_codes().await, [""; 0]);
    world.has_nothing_left_to_do().await;
}

#[tokio::test]
async fn a_seat_waits_for_a_student_whose_account_needs_a_person() {
    let world = World::new();
    world.has_lina_enrolled();
    let address = "lina.haddad@students.college.example";
    let stranger = world.lms.add_user(address, address, "X-17");
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert_eq!(world.issue_codes().await, ["username_taken"]);

    world.lms.remove_user(stranger);
    world.notify_and_settle("BTEC_Students", LINA).await;

    assert!(world.takes_part(LINA, CLASS));
    assert_eq!(world.issue_codes().await, [""; 0]);
}

#[tokio::test]
async fn a_class_that_waits_to_become_active_uses_up_no_patience() {
    let world = World::new();
    world.has_lina();
    world.has_class(CLASS, "PROG-A", "Pending");
    world.has_seat(SEAT, LINA, CLASS);
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    world.live_through(Duration::hours(49)).await;
    assert_eq!(world.issue_codes().await, [""; 0]);
    assert!(world.is_unsettled(Lane::Seat, SEAT));

    world
        .edit("BTEC_Classes", CLASS, "Class_Status", text("Active"))
        .await;
    world.settle().await;
    assert!(world.takes_part(LINA, CLASS));
}

#[tokio::test]
async fn many_seats_of_one_missing_student_ask_zoho_once() {
    let world = World::new();
    world.has_active_class();
    world.has_seat(SEAT, LINA, CLASS);
    world.has_seat(OTHER_SEAT, LINA, CLASS);
    world.notify("BTEC_Enrollments", SEAT).await;
    world
        .notify_and_settle("BTEC_Enrollments", OTHER_SEAT)
        .await;
    world.live_through(Duration::hours(2)).await;

    let asked = world.crm.calls();
    let asked = asked.iter().filter(|call| call.ids.contains(&zoho(LINA)));
    assert!(
        asked.count() <= 4,
        "a missing parent is not asked for again and again"
    );
}
