//! Notices of every shape, and what counts as a repeat.

use actix_web::{http::Method, test::TestRequest};
use chrono::{Duration, TimeDelta};
use mzi_application::receive_webhook::WebhookSecret;
use mzi_domain::{Entity, Operation};
use mzi_ports::{Clock, Ledger, ledger::Claim};

use crate::bridge::{Answer, Bridge, WEBHOOK_SECRET, request};

const STUDENT: &str = "900000000000101";
const TIME: &str = "2026-11-22T15:00:00+03:00";

fn proven(target: &str) -> TestRequest {
    let secret = WebhookSecret::new(WEBHOOK_SECRET.into(), None).unwrap();
    request(Method::POST, target).insert_header(("X-Webhook-Token", secret.static_token()))
}

/// A JSON body to the students' address.
async fn post(bridge: &Bridge, body: &str) -> Answer {
    let request = proven("/api/v1/webhooks/students")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(body.to_owned());
    bridge.send(request).await
}

/// Status, and the event the notice is kept under.
fn taken(answer: &Answer) -> (u16, String, String) {
    let json = answer.json();
    let word = |name: &str| json[name].as_str().unwrap().to_owned();
    assert_eq!(json.as_object().unwrap().len(), 2, "{json}");
    (answer.status.as_u16(), word("status"), word("event_id"))
}

/// The work of the students' lane is begun by somebody.
async fn begun(bridge: &Bridge) {
    let claim = Claim {
        lane: mzi_domain::Lane::Refresh(Entity::Students),
        limit: 100,
        owner: "a test".into(),
        now: bridge.clock.now(),
        lease_for: std::time::Duration::from_secs(90),
    };
    assert!(!bridge.store.claim(&claim).await.unwrap().is_empty());
}

