//! Deletions: nothing is taken away without a positive fact, and only what is ours.

use chrono::Duration;
use mzi_domain::Entity;
use mzi_ports::{CrmError, lms::Enrolment};

use crate::{
    ids::{CLASS, LINA, OMAR, OTHER_SEAT, SEAT},
    world::{World, zoho},
};

/// Lina takes part in the class, by one enrolment.
async fn enrolled() -> World {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert!(world.takes_part(LINA, CLASS));
    world
}

/// Lina's enrolment as a manager would have made it.
fn by_hand(world: &World) -> Enrolment {
    Enrolment {
        user: world.user_of(LINA),
        course: world.course_of(CLASS),
        role: world.policy.student_role,
        suspended: false,
    }
}

#[tokio::test]
async fn a_deleted_enrolment_suspends_and_removes_nothing() {
    let world = enrolled().await;

    world.delete("BTEC_Enrollments", SEAT).await;
    world.settle().await;

    let seat = world.enrolment(LINA, CLASS).unwrap();
    assert!(seat.suspended);
    assert_eq!(
        world.history(Entity::Enrollments, SEAT).last(),
        Some(&"deleted")
    );
    assert_eq!(world.issue_codes().await, [""; 0]);
    world.has_nothing_left_to_do().await;
}

#[tokio::test]
async fn a_delete_notice_about_a_record_that_exists_changes_nothing() {
    let world = enrolled().await;

    world.notify_deleted("BTEC_Enrollments", SEAT).await;
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    assert!(
        !world
            .history(Entity::Enrollments, SEAT)
            .contains(&"deleted")
    );
}

#[tokio::test]
async fn a_record_that_merely_vanishes_is_kept_and_shown() {
    let world = enrolled().await;
    // No deletion is listed or reported: perhaps the reader lost a permission.
    world.fuse.hide(zoho(SEAT));
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    assert!(world.takes_part(LINA, CLASS));
    let issue = world.the_issue("record_vanished").await;
    assert_eq!(issue.zoho_id.as_deref(), Some(SEAT));

    world.fuse.show(&zoho(SEAT));
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert_eq!(world.issue_codes().await, [""; 0]);
}

#[tokio::test]
async fn a_deletion_that_zoho_lists_is_a_fact_without_a_delete_notice() {
    let world = enrolled().await;

    world.clock.advance(Duration::seconds(5));
    world.crm.delete("BTEC_Enrollments", SEAT);
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    assert!(world.enrolment(LINA, CLASS).unwrap().suspended);
}

#[tokio::test]
async fn a_list_of_deletions_that_may_not_be_read_proves_nothing() {
    let world = enrolled().await;
    world.clock.advance(Duration::seconds(5));
    world.crm.delete("BTEC_Enrollments", SEAT);
    world.crm.fail_next_of(
        mzi_ports::testing::fake_crm::CrmVerb::Deleted,
        CrmError::Forbidden {
            operation: "deleted".into(),
            code: "OAUTH_SCOPE_MISMATCH".into(),
        },
    );

    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    assert!(world.takes_part(LINA, CLASS));
    world.the_issue("record_vanished").await;
}

#[tokio::test]
async fn a_deleted_record_that_was_never_known_is_no_issue() {
    let world = World::new();

    world.notify_deleted("BTEC_Enrollments", SEAT).await;
    world.settle().await;

    assert_eq!(world.issue_codes().await, [""; 0]);
    assert_eq!(world.history(Entity::Enrollments, SEAT), [""; 0]);
}

#[tokio::test]
async fn a_record_restored_from_the_recycle_bin_gives_access_back() {
    let world = enrolled().await;
    world.delete("BTEC_Enrollments", SEAT).await;
    world.settle().await;

    world.has_seat(SEAT, LINA, CLASS);
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    assert!(world.takes_part(LINA, CLASS));
    assert_eq!(
        world.history(Entity::Enrollments, SEAT).last(),
        Some(&"revived")
    );
}

