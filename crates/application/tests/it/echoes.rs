//! What we write to Zoho comes back as a notification; it must not go round for ever.

use chrono::Duration;
use mzi_domain::{Entity, setup::Gate};
use mzi_ports::{LmsError, testing::fake_lms::LmsVerb};

use crate::{
    ids::{CLASS, LINA, SEAT},
    world::{World, text},
};

const EVERYTHING: [(&str, &str); 3] = [
    ("BTEC_Students", LINA),
    ("BTEC_Classes", CLASS),
    ("BTEC_Enrollments", SEAT),
];

#[tokio::test]
async fn our_own_write_backs_cause_no_further_write() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    assert_eq!(world.crm.writes().len(), 3, "student, class, enrolment");
    let calls = world.lms.calls().len();

    for _ in 0..10 {
        world.clock.advance(Duration::seconds(1));
        for (module, id) in EVERYTHING {
            world.notify(module, id).await;
        }
        world.work().await;
    }

    assert_eq!(world.crm.writes().len(), 3);
    assert_eq!(world.lms.calls().len(), calls, "nor is Moodle asked again");
    assert_eq!(
        world.history(Entity::Students, LINA),
        ["created", "updated"]
    );
}

#[tokio::test]
async fn every_write_back_answered_by_a_notice_settles_in_bounded_writes() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    for round in 0..5 {
        world
            .edit(
                "BTEC_Students",
                LINA,
                "City",
                text(&format!("City {round}")),
            )
            .await;
        world
            .edit(
                "BTEC_Classes",
                CLASS,
                "Classroom",
                text(&format!("2.{round}")),
            )
            .await;
        let mut echoed = world.crm.writes().len();
        loop {
            world.settle().await;
            let writes = world.crm.writes();
            for write in writes.iter().skip(echoed) {
                for record in &write.records {
                    world
                        .notify(&write.module, record.id.as_ref().unwrap().as_str())
                        .await;
                }
            }
            if writes.len() == echoed {
                break;
            }
            echoed = writes.len();
            assert!(echoed <= 3, "writes go round");
        }
    }
    assert_eq!(world.lms.count(LmsVerb::Enrol), 1);
}

#[tokio::test]
async fn an_id_that_zoho_already_says_is_not_written_again() {
    let world = World::new();
    world.has_lina();
    let address = "lina.haddad@students.college.example";
    let user = world.lms.add_user(address, address, "");
    world.crm.edit(
        "BTEC_Students",
        LINA,
        [("Student_Moodle_ID", text(&user.to_string()))],
    );

    world.notify_and_settle("BTEC_Students", LINA).await;

    assert_eq!(world.user_of(LINA), user);
    assert_eq!(world.crm.writes(), []);
}

#[tokio::test]
async fn fifty_edits_in_two_seconds_are_one_update() {
    let world = World::new();
    world.has_active_class();
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    let reads = world.crm.calls().len();

    for edit in 0..50 {
        let name = format!("Programming {edit}");
        world
            .crm
            .edit("BTEC_Classes", CLASS, [("Class_Name", text(&name))]);
        world.notify("BTEC_Classes", CLASS).await;
    }
    world.settle().await;

    assert_eq!(world.lms.courses()[0].found.fullname, "Programming 49");
    assert_eq!(world.lms.count(LmsVerb::UpdateCourse), 1);
    assert_eq!(world.crm.calls().len(), reads + 1);
}

#[tokio::test]
async fn a_write_back_that_comes_too_late_is_forgotten_with_its_record() {
    for told_first in [false, true] {
        let world = World::with(|policy| policy.gate = Gate::Observing);
        world.has_lina();
        world.notify_and_settle("BTEC_Students", LINA).await;
        let world = world.restarted_with(|policy| policy.gate = Gate::Live);
        world.lms.set_outage(Some(LmsError::Unavailable {
            reason: "503".into(),
        }));
        world.work().await;
        world.lms.set_outage(None);

        world.crm.delete("BTEC_Students", LINA);
        if told_first {
            world.notify_deleted("BTEC_Students", LINA).await;
        }
        world.settle().await;
        world.notify_deleted("BTEC_Students", LINA).await;
        world.settle().await;

        assert_eq!(
            world.issue_codes().await,
            [""; 0],
            "told first: {told_first}"
        );
        world.has_nothing_left_to_do().await;
    }
}
