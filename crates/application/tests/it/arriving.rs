//! Records arrive in Zoho and appear in Moodle, in whatever order and however often Zoho says so.

use mzi_application::receive_webhook::Accepted;
use mzi_domain::Entity;
use mzi_ports::testing::{fake_crm::CrmVerb, fake_lms::LmsVerb};

use crate::{
    ids::{CLASS, LINA, PROGRAM, SEAT, TEACHER, UNIT},
    world::World,
};

#[tokio::test]
async fn a_student_becomes_a_moodle_user_and_zoho_learns_its_id() {
    let world = World::new();
    world.has_lina();

    world.notify_and_settle("BTEC_Students", LINA).await;

    let user = world.lms.user(world.user_of(LINA)).unwrap();
    assert_eq!(user.username, "lina.haddad@students.college.example");
    assert_eq!(user.email, "lina.haddad@students.college.example");
    assert_eq!(
        (user.first_name.as_str(), user.last_name.as_str()),
        ("Lina", "Haddad")
    );
    assert_eq!(
        world.in_zoho("BTEC_Students", LINA, "Student_Moodle_ID"),
        Some(user.id.to_string())
    );
    world.has_nothing_left_to_do().await;
}

#[tokio::test]
async fn ten_notices_without_identity_have_one_effect_and_one_history_row() {
    let world = World::new();
    world.has_lina();

    let first = world.notify("BTEC_Students", LINA).await;
    for _ in 1..10 {
        let again = world.notify("BTEC_Students", LINA).await;
        assert!(matches!(again, Accepted::Coalesced(_)), "{again:?}");
    }
    world.work().await;

    assert!(matches!(first, Accepted::Fresh(_)), "{first:?}");
    assert_eq!(world.store.events().len(), 1);
    assert_eq!(world.lms.count(LmsVerb::CreateUser), 1);
    assert_eq!(world.crm.count(CrmVerb::Records), 1);
    assert_eq!(world.history(Entity::Students, LINA), ["created"]);
}

#[tokio::test]
async fn a_notice_repeated_after_its_work_is_done_has_no_further_effect() {
    let world = World::new();
    world.has_lina();
    let body = format!(
        r#"{{"module":"BTEC_Students","ids":["{LINA}"],"operation":"insert",
            "channel_id":"10001","server_time":1795348800000}}"#
    );

    world.receive("BTEC_Students", &body).await;
    world.settle().await;
    let read = world.crm.count(CrmVerb::Records);
    for _ in 1..10 {
        let again = world.receive("BTEC_Students", &body).await;
        assert!(matches!(again, Accepted::Duplicate(_)), "{again:?}");
        world.settle().await;
    }

    assert_eq!(world.store.events().len(), 1);
    assert_eq!(world.crm.count(CrmVerb::Records), read);
    assert_eq!(world.lms.count(LmsVerb::CreateUser), 1);
}

#[tokio::test]
async fn student_class_and_enrolment_end_enrolled_in_every_order_of_arrival() {
    let notices = [
        ("BTEC_Students", LINA),
        ("BTEC_Classes", CLASS),
        ("BTEC_Enrollments", SEAT),
    ];
    for order in permutations(&notices) {
        for settling in [false, true] {
            let world = World::new();
            world.has_lina_enrolled();
            for (module, id) in &order {
                world.notify(module, id).await;
                if settling {
                    world.settle().await;
                }
            }
            world.settle().await;

            assert!(world.takes_part(LINA, CLASS), "{order:?}");
            assert_eq!(world.lms.count(LmsVerb::CreateUser), 1, "{order:?}");
            assert_eq!(world.lms.count(LmsVerb::CreateCourse), 1, "{order:?}");
            assert_eq!(world.issue_codes().await, [""; 0], "{order:?}");
            world.has_nothing_left_to_do().await;
        }
    }
}

#[tokio::test]
async fn a_whole_college_ends_the_same_in_every_order_of_arrival() {
    let notices = [
        ("Products", PROGRAM),
        ("BTEC", UNIT),
        ("BTEC_Teachers", TEACHER),
        ("BTEC_Students", LINA),
        ("BTEC_Classes", CLASS),
        ("BTEC_Enrollments", SEAT),
    ];
    let mut first = None;
    for order in permutations(&notices) {
        let world = World::new();
        world.has_college();
        for (module, id) in &order {
            world.notify(module, id).await;
            world.work().await;
        }
        world.settle().await;

        let end = world.outside().await;
        assert_eq!(first.get_or_insert_with(|| end.clone()), &end, "{order:?}");
        world.keeps_its_invariants().await;
        world.has_nothing_left_to_do().await;
    }
    let end = first.unwrap();
    assert_eq!(end.seats.len(), 2);
    assert_eq!(end.courses[&format!("zoho:{CLASS}")], ["PROG-A in 7"]);
}

#[tokio::test]
async fn parents_nobody_ever_mentioned_are_fetched() {
    let world = World::new();
    world.has_college();

    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    assert!(world.takes_part(LINA, CLASS));
    for (entity, id) in [
        (Entity::Programs, PROGRAM),
        (Entity::Units, UNIT),
        (Entity::Teachers, TEACHER),
        (Entity::Students, LINA),
        (Entity::Classes, CLASS),
    ] {
        assert_eq!(world.history(entity, id).first(), Some(&"created"), "{id}");
    }
    assert_eq!(world.lms.enrolments().len(), 2, "teacher and student");
}

#[tokio::test]
async fn one_notice_of_many_records_serves_them_all() {
    let world = World::new();
    let mut ids = Vec::new();
    for number in 0..120 {
        let id = format!("9000000000{number:05}");
        world.has_student(&id, "Student", &format!("Number{number}"));
        ids.push(format!("\"{id}\""));
    }
    let body = format!(r#"{{"module":"BTEC_Students","ids":[{}]}}"#, ids.join(","));

    world.receive("BTEC_Students", &body).await;
    world.settle().await;

    assert_eq!(world.lms.users().len(), 120);
    let calls = world.crm.calls();
    let widest = calls.iter().map(|call| call.ids.len()).max();
    assert_eq!(widest, Some(100), "Zoho takes a hundred ids a call");
}

/// Every order of these.
pub fn permutations<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for at in 0..of.len() {
        let mut rest = of.to_vec();
        let first = rest.remove(at);
        for tail in permutations(&rest) {
            all.push(std::iter::once(first.clone()).chain(tail).collect());
        }
    }
    all
}
