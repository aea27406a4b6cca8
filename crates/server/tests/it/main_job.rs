//! The main job: a change in Zoho reaches Moodle and the student API.

use mzi_simulators::zoho::ZohoSimulator;
use serde_json::{Value, json};

use crate::harness::{World, eventually};

/// A programme, a unit, a teacher, an active class, a student and their enrolment.
pub struct Class {
    pub student: String,
    pub class: String,
    pub enrolment: String,
}

/// Puts a class with one student into Zoho.
pub fn a_class(zoho: &ZohoSimulator) -> Class {
    let insert = |module: &str, record: Value| zoho.insert(module, &record).unwrap();
    let program = insert("Products", json!({"Product_Name": "Computing"}));
    let unit = insert(
        "BTEC",
        json!({"Name": "Programming", "Unit_Code": "COMP-U01"}),
    );
    let teacher = insert(
        "BTEC_Teachers",
        json!({"Name": "Tara Teacher", "Academic_Email": "tara@northfield.example"}),
    );
    let class = insert(
        "BTEC_Classes",
        json!({
            "Class_Name": "Programming, autumn", "Class_Short_Name": "PROG-A",
            "Class_Status": "Active", "Start_Date": "2026-09-01",
            "BTEC_Program": {"id": program}, "Unit": {"id": unit}, "Teacher": {"id": teacher},
        }),
    );
    let student = insert("BTEC_Students", a_student(1));
    let enrolment = insert(
        "BTEC_Enrollments",
        json!({"Enrolled_Students": {"id": student}, "Classes": {"id": class}}),
    );
    Class {
        student,
        class,
        enrolment,
    }
}

pub fn a_student(number: usize) -> Value {
    json!({
        "First_Name": "Lina", "Last_Name": format!("O'Hara {number}"),
        "Academic_Email": format!("Lina.{number}@students.northfield.example"),
        "Status": "Active",
    })
}

#[tokio::test]
async fn an_enrolment_notice_alone_brings_student_class_and_seat_to_moodle() {
    let world = World::new().await;
    let bridge = world.start().await;
    let class = a_class(&world.zoho);

    let (status, body) = bridge
        .notify(&world, "BTEC_Enrollments", &class.enrolment)
        .await;
    assert_eq!(status, 202, "{body}");

    let user = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == class.student)
    })
    .await
    .expect("the student became no user");
    assert_eq!(user.username, "lina.1@students.northfield.example");
    let seat = eventually(|| async {
        world
            .moodle
            .enrolments()
            .into_iter()
            .find(|enrolment| enrolment.userid == user.id)
    })
    .await
    .expect("the student was not enrolled");
    assert!(!seat.suspended);

    let student = eventually(|| async {
        let record = world.zoho.record("BTEC_Students", &class.student)?;
        record.get("Student_Moodle_ID")?.as_str().map(str::to_owned)
    });
    assert_eq!(student.await, Some(user.id.to_string()));

    let (status, profile) = bridge
        .student(&world, user.id, "/api/v1/student/profile")
        .await;
    assert_eq!(status, 200, "{profile}");
    assert_eq!(profile["data"]["names"]["last"], "O'Hara 1");
    let classes = eventually(|| async {
        let (_, classes) = bridge
            .student(&world, user.id, "/api/v1/student/classes")
            .await;
        (classes["data"]["items"][0]["enrolment"]["status"] == "active").then_some(classes)
    })
    .await
    .expect("the class is not active in the student API");
    assert_eq!(classes["data"]["items"][0]["unit"]["code"], "COMP-U01");
    assert_eq!(bridge.stop(), Some(0));
}

#[tokio::test]
async fn notifications_of_registered_channels_carry_changes_by_themselves() {
    let mut world = World::new().await;
    world.set(
        "WEBHOOK_BASE_URL",
        format!("http://127.0.0.1:{}", world.port),
    );
    let _bridge = world.start().await;
    eventually(|| async { (world.zoho.channels().len() >= 10).then_some(()) })
        .await
        .expect("no channels");

    let class = a_class(&world.zoho);
    let seat = eventually(|| async {
        let users = world.moodle.users();
        let user = users.iter().find(|user| user.idnumber == class.student)?;
        world
            .moodle
            .enrolments()
            .into_iter()
            .find(|enrolment| enrolment.userid == user.id)
    });
    assert!(!seat.await.expect("not enrolled").suspended);

    world
        .zoho
        .delete("BTEC_Enrollments", &class.enrolment)
        .unwrap();
    let suspended = eventually(|| async {
        world
            .moodle
            .enrolments()
            .into_iter()
            .find(|enrolment| enrolment.suspended)
    });
    assert!(suspended.await.is_some(), "the withdrawal did not suspend");
}

#[tokio::test]
async fn nothing_is_written_before_go_live_and_all_of_it_after() {
    let mut world = World::new().await;
    world.set("SETUP_COMPLETED_STEPS", "backend,zoho,moodle");
    let bridge = world.start().await;
    let class = a_class(&world.zoho);
    let before = world.moodle.users().len();
    bridge
        .notify(&world, "BTEC_Enrollments", &class.enrolment)
        .await;
    let observed = eventually(|| async {
        let queue = bridge.health().await["queue"].clone();
        (queue["pending"] == 0 && queue["leased"] == 0 && queue["outbox"].as_i64()? > 0)
            .then_some(())
    });
    observed.await.expect("nothing was held back");
    assert_eq!(world.moodle.users().len(), before);
    assert_eq!(bridge.stop(), Some(0));

    world.set("SETUP_COMPLETED_STEPS", crate::harness::ALL_STEPS);
    let _bridge = world.start().await;
    let seat = eventually(|| async { world.moodle.enrolments().into_iter().next() });
    assert!(seat.await.is_some(), "what was held back was not delivered");
}