#[actix_web::test]
async fn every_variant_of_a_body_names_its_records() {
    let form = format!("id={STUDENT}&Modified_Time=2026-11-22T15%3A00%3A00%2B03%3A00&Name=A101");
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"zoho_id\"\r\n\r\n{STUDENT}\r\n--b--\r\n"
    );
    let json = "application/json";
    let cases = [
        (
            "V1",
            json,
            format!(r#"{{"zoho_id":"{STUDENT}","module":"BTEC_Students"}}"#),
        ),
        (
            "V3",
            json,
            format!(r#"{{"ids":["{STUDENT}"],"operation":"update","server_time":1}}"#),
        ),
        (
            "V4",
            json,
            format!(r#"{{"event":"BTEC_Students.edit","data":[{{"id":"{STUDENT}"}}]}}"#),
        ),
        (
            "V5",
            json,
            format!(r#"{{"id":{STUDENT},"First_Name":"Lina"}}"#),
        ),
        (
            "V6",
            json,
            format!(r#"{{"event_id":"evt-1","record_id":"{STUDENT}"}}"#),
        ),
        ("V7", "application/x-www-form-urlencoded", form),
        ("multipart", "multipart/form-data; boundary=b", multipart),
        (
            "text",
            "text/plain",
            format!(r#"{{"zoho_id":"{STUDENT}"}}"#),
        ),
        (
            "suffix",
            "application/vnd.college+json",
            format!(r#"{{"zoho_id":"{STUDENT}"}}"#),
        ),
        (
            "charset",
            "application/json; charset=utf-8",
            format!("\u{feff}{{\"zoho_id\":\"{STUDENT}\"}}"),
        ),
    ];
    for (name, content_type, body) in cases {
        let bridge = Bridge::new();
        let request = proven("/api/v1/webhooks/students")
            .insert_header(("Content-Type", content_type))
            .set_payload(body);
        let answer = bridge.send(request).await;

        assert_eq!(taken(&answer).1, "accepted", "{name}");
        let events = bridge.store.events();
        assert_eq!(events[0].entity, Entity::Students, "{name}");
        assert_eq!(events[0].records[0].as_str(), STUDENT, "{name}");
    }
}

#[actix_web::test]
async fn variant_2_has_its_id_in_the_query_and_no_body() {
    let bridge = Bridge::new();
    let target = format!("/api/v1/webhooks/students?zoho_id={STUDENT}");
    let answer = bridge.send(proven(&target)).await;
    assert_eq!(answer.status, 202);
    assert_eq!(bridge.store.events()[0].records[0].as_str(), STUDENT);
}

#[actix_web::test]
async fn all_ids_of_a_notification_are_taken_in_one_event() {
    let bridge = Bridge::new();
    let body = r#"{"ids":["900000000000102","900000000000101","900000000000102"]}"#;
    assert_eq!(post(&bridge, body).await.status, 202);

    let events = bridge.store.events();
    let ids: Vec<&str> = events[0].records.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids, ["900000000000102", "900000000000101"]);
}

#[actix_web::test]
async fn a_path_is_an_entity_a_module_or_an_older_address() {
    for (tail, entity, operation) in [
        ("students", Entity::Students, Operation::Upsert),
        (
            "student_requests",
            Entity::StudentRequests,
            Operation::Upsert,
        ),
        ("requests", Entity::StudentRequests, Operation::Upsert),
        ("BTEC_Classes", Entity::Classes, Operation::Upsert),
        ("Products", Entity::Programs, Operation::Upsert),
        (
            "student-dashboard/student_updated",
            Entity::Students,
            Operation::Upsert,
        ),
        (
            "student-dashboard/enrollment_deleted",
            Entity::Enrollments,
            Operation::Delete,
        ),
        ("moodle-courses/class", Entity::Classes, Operation::Upsert),
        (
            "moodle-enrol/enrollment",
            Entity::Enrollments,
            Operation::Upsert,
        ),
    ] {
        let bridge = Bridge::new();
        let request = proven(&format!("/api/v1/webhooks/{tail}"))
            .set_payload(format!(r#"{{"zoho_id":"{STUDENT}"}}"#));
        assert_eq!(bridge.send(request).await.status, 202, "{tail}");
        let event = bridge.store.events().remove(0);
        assert_eq!(
            (event.entity, event.operation),
            (entity, operation),
            "{tail}"
        );
    }
}

#[actix_web::test]
async fn the_bodys_module_decides_if_it_is_mapped_else_the_path() {
    for (module, entity) in [
        ("BTEC_Classes", Entity::Classes),
        ("Somebody_Elses", Entity::Students),
    ] {
        let bridge = Bridge::new();
        let body = format!(r#"{{"zoho_id":"{STUDENT}","module":"{module}"}}"#);
        assert_eq!(post(&bridge, &body).await.status, 202);
        assert_eq!(bridge.store.events()[0].entity, entity);
    }
}

#[actix_web::test]
async fn the_operation_is_the_bodys_then_the_querys_then_the_addresss() {
    let deleted = "student-dashboard/student_deleted";
    for (target, word, operation) in [
        (
            format!("{deleted}?op=create"),
            r#","operation":"update""#,
            Operation::Update,
        ),
        (format!("{deleted}?op=create"), "", Operation::Create),
        (deleted.to_owned(), "", Operation::Delete),
        (format!("{deleted}?op=nonsense"), "", Operation::Delete),
        ("students".to_owned(), "", Operation::Upsert),
    ] {
        let bridge = Bridge::new();
        let request = proven(&format!("/api/v1/webhooks/{target}"))
            .set_payload(format!(r#"{{"zoho_id":"{STUDENT}"{word}}}"#));
        assert_eq!(bridge.send(request).await.status, 202);
        assert_eq!(
            bridge.store.events()[0].operation,
            operation,
            "{target} {word}"
        );
    }
}

#[actix_web::test]
async fn a_notice_without_identity_is_coalesced_until_somebody_begins_on_it() {
    let bridge = Bridge::new();
    let body = format!(r#"{{"zoho_id":"{STUDENT}"}}"#);
    let first = taken(&post(&bridge, &body).await);
    assert_eq!((first.0, first.1.as_str()), (202, "accepted"));
    for _ in 0..3 {
        let again = taken(&post(&bridge, &body).await);
        assert_eq!(again, (200, "duplicate".into(), first.2.clone()));
    }
    let other = post(
        &bridge,
        &format!(r#"{{"zoho_id":"{STUDENT}","operation":"delete"}}"#),
    )
    .await;
    assert_eq!(other.status, 202, "another operation is another event");

    begun(&bridge).await;
    let next = taken(&post(&bridge, &body).await);
    assert_eq!((next.0, next.1.as_str()), (202, "accepted"));
    assert_ne!(next.2, first.2);
    assert_eq!(bridge.store.events().len(), 3);
}

#[actix_web::test]
async fn a_senders_identity_is_known_for_seven_days_whatever_was_done_since() {
    let bodies = [
        format!(r#"{{"event_id":"evt-1","record_id":"{STUDENT}"}}"#),
        format!(r#"{{"notification_id":"n-1","record_id":"{STUDENT}"}}"#),
        format!(r#"{{"ids":["{STUDENT}"],"channel_id":"7","server_time":1,"operation":"update"}}"#),
        format!(r#"{{"id":"{STUDENT}","Modified_Time":"{TIME}"}}"#),
        format!(r#"{{"data":[{{"id":"{STUDENT}","Modified_Time":"{TIME}"}}]}}"#),
    ];
    for body in bodies {
        let bridge = Bridge::new();
        let first = taken(&post(&bridge, &body).await);
        begun(&bridge).await;
        bridge
            .clock
            .advance(Duration::days(7) - TimeDelta::seconds(1));
        let again = taken(&post(&bridge, &body).await);
        assert_eq!(again, (200, "duplicate".into(), first.2), "{body}");

        bridge.clock.advance(Duration::seconds(1));
        assert_eq!(post(&bridge, &body).await.status, 202, "{body}");
    }
}

#[actix_web::test]
async fn another_time_operation_or_id_is_another_identity() {
    let bridge = Bridge::new();
    let notice = |ids: &str, operation: &str, time: u32| {
        format!(
            r#"{{"ids":[{ids}],"channel_id":"7","server_time":{time},"operation":"{operation}"}}"#
        )
    };
    let bodies = [
        notice(r#""1","2""#, "update", 1),
        notice(r#""1","2""#, "update", 2),
        notice(r#""1","2""#, "delete", 2),
        notice(r#""1","3""#, "update", 1),
    ];
    for body in &bodies {
        assert_eq!(post(&bridge, body).await.status, 202, "{body}");
    }
    let turned = notice(r#""2","1""#, "update", 1);
    assert_eq!(
        post(&bridge, &turned).await.status,
        200,
        "the order of ids does not matter"
    );
}

#[actix_web::test]
async fn a_notifications_token_is_never_stored() {
    let bridge = Bridge::new();
    let secret = WebhookSecret::new(WEBHOOK_SECRET.into(), None).unwrap();
    let token = secret.channel_token("10001");
    let good = format!(r#"{{"ids":["{STUDENT}"],"channel_id":"10001","token":"{token}"}}"#);
    let bad = format!(r#"{{"ids":["x"],"channel_id":"10001","token":"{token}"}}"#);
    post(&bridge, &good).await;
    post(&bridge, &bad).await;

    for kept in [
        &bridge.store.events()[0].payload,
        &bridge.store.rejected()[0].payload,
    ] {
        assert!(!kept.contains(&token), "{kept}");
        assert!(kept.contains("[token]"), "{kept}");
    }
}
