//! The teacher of a class.

use mzi_domain::{FieldValue, MoodleUserId};
use mzi_ports::lms::Enrolment;

use crate::{
    ids::{CLASS, OTHER_TEACHER, TEACHER},
    world::{World, lookup, text},
};

const SAMI: &str = "sami.nasser@college.example";
const DANA: &str = "dana.khoury@college.example";

/// An active class with Sami as its teacher, nothing notified yet.
fn class_of_sami() -> World {
    let world = World::new();
    world.has_teacher(TEACHER, "Sami Nasser", SAMI);
    world.has_teacher(OTHER_TEACHER, "Dana Khoury", DANA);
    world.has_active_class();
    world
        .crm
        .edit("BTEC_Classes", CLASS, [("Teacher", lookup(TEACHER))]);
    world
}

fn teaches(world: &World, user: MoodleUserId) -> Option<bool> {
    let seat = world.lms.enrolment(user, world.course_of(CLASS))?;
    assert_eq!(seat.role, world.policy.teacher_role);
    Some(!seat.suspended)
}

/// Enrols a teacher as a manager would.
fn enrol_by_hand(world: &World, user: MoodleUserId) {
    world.lms.add_enrolment(Enrolment {
        user,
        course: world.course_of(CLASS),
        role: world.policy.teacher_role,
        suspended: false,
    });
}

#[tokio::test]
async fn a_teacher_with_an_account_is_enrolled_as_editing_teacher() {
    let world = class_of_sami();
    let sami = world.lms.add_user(SAMI, SAMI, "");

    world.notify_and_settle("BTEC_Classes", CLASS).await;

    assert_eq!(teaches(&world, sami), Some(true));
    assert_eq!(
        world.lms.user(sami).unwrap().idnumber,
        "",
        "teachers are not linked"
    );
}

#[tokio::test]
async fn a_teacher_without_an_account_is_an_issue_that_names_them() {
    let world = class_of_sami();

    world.notify_and_settle("BTEC_Classes", CLASS).await;
    let issue = world.the_issue("teacher_without_account").await;
    assert!(issue.message.contains("Sami Nasser"), "{}", issue.message);
    assert!(world.lms.users().is_empty(), "teachers are never created");

    let sami = world.lms.add_user(SAMI, SAMI, "");
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    assert_eq!(world.issue_codes().await, [""; 0]);
    assert_eq!(teaches(&world, sami), Some(true));
}

#[tokio::test]
async fn a_teacher_whose_address_is_corrected_is_found() {
    let world = class_of_sami();
    let sami = world
        .lms
        .add_user("s.nasser@college.example", "s.nasser@college.example", "");
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    world.the_issue("teacher_without_account").await;

    let corrected = text("s.nasser@college.example");
    world
        .edit("BTEC_Teachers", TEACHER, "Academic_Email", corrected)
        .await;
    world.settle().await;

    assert_eq!(world.issue_codes().await, [""; 0]);
    assert_eq!(teaches(&world, sami), Some(true));
}

#[tokio::test]
async fn a_replaced_teacher_leaves_and_the_new_one_comes_and_may_come_back() {
    let world = class_of_sami();
    let sami = world.lms.add_user(SAMI, SAMI, "");
    let dana = world.lms.add_user(DANA, DANA, "");
    world.notify_and_settle("BTEC_Classes", CLASS).await;

    world
        .edit("BTEC_Classes", CLASS, "Teacher", lookup(OTHER_TEACHER))
        .await;
    world.settle().await;
    assert_eq!(
        (teaches(&world, sami), teaches(&world, dana)),
        (Some(false), Some(true))
    );

    world
        .edit("BTEC_Classes", CLASS, "Teacher", lookup(TEACHER))
        .await;
    world.settle().await;
    assert_eq!(
        (teaches(&world, sami), teaches(&world, dana)),
        (Some(true), Some(false))
    );
}

#[tokio::test]
async fn a_class_that_loses_its_teacher_suspends_the_enrolment() {
    let world = class_of_sami();
    let sami = world.lms.add_user(SAMI, SAMI, "");
    world.notify_and_settle("BTEC_Classes", CLASS).await;

    world
        .edit("BTEC_Classes", CLASS, "Teacher", FieldValue::Null)
        .await;
    world.settle().await;

    assert_eq!(teaches(&world, sami), Some(false));
}

#[tokio::test]
async fn a_teacher_enrolled_by_hand_is_never_suspended() {
    for sami_first in [true, false] {
        let world = class_of_sami();
        let sami = world.lms.add_user(SAMI, SAMI, "");
        let dana = world.lms.add_user(DANA, DANA, "");
        world
            .crm
            .edit("BTEC_Classes", CLASS, [("Teacher", FieldValue::Null)]);
        world.notify_and_settle("BTEC_Classes", CLASS).await;
        enrol_by_hand(&world, sami);
        let turns = if sami_first {
            [TEACHER, OTHER_TEACHER]
        } else {
            [OTHER_TEACHER, TEACHER]
        };
        for teacher in turns {
            world
                .edit("BTEC_Classes", CLASS, "Teacher", lookup(teacher))
                .await;
            world.settle().await;
        }
        world
            .edit("BTEC_Classes", CLASS, "Teacher", FieldValue::Null)
            .await;
        world.settle().await;

        assert_eq!(
            teaches(&world, sami),
            Some(true),
            "sami first: {sami_first}"
        );
        assert_eq!(
            teaches(&world, dana),
            Some(false),
            "sami first: {sami_first}"
        );
    }
}
