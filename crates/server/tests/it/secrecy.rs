//! Secrets and personal data stay where they belong.

use mzi_simulators::faults::{Effect, Fault};
use reqwest::Method;
use serde_json::json;

use crate::harness::{
    Backend, Claims, PLUGIN_SECRET, WEBHOOK_SECRET, World, a_class, a_student, answer, enrol,
    eventually, on_each_database,
};

on_each_database!(no_secret_and_no_personal_value_reaches_log_answers_or_database);

const EMAIL: &str = "canary.address@students.northfield.example";
const PASSWORD: &str = "canary-academic-password";
const PASSPORT: &str = "CANARY-PASSPORT-1";
const NAME: &str = "Canaryname";
/// How every access token of the simulator begins.
const ACCESS_TOKENS: &str = "1000.";

/// A student with everything that must not be seen.
fn a_canary() -> serde_json::Value {
    let mut fields = a_student(1);
    fields["Academic_Email"] = json!(EMAIL);
    fields["Academic_Password"] = json!(PASSWORD);
    fields["Passport_Number"] = json!(PASSPORT);
    fields["Last_Name"] = json!(NAME);
    fields
}

async fn no_secret_and_no_personal_value_reaches_log_answers_or_database(backend: Backend) {
    for level in ["info", "debug"] {
        let mut world = World::new(backend).await.with_channels();
        world.set("LOG_LEVEL", level);
        let bridge = world.start().await;
        let key = world.api_key().await;
        let class = a_class(&world.zoho, "PROG-A");
        let student = world.zoho.insert("BTEC_Students", &a_canary()).unwrap();
        let enrolment = enrol(&world.zoho, &student, &class);
        bridge.notify("BTEC_Enrollments", &enrolment).await;
        let seat = eventually(|| async { world.moodle.enrolments().into_iter().next() });
        let seat = seat.await.expect("no seat");
        bridge
            .student(&world, seat.user_id, "/api/v1/student/profile")
            .await;
        let mut answers = provoke_errors(&world, &class).await;
        answers.push(format!("{:?}", bridge.issues(&key).await));
        assert_eq!(bridge.stop().await, Some(0));

        let log = world.log();
        assert!(log.lines().count() > 5, "{log}");
        let secrets = [
            ACCESS_TOKENS,
            world.zoho.client_secret(),
            world.zoho.refresh_token(),
            world.moodle.token(),
            WEBHOOK_SECRET,
            PLUGIN_SECRET,
            key.as_str(),
        ];
        let token = world.static_token();
        for hidden in secrets
            .iter()
            .chain([&token.as_str(), &EMAIL, &PASSWORD, &PASSPORT, &NAME])
        {
            let line = log.lines().find(|line| line.contains(hidden));
            assert_eq!(line, None, "{hidden} is in the log at {level}");
            let told = answers.iter().find(|answer| answer.contains(hidden));
            assert_eq!(told, None, "{hidden} is in an answer");
        }
        nothing_forbidden_is_stored(&world, &secrets).await;
        nothing_forbidden_was_asked_for(&world);
    }
}

/// Makes as much go wrong as possible; answers what was answered.
async fn provoke_errors(world: &World, class: &str) -> Vec<String> {
    let client = crate::harness::client();
    let url = format!("http://127.0.0.1:{}", world.port.number);
    let mut answers = Vec::new();
    let token = Claims::reading(world.moodle.base_url(), 1, "/api/v1/student/classes").sign();
    let tail = token.rsplit('.').next().unwrap().to_owned();
    for (method, target) in [
        (
            Method::POST,
            format!("/api/v1/webhooks/students?token={WEBHOOK_SECRET}"),
        ),
        (
            Method::POST,
            format!("/api/v1/webhooks/students?token={}", world.static_token()),
        ),
        (Method::GET, "/api/v1/student/profile".to_owned()),
        (
            Method::GET,
            "/api/v1/admin/issues?status=perhaps".to_owned(),
        ),
        (Method::GET, "/nowhere".to_owned()),
        (Method::DELETE, "/health".to_owned()),
    ] {
        let request = client
            .request(method, format!("{url}{target}"))
            .bearer_auth(&token)
            .header("X-Webhook-Token", WEBHOOK_SECRET)
            .body(format!(
                "{{\"zoho_id\":\"{EMAIL}\",\"Academic_Password\":\"{PASSWORD}\"}}"
            ));
        answers.push(answer(request).await.text);
    }
    assert!(
        !world.log().contains(&tail),
        "a token's signature is in the log"
    );
    // Refusals whose messages could quote values.
    world.moodle.fault(Fault::once(
        "core_course_update_courses",
        Effect::TokenRevoked,
    ));
    world.zoho.fault(Fault::once(
        "/crm/v8/BTEC_Classes",
        Effect::Truncate { bytes: 200 },
    ));
    world
        .zoho
        .update("BTEC_Classes", class, &json!({"Class_Name": "Renamed"}))
        .unwrap();
    world.zoho.settle().await;
    answers
}

async fn nothing_forbidden_is_stored(world: &World, secrets: &[&str]) {
    for (table, columns) in [
        ("settings", "name, value, sealed"),
        ("integration_events_log", "payload, code"),
        ("issues", "message, hint"),
        ("work_items", "reason"),
        ("record_history", "changes"),
        ("students", "display_name, national_id, address"),
        ("api_keys", "name, secret_hash"),
    ] {
        let rows = world
            .database
            .rows(&format!("SELECT {columns} FROM {table}"))
            .await;
        let all = format!("{rows:?}");
        for hidden in secrets.iter().chain([&PASSPORT]) {
            assert!(!all.contains(hidden), "{hidden} is in {table}");
        }
    }
    // The password is in the body somebody posted by hand, and only there.
    let history = world
        .database
        .rows("SELECT changes FROM record_history")
        .await;
    assert!(!format!("{history:?}").contains(PASSWORD));
}

fn nothing_forbidden_was_asked_for(world: &World) {
    let calls = world.zoho.calls();
    let reads = calls
        .last
        .iter()
        .filter(|call| call.operation.starts_with("records.") && call.method == "GET");
    let reads: Vec<&str> = reads.map(|call| call.target.as_str()).collect();
    assert!(
        reads.iter().any(|target| target.contains("Academic_Email")),
        "{reads:?}"
    );
    for target in reads {
        let lower = target.to_lowercase();
        assert!(
            !lower.contains("password") && !lower.contains("passport"),
            "{target}"
        );
        // Every read names its fields: a read without would answer all of them.
        assert!(
            lower.contains("fields=") || target.contains("/deleted"),
            "{target}"
        );
    }
}
