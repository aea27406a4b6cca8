//! What channels deliver.

use chrono::TimeDelta;
use mzi_simulators::faults::{Effect, Fault};
use serde_json::{Value, json};

use super::support::{Desk, Receiver, watch};

#[tokio::test]
async fn changes_by_the_api_and_by_people_are_delivered_as_ids() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    watch(&desk, &receiver, &["BTEC_Students.all"], json!({})).await;

    let body = json!({"data": [{"Last_Name": "One"}, {"Last_Name": "Two"}]});
    let inserted = desk.post("BTEC_Students", body).await;
    desk.zoho.settle().await;
    let id = inserted.items()[0]["details"]["id"]
        .as_str()
        .expect("an id");
    desk.zoho
        .update("BTEC_Students", id, &json!({"City": "Rome"}))
        .expect("updated");
    desk.zoho.settle().await;
    desk.delete(&format!("BTEC_Students/{id}")).await;
    desk.zoho.settle().await;

    let bodies = receiver.bodies();
    let operations: Vec<&Value> = bodies.iter().map(|body| &body["operation"]).collect();
    assert_eq!(operations, ["insert", "update", "delete"]);
    let ids: Vec<&Value> = inserted
        .items()
        .iter()
        .map(|item| &item["details"]["id"])
        .collect();
    assert_eq!(bodies[0]["ids"], json!(ids));
    assert_eq!(
        (&bodies[0]["affected_fields"], &bodies[0]["token"]),
        (&json!([]), &json!("echo-me"))
    );
    assert_eq!(
        (&bodies[0]["channel_id"], &bodies[0]["module"]),
        (&json!("10001"), &json!("BTEC_Students"))
    );
    assert_eq!(bodies[0]["query_params"], json!({"k": "v"}));
    assert!(
        bodies[0]["resource_uri"]
            .as_str()
            .expect("text")
            .ends_with("/crm/v2/BTEC_Students")
    );
    assert!(bodies[0]["server_time"].is_i64());
    assert_eq!(bodies[1]["affected_fields"], json!([{id: ["City"]}]));
    assert!(bodies.iter().all(|body| body.get("data").is_none()));
}

#[tokio::test]
async fn only_the_events_asked_for_are_delivered() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    watch(
        &desk,
        &receiver,
        &["BTEC_Students.create", "BTEC_Classes.edit"],
        json!({}),
    )
    .await;

    let id = desk
        .zoho
        .insert("BTEC_Students", &json!({"City": "Rome"}))
        .expect("a student");
    desk.zoho
        .update("BTEC_Students", &id, &json!({"City": "Oslo"}))
        .expect("updated");
    desk.zoho
        .insert("BTEC_Classes", &json!({"Class_Name": "New"}))
        .expect("a class");
    desk.zoho.settle().await;

    assert_eq!(receiver.bodies().len(), 1);
}

#[tokio::test]
async fn an_expired_channel_is_silent() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    watch(&desk, &receiver, &["BTEC_Students.all"], json!({})).await;

    desk.zoho.advance(TimeDelta::minutes(59));
    desk.zoho
        .insert("BTEC_Students", &json!({"City": "Rome"}))
        .expect("a student");
    desk.zoho.advance(TimeDelta::minutes(2));
    desk.zoho
        .insert("BTEC_Students", &json!({"City": "Rome"}))
        .expect("a student");
    desk.zoho.settle().await;

    assert_eq!(receiver.bodies().len(), 1);
    assert!(desk.zoho.channels().is_empty());
}

#[tokio::test]
async fn changed_rows_and_values_are_named_on_request() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    let more = json!({"return_affected_field_values": true});
    watch(&desk, &receiver, &["BTEC_Registrations.edit"], more).await;
    let id = desk.first("BTEC_Registrations");

    let change =
        json!({"Registration_Status": "Freeze", "Payment_Schedule": [{"Installment_No": 4}]});
    desk.zoho
        .update("BTEC_Registrations", &id, &change)
        .expect("updated");
    desk.zoho.settle().await;

    let body = &receiver.bodies()[0];
    let affected = body["affected_fields"][0][&id]
        .as_array()
        .expect("names")
        .clone();
    assert!(
        affected.contains(&json!("Registration_Status"))
            && affected.contains(&json!("Payment_Schedule"))
    );
    assert_eq!(
        body["affected_values"][0]["values"]["Registration_Status"],
        "Freeze"
    );
}

