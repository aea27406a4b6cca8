//! What may be done at all: the go-live gate and the services that are switched on.

use mzi_application::policy::{Policy, Services};
use mzi_domain::{Entity, setup::Gate};
use mzi_ports::testing::fake_lms::LmsVerb;

use crate::{
    ids::{CLASS, LINA, SEAT},
    world::{World, text},
};

fn observing(policy: &mut Policy) {
    policy.gate = Gate::Observing;
}

fn live(policy: &mut Policy) {
    policy.gate = Gate::Live;
}

fn only(list: &str) -> impl FnOnce(&mut Policy) {
    let (services, unknown) = Services::parse(list);
    assert_eq!(unknown, [""; 0]);
    |policy| policy.services = services
}

#[tokio::test]
async fn an_observing_bridge_writes_nothing_outside() {
    let world = World::with(observing);
    world.has_college();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    world
        .edit("BTEC_Students", LINA, "First_Name", text("Leena"))
        .await;
    world.settle().await;

    assert_eq!(world.lms.calls(), [], "Moodle is not even asked");
    assert_eq!(world.crm.writes(), []);
    assert_eq!(
        world.history(Entity::Students, LINA),
        ["created", "updated"]
    );
}

#[tokio::test]
async fn opening_the_gate_delivers_what_was_held_back() {
    let world = World::with(observing);
    world.has_college();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    let world = world.restarted_with(live);
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    assert_eq!(world.lms.enrolments().len(), 2, "student and teacher");
    assert_eq!(
        world.in_zoho("BTEC_Students", LINA, "Student_Moodle_ID"),
        Some(world.user_of(LINA).to_string())
    );
    world.has_nothing_left_to_do().await;
}

#[tokio::test]
async fn a_record_that_came_and_went_while_observing_is_never_delivered() {
    let world = World::with(observing);
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    world.delete("BTEC_Enrollments", SEAT).await;
    world.settle().await;

    let world = world.restarted_with(live);
    world.settle().await;

    assert_eq!(world.lms.enrolments(), []);
    assert_eq!(world.issue_codes().await, [""; 0]);
}

#[tokio::test]
async fn a_bridge_that_is_closed_again_writes_nothing_more() {
    let world = World::new();
    world.has_lina();
    world.notify_and_settle("BTEC_Students", LINA).await;

    let world = world.restarted_with(observing);
    world
        .edit("BTEC_Students", LINA, "First_Name", text("Leena"))
        .await;
    world.settle().await;

    assert_eq!(
        world.lms.user(world.user_of(LINA)).unwrap().first_name,
        "Lina"
    );
}

#[tokio::test]
async fn an_entity_that_is_off_is_taken_in_and_caught_up_when_switched_on() {
    let world = World::with(only("students,classes,write_back"));
    world.has_lina_enrolled();
    world.notify("BTEC_Students", LINA).await;
    world.notify("BTEC_Classes", CLASS).await;
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert_eq!(world.history(Entity::Enrollments, SEAT), [""; 0]);
    assert_eq!(world.lms.count(LmsVerb::Enrol), 0);

    let world = world.restarted_with(|policy| policy.services = Services::all());
    world.settle().await;

    assert!(world.takes_part(LINA, CLASS));
    world.has_nothing_left_to_do().await;
}

#[tokio::test]
async fn without_write_back_zoho_is_only_read_until_it_is_switched_on() {
    let world = World::with(only("students"));
    world.has_lina();
    world.notify_and_settle("BTEC_Students", LINA).await;
    world.user_of(LINA);
    assert_eq!(world.crm.writes(), []);

    let world = world.restarted_with(only("students,write_back"));
    world.settle().await;
    assert_eq!(world.crm.writes().len(), 1);
}

#[tokio::test]
async fn a_student_or_class_deleted_before_the_gate_opens_is_never_made() {
    let world = World::with(observing);
    world.has_lina();
    world.has_active_class();
    world.notify("BTEC_Students", LINA).await;
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    world.delete("BTEC_Students", LINA).await;
    world.delete("BTEC_Classes", CLASS).await;
    world.settle().await;

    let world = world.restarted_with(live);
    world.settle().await;
    assert!(world.lms.users().is_empty());
    assert!(world.lms.courses().is_empty());
    world.has_nothing_left_to_do().await;

    // Restored from the recycle bin, both are made after all.
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Students", LINA).await;
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    world.user_of(LINA);
    world.course_of(CLASS);
    assert_eq!(world.issue_codes().await, [""; 0]);
}
