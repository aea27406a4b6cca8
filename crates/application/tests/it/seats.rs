//! Seats follow their class and their record; what a person did by hand stays.

use mzi_domain::FieldValue;
use mzi_ports::{lms::Enrolment, testing::fake_lms::LmsVerb};

use crate::{
    ids::{CLASS, LINA, OMAR, OTHER_CLASS, OTHER_SEAT, SEAT},
    world::{World, lookup, text},
};

#[tokio::test]
async fn a_class_that_becomes_active_gets_its_course_and_its_seats() {
    let world = World::new();
    world.has_lina();
    world.has_class(CLASS, "PROG-A", "Pending");
    world.has_seat(SEAT, LINA, CLASS);
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert!(world.lms.courses().is_empty());
    assert_eq!(world.issue_codes().await, [""; 0], "waiting is no issue");

    world
        .edit("BTEC_Classes", CLASS, "Class_Status", text("Active"))
        .await;
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    world.has_nothing_left_to_do().await;
}

#[tokio::test]
async fn a_class_that_ends_leaves_access_as_it_is() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    world
        .edit("BTEC_Classes", CLASS, "Class_Status", text("End"))
        .await;
    world.settle().await;
    assert!(world.takes_part(LINA, CLASS));

    // Nobody new is enrolled any more, and a withdrawal still counts.
    world.has_student(OMAR, "Omar", "Aziz");
    world.has_seat(OTHER_SEAT, OMAR, CLASS);
    world
        .notify_and_settle("BTEC_Enrollments", OTHER_SEAT)
        .await;
    assert_eq!(world.enrolment(OMAR, CLASS), None);
    world.delete("BTEC_Enrollments", SEAT).await;
    world.settle().await;
    assert!(!world.takes_part(LINA, CLASS));
}

#[tokio::test]
async fn a_class_that_is_reopened_takes_in_who_had_to_stay_out() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    world
        .edit("BTEC_Classes", CLASS, "Class_Status", text("End"))
        .await;
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert_eq!(world.enrolment(LINA, CLASS), None);

    world
        .edit("BTEC_Classes", CLASS, "Class_Status", text("Active"))
        .await;
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
}

#[tokio::test]
async fn a_suspension_made_by_hand_stays() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    let seat = world.enrolment(LINA, CLASS).unwrap();
    world.lms.add_enrolment(Enrolment {
        suspended: true,
        ..seat
    });

    world
        .edit("BTEC_Students", LINA, "City", text("Irbid"))
        .await;
    world
        .edit(
            "BTEC_Enrollments",
            SEAT,
            "Enrollment_Type",
            text("Recording"),
        )
        .await;
    world
        .edit("BTEC_Classes", CLASS, "Classroom", text("2.14"))
        .await;
    world.settle().await;

    assert!(!world.takes_part(LINA, CLASS));
    assert_eq!(world.lms.count(LmsVerb::Enrol), 1);
}

#[tokio::test]
async fn an_enrolment_that_moves_to_another_class_leaves_the_old_one() {
    let world = World::new();
    world.has_lina_enrolled();
    world.has_class(OTHER_CLASS, "PROG-B", "Active");
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    world
        .edit("BTEC_Enrollments", SEAT, "Classes", lookup(OTHER_CLASS))
        .await;
    world.settle().await;

    assert!(!world.takes_part(LINA, CLASS));
    assert!(world.takes_part(LINA, OTHER_CLASS));
}

#[tokio::test]
async fn one_of_two_enrolments_may_move_without_taking_the_seat_along() {
    let world = World::new();
    world.has_lina_enrolled();
    world.has_seat(OTHER_SEAT, LINA, CLASS);
    world.has_class(OTHER_CLASS, "PROG-B", "Active");
    world.notify("BTEC_Enrollments", SEAT).await;
    world
        .notify_and_settle("BTEC_Enrollments", OTHER_SEAT)
        .await;

    world
        .edit("BTEC_Enrollments", SEAT, "Classes", lookup(OTHER_CLASS))
        .await;
    world.settle().await;

    assert!(world.takes_part(LINA, OTHER_CLASS));
    assert!(
        world.takes_part(LINA, CLASS),
        "the other record still says so"
    );
}

#[tokio::test]
async fn an_enrolment_whose_lookup_is_emptied_keeps_the_seat_and_is_shown() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    world
        .edit("BTEC_Enrollments", SEAT, "Classes", FieldValue::Null)
        .await;
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    world.the_issue("lookup_empty").await;
}

#[tokio::test]
async fn zoho_learns_the_course_of_a_seat() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    let course = world.course_of(CLASS).to_string();
    assert_eq!(
        world.in_zoho("BTEC_Enrollments", SEAT, "Moodle_Course_ID"),
        Some(course.clone())
    );
    assert_eq!(
        world.in_zoho("BTEC_Classes", CLASS, "Moodle_Class_ID"),
        Some(course)
    );
}

#[tokio::test]
async fn a_course_removed_by_hand_stops_only_its_own_seats() {
    let world = World::new();
    world.has_lina();
    world.has_active_class();
    world.has_class(OTHER_CLASS, "PROG-B", "Active");
    world.has_seat(SEAT, LINA, CLASS);
    world.has_seat(OTHER_SEAT, LINA, OTHER_CLASS);
    world.notify("BTEC_Students", LINA).await;
    world.notify("BTEC_Classes", CLASS).await;
    world.notify_and_settle("BTEC_Classes", OTHER_CLASS).await;
    world.lms.remove_course(world.course_of(CLASS));

    world.notify("BTEC_Enrollments", SEAT).await;
    world
        .notify_and_settle("BTEC_Enrollments", OTHER_SEAT)
        .await;

    assert!(world.takes_part(LINA, OTHER_CLASS));
    let issue = world.the_issue("refused").await;
    assert_eq!(issue.zoho_id.as_deref(), Some(SEAT));
}

#[tokio::test]
async fn a_corrected_student_frees_the_seat_of_the_one_before_unless_another_record_holds_it() {
    for held in [false, true] {
        let world = World::new();
        world.has_lina_enrolled();
        world.has_student(OMAR, "Omar", "Aziz");
        if held {
            world.has_seat(OTHER_SEAT, LINA, CLASS);
            world.notify("BTEC_Enrollments", OTHER_SEAT).await;
        }
        world.notify("BTEC_Students", OMAR).await;
        world.notify_and_settle("BTEC_Enrollments", SEAT).await;

        let omar = lookup(OMAR);
        world
            .edit("BTEC_Enrollments", SEAT, "Enrolled_Students", omar)
            .await;
        world.settle().await;

        assert!(world.takes_part(OMAR, CLASS));
        assert_eq!(world.takes_part(LINA, CLASS), held);
    }
}