#[tokio::test]
async fn a_condition_lets_only_its_fields_through() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    let field = json!({"field": {"api_name": "Status", "id": "1"}});
    let condition = json!({
        "type": "field_selection", "module": {"api_name": "BTEC_Students", "id": "1"}, "field_selection": field,
    });
    watch(
        &desk,
        &receiver,
        &["BTEC_Students.edit"],
        json!({"notification_condition": [condition]}),
    )
    .await;
    let id = desk.first("BTEC_Students");

    desk.zoho
        .update("BTEC_Students", &id, &json!({"City": "Rome"}))
        .expect("updated");
    desk.zoho
        .update("BTEC_Students", &id, &json!({"Status": "Passive"}))
        .expect("updated");
    desk.zoho.settle().await;

    assert_eq!(receiver.bodies().len(), 1);
}

#[tokio::test]
async fn linked_records_make_noise_unless_told_not_to() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    let class = desk.first("BTEC_Classes");
    let student = desk.first("BTEC_Students");
    let enrolment = json!({"Classes": {"id": class}, "Enrolled_Students": {"id": student}});

    watch(
        &desk,
        &receiver,
        &["BTEC_Classes.all"],
        json!({"notify_on_related_action": true}),
    )
    .await;
    desk.zoho
        .insert("BTEC_Enrollments", &enrolment)
        .expect("an enrolment");
    desk.zoho.settle().await;
    assert_eq!(receiver.bodies()[0]["ids"], json!([class]));

    watch(&desk, &receiver, &["BTEC_Classes.all"], json!({})).await;
    desk.zoho
        .insert("BTEC_Enrollments", &enrolment)
        .expect("an enrolment");
    desk.zoho.settle().await;
    assert_eq!(receiver.bodies().len(), 1);
}

#[tokio::test]
async fn notifications_are_doubled_dropped_and_overtaken_by_script() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    watch(&desk, &receiver, &["BTEC_Students.all"], json!({})).await;
    desk.zoho.fault(Fault::once(
        "BTEC_Students",
        Effect::DuplicateNotifications { times: 3 },
    ));
    desk.zoho
        .fault(Fault::once("BTEC_Students", Effect::DropNotifications));
    desk.zoho
        .fault(Fault::once("BTEC_Students", Effect::ReorderNotifications));
    let insert = || {
        desk.zoho
            .insert("BTEC_Students", &json!({"City": "Rome"}))
            .expect("a student")
    };

    let (doubled, _dropped, overtaken, overtaking) = (insert(), insert(), insert(), insert());
    desk.zoho.settle().await;

    let mut delivered: Vec<String> = receiver
        .bodies()
        .iter()
        .map(|body| body["ids"][0].as_str().expect("an id").to_owned())
        .collect();
    // Deliveries run side by side, so only the count is sure; the queue's order is in the memory.
    delivered.sort();
    let mut expected = vec![
        doubled.clone(),
        doubled.clone(),
        doubled,
        overtaken,
        overtaking,
    ];
    expected.sort();
    assert_eq!(delivered, expected);
    assert_eq!(
        desk.zoho
            .deliveries()
            .iter()
            .filter(|delivery| delivery.status.is_none())
            .count(),
        1
    );
}

#[tokio::test]
async fn a_notification_nobody_takes_is_lost() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    watch(&desk, &receiver, &["BTEC_Students.all"], json!({})).await;
    receiver.server.stop().await;

    desk.zoho
        .insert("BTEC_Students", &json!({"City": "Rome"}))
        .expect("a student");
    desk.zoho.settle().await;

    assert_eq!(desk.zoho.deliveries().len(), 1);
    assert_eq!(desk.zoho.deliveries()[0].status, None);
}