#[tokio::test]
async fn somebody_elses_enrolment_is_found_and_never_suspended() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify("BTEC_Students", LINA).await;
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    world.lms.add_enrolment(by_hand(&world));
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert!(world.takes_part(LINA, CLASS));

    world.delete("BTEC_Enrollments", SEAT).await;
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    world.the_issue("seat_not_ours").await;
}

#[tokio::test]
async fn an_enrolment_made_by_hand_while_ours_waited_is_not_ours() {
    let world = World::new();
    world.has_lina();
    world.has_class(CLASS, "PROG-A", "Pending");
    world.has_seat(SEAT, LINA, CLASS);
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    // A manager makes the course by hand, gives it its ID number, and enrols Lina.
    world
        .lms
        .add_course(&format!("zoho:{CLASS}"), "PROG-A", "Class PROG-A");
    world.lms.add_enrolment(by_hand(&world));
    world
        .edit(
            "BTEC_Classes",
            CLASS,
            "Class_Status",
            crate::world::text("Active"),
        )
        .await;
    world.settle().await;

    world.delete("BTEC_Enrollments", SEAT).await;
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    world.the_issue("seat_not_ours").await;
}

#[tokio::test]
async fn one_of_two_enrolments_of_a_class_keeps_the_seat_and_the_last_one_gives_it_up() {
    for together in [false, true] {
        for order in [[SEAT, OTHER_SEAT], [OTHER_SEAT, SEAT]] {
            let world = World::new();
            world.has_lina_enrolled();
            world.has_seat(OTHER_SEAT, LINA, CLASS);
            world.notify("BTEC_Enrollments", SEAT).await;
            if !together {
                world.settle().await;
            }
            world
                .notify_and_settle("BTEC_Enrollments", OTHER_SEAT)
                .await;

            world.delete("BTEC_Enrollments", order[0]).await;
            world.settle().await;
            assert!(world.takes_part(LINA, CLASS), "{order:?} {together}");

            world.delete("BTEC_Enrollments", order[1]).await;
            world.settle().await;
            assert!(!world.takes_part(LINA, CLASS), "{order:?} {together}");
            assert_eq!(world.issue_codes().await, [""; 0], "{order:?} {together}");
        }
    }
}

#[tokio::test]
async fn a_student_who_comes_back_by_a_new_enrolment_gets_access_again() {
    let world = enrolled().await;
    world.delete("BTEC_Enrollments", SEAT).await;
    world.settle().await;
    assert!(!world.takes_part(LINA, CLASS));

    world.has_seat(OTHER_SEAT, LINA, CLASS);
    world
        .notify_and_settle("BTEC_Enrollments", OTHER_SEAT)
        .await;
    assert!(world.takes_part(LINA, CLASS));

    world.delete("BTEC_Enrollments", OTHER_SEAT).await;
    world.settle().await;
    assert!(!world.takes_part(LINA, CLASS));
}

#[tokio::test]
async fn deleting_a_student_or_class_touches_nobody_in_moodle() {
    let world = enrolled().await;

    world.delete("BTEC_Students", LINA).await;
    world.delete("BTEC_Classes", CLASS).await;
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    assert_eq!(
        world.history(Entity::Students, LINA).last(),
        Some(&"deleted")
    );
}

#[tokio::test]
async fn a_neighbours_deletion_does_not_touch_my_seat() {
    let world = enrolled().await;
    world.has_student(OMAR, "Omar", "Aziz");
    world.has_seat(OTHER_SEAT, OMAR, CLASS);
    world
        .notify_and_settle("BTEC_Enrollments", OTHER_SEAT)
        .await;

    world.delete("BTEC_Enrollments", OTHER_SEAT).await;
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    assert!(!world.takes_part(OMAR, CLASS));
}

#[tokio::test]
async fn a_late_notice_of_a_record_that_came_and_went_is_no_issue() {
    let world = World::new();
    world.has_lina_enrolled();
    world.delete("BTEC_Enrollments", SEAT).await;
    world.settle().await;

    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    assert_eq!(world.issue_codes().await, [""; 0]);
}
