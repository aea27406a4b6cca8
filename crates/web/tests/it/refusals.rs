//! The order in which a notice is refused (`contracts/bridge.md` §1): each case breaks one rule
//! and every later one, so that the first must win.

use actix_web::{http::Method, test::TestRequest};
use mzi_ports::testing::memory_store::StoreCall;

use crate::bridge::{Bridge, Parts, WEBHOOK_SECRET, request};

const STUDENTS: &str = "/api/v1/webhooks/students";
const LARGEST: usize = 256 * 1024;

/// A POST with the static token.
fn proven(target: &str) -> TestRequest {
    let secret = mzi_application::receive_webhook::WebhookSecret::new(WEBHOOK_SECRET.into(), None);
    let token = secret.unwrap().static_token();
    request(Method::POST, target).insert_header(("X-Webhook-Token", token))
}

/// A POST that is too large, compressed, without proof and unreadable.
fn awful(target: &str) -> TestRequest {
    request(Method::POST, target)
        .insert_header(("Content-Encoding", "gzip"))
        .insert_header(("Content-Type", "image/png"))
        .set_payload("{".repeat(LARGEST + 1))
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[actix_web::test]
async fn an_unknown_path_is_unknown_before_anything_else() {
    let bridge = Bridge::new();
    for target in [
        "/api/v1/webhooks/nobody",
        "/api/v1/webhooks/",
        "/api/v1/webhooks/status",
        "/api/v1/webhooks/test",
        "/api/v1/webhooks/students/",
        "/api/v1/webhooks/STUDENTS",
        "/api/v1/webhooks/%73tudents%2F..",
        "/api/v1/webhooks/%ff%fe",
        "/api/v1/webhooks",
        "/somewhere",
        "/",
    ] {
        let answer = bridge.send(awful(target)).await;
        assert_eq!(answer.problem(), refusal(404, "not_found"), "{target}");
        let answer = bridge.get(target).await;
        assert_eq!(answer.problem(), refusal(404, "not_found"), "GET {target}");
    }
}

#[actix_web::test]
async fn another_method_is_refused_before_the_body_is_looked_at() {
    let bridge = Bridge::new();
    for method in [
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::HEAD,
    ] {
        let answer = bridge.send(awful(STUDENTS).method(method)).await;
        assert_eq!(answer.problem(), refusal(405, "method_not_allowed"));
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[actix_web::test]
async fn a_body_that_announces_too_much_is_refused_before_its_type() {
    let bridge = Bridge::new();
    let request = request(Method::POST, STUDENTS)
        .insert_header(("Content-Encoding", "gzip"))
        .set_payload("x")
        .insert_header(("Content-Length", LARGEST + 1));
    let answer = bridge.send(request).await;
    assert_eq!(answer.problem(), refusal(413, "payload_too_large"));
}

#[actix_web::test]
async fn a_body_that_streams_too_much_is_refused_before_its_type() {
    let bridge = Bridge::new();
    let answer = bridge.stream(awful(STUDENTS)).await;
    assert_eq!(answer.problem(), refusal(413, "payload_too_large"));

    let whole = format!(
        "{{\"zoho_id\":\"900000000000101\",\"x\":\"{}\"}}",
        "y".repeat(LARGEST)
    );
    let answer = bridge.stream(proven(STUDENTS).set_payload(whole)).await;
    assert_eq!(answer.problem(), refusal(413, "payload_too_large"));
}

#[actix_web::test]
async fn the_largest_body_is_taken() {
    let bridge = Bridge::new();
    let frame = r#"{"zoho_id":"900000000000101","x":""}"#;
    let filling = "y".repeat(LARGEST - frame.len());
    let whole = frame.replace("\"\"}", &format!("\"{filling}\"}}"));
    assert_eq!(whole.len(), LARGEST);
    let streamed = proven(STUDENTS).set_payload(whole.clone());
    assert_eq!(bridge.stream(streamed).await.status, 202);
    let announced = proven(STUDENTS).set_payload(whole);
    assert_eq!(bridge.send(announced).await.status, 200, "a repeat");
}

#[actix_web::test]
async fn a_type_or_encoding_is_refused_before_the_proof() {
    let bridge = Bridge::new();
    for (name, value) in [
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "identity"),
        ("Content-Type", "application/xml"),
        ("Content-Type", "image/png"),
        ("Content-Type", "application/jsonx"),
    ] {
        let request = request(Method::POST, STUDENTS).insert_header((name, value));
        let answer = bridge.send(request.set_payload("{")).await;
        assert_eq!(
            answer.problem(),
            refusal(415, "unsupported_media_type"),
            "{name}: {value}"
        );
    }
}

#[actix_web::test]
async fn the_proof_is_looked_at_before_the_body_is_parsed() {
    let bridge = Bridge::new();
    for body in ["{", "{}", r#"{"zoho_id":"x"}"#, "", "\u{0}\u{1}"] {
        let answer = bridge
            .send(request(Method::POST, STUDENTS).set_payload(body))
            .await;
        assert_eq!(answer.problem(), refusal(401, "unauthorised"), "{body:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert!(
        bridge.store.rejected().is_empty(),
        "a stranger's bodies are not kept"
    );
}

#[actix_web::test]
async fn each_fault_of_a_proven_body_has_its_code_and_is_kept() {
    let bridge = Bridge::new();
    let ids: Vec<String> = (1..=1_001).map(|id| format!("\"{id}\"")).collect();
    let many = format!("{{\"ids\":[{}]}}", ids.join(","));
    let cases = [
        ("{\"zoho_id\":", "malformed_body"),
        ("[1]", "malformed_body"),
        (many.as_str(), "malformed_body"),
        ("{}", "no_record_id"),
        ("", "no_record_id"),
        (r#"{"ids":[]}"#, "no_record_id"),
        (
            r#"{"zoho_id":"${!BTEC_Students.Id}"}"#,
            "merge_field_not_substituted",
        ),
        (r#"{"zoho_id":"12ab"}"#, "bad_record_id"),
        (r#"{"zoho_id":"-1"}"#, "bad_record_id"),
    ];
    for (body, code) in &cases {
        let request = proven(STUDENTS).insert_header(("Content-Type", "application/json"));
        let answer = bridge.send(request.set_payload((*body).to_owned())).await;
        assert_eq!(answer.problem(), refusal(400, code), "{body}");
    }
    let kept: Vec<&str> = bridge
        .store
        .rejected()
        .iter()
        .map(|kept| kept.code)
        .collect();
    assert_eq!(kept, cases.map(|(_, code)| code));
    assert!(bridge.store.events().is_empty());
}

#[actix_web::test]
async fn a_fault_of_the_body_is_told_even_when_it_cannot_be_kept() {
    let bridge = Bridge::new();
    bridge.store.fail_next(StoreCall::KeepRejected);
    let answer = bridge.send(proven(STUDENTS).set_payload("{}")).await;
    assert_eq!(answer.problem(), refusal(400, "no_record_id"));
}

#[actix_web::test]
async fn what_cannot_be_stored_is_never_acknowledged() {
    let bridge = Bridge::new();
    let notice = || proven(STUDENTS).set_payload(r#"{"zoho_id":"900000000000101"}"#);
    bridge.store.fail_next(StoreCall::Accept);

    let answer = bridge.send(notice()).await;
    assert_eq!(answer.problem(), refusal(503, "not_stored"));
    assert_eq!(answer.header("retry-after"), Some("5"));

    assert_eq!(bridge.send(notice()).await.status, 202);
}

#[actix_web::test]
async fn without_a_usable_secret_nothing_is_taken_in() {
    let bridge = Bridge::with(Parts {
        webhook_secret: None,
        ..Parts::default()
    });
    let answer = bridge.send(proven(STUDENTS).set_payload("{")).await;
    assert_eq!(answer.problem(), refusal(503, "intake_disabled"));
    let answer = bridge.send(awful(STUDENTS)).await;
    assert_eq!(answer.problem(), refusal(413, "payload_too_large"));
    let answer = bridge.send(awful("/api/v1/webhooks/nobody")).await;
    assert_eq!(answer.problem(), refusal(404, "not_found"));
}

#[actix_web::test]
async fn a_header_sent_twice_is_wrong_if_either_is() {
    let bridge = Bridge::new();
    let request = proven(STUDENTS)
        .append_header(("X-Webhook-Token", "wrong"))
        .set_payload(r#"{"zoho_id":"900000000000101"}"#);
    let answer = bridge.send(request).await;
    assert_eq!(answer.problem(), refusal(401, "unauthorised"));
}
