//! Problems: one code each, one shape, and the request's id in every one.

use std::collections::BTreeSet;

use actix_web::http::Method;
use mzi_web::problem::Problem;

use crate::bridge::{Bridge, request};

#[test]
fn every_problem_has_its_own_code() {
    let codes: BTreeSet<&str> = Problem::ALL.iter().map(|problem| problem.code()).collect();
    assert_eq!(codes.len(), Problem::ALL.len());
    for code in codes {
        let plain = code
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(plain, "{code}");
    }
}

#[test]
fn the_catalogue_is_this() {
    use actix_web::ResponseError;
    let lines = Problem::ALL.iter().map(|problem| {
        format!(
            "{} {} {}",
            problem.status_code().as_u16(),
            problem.code(),
            problem.title()
        )
    });
    insta::assert_snapshot!("problems", lines.collect::<Vec<_>>().join("\n"));
}

#[actix_web::test]
async fn a_problem_names_the_request_it_answers() {
    let bridge = Bridge::new();
    let answer = bridge.get("/somewhere").await;
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(
        answer.json(),
        serde_json::json!({
            "type": "/problems/not_found",
            "title": "There is nothing at this address.",
            "status": 404,
            "code": "not_found",
            "detail": null,
            "instance": id,
        })
    );
    assert_ne!(
        bridge.get("/somewhere").await.header("x-request-id"),
        Some(id)
    );
}

#[actix_web::test]
async fn a_harmless_id_of_the_senders_is_kept() {
    let bridge = Bridge::new();
    for id in ["0123abcd", "5f0c2f8e-1111-4222-8333-444455556666"] {
        let asked = request(Method::GET, "/somewhere").insert_header(("X-Request-Id", id));
        let answer = bridge.send(asked).await;
        assert_eq!(answer.header("x-request-id"), Some(id));
        assert_eq!(answer.json()["instance"], id);
    }
}

#[actix_web::test]
async fn a_strange_id_of_the_senders_is_replaced() {
    let bridge = Bridge::new();
    let long = "a".repeat(65);
    for id in [
        "short",
        "with space in it",
        "semi;colon;id",
        "<script>alert</script>",
        &long,
    ] {
        let asked = request(Method::GET, "/somewhere").insert_header(("X-Request-Id", id));
        let answer = bridge.send(asked).await;
        assert_ne!(answer.header("x-request-id"), Some(id));
        answer.problem();
    }
}

#[actix_web::test]
async fn good_answers_carry_their_id_too() {
    let answer = Bridge::new().get("/health").await;
    assert!(
        answer
            .header("x-request-id")
            .is_some_and(|id| id.len() >= 8)
    );
}
