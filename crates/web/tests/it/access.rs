//! Who may call what: every operation of the OpenAPI document, and the addresses beside it.
//!
//! An operation that is missing from the table fails the test, so that nothing becomes public by
//! being forgotten.

use std::collections::BTreeSet;

use actix_web::http::Method;
use mzi_domain::role::Role;

use crate::{
    bridge::{Bridge, bearing, request},
    tokens::token,
};

/// An operation, and the status each caller gets.
struct Row {
    method: &'static str,
    path: &'static str,
    nobody: u16,
    api_key: u16,
    student: u16,
}

const fn row(
    method: &'static str,
    path: &'static str,
    [nobody, api_key, student]: [u16; 3],
) -> Row {
    Row {
        method,
        path,
        nobody,
        api_key,
        student,
    }
}

/// What the document describes.
const TABLE: &[Row] = &[
    row("get", "/health", [200, 200, 200]),
    row("get", "/health/live", [200, 200, 200]),
    row("get", "/health/ready", [200, 200, 200]),
    row("get", "/metrics", [401, 200, 401]),
    row("post", "/api/v1/webhooks/{tail}", [401, 401, 401]),
    row("get", "/api/v1/student/link", [401, 401, 200]),
    row("get", "/api/v1/student/profile", [401, 401, 404]),
    row("get", "/api/v1/student/classes", [401, 401, 404]),
    row("get", "/api/v1/admin/issues", [401, 200, 401]),
];

/// What it does not.
const BESIDE: &[Row] = &[
    row("get", "/api/v1/health", [200, 200, 200]),
    row("get", "/api/v1/openapi.json", [200, 200, 200]),
];

/// Every operation of the document as `get /path`.
fn described() -> BTreeSet<String> {
    let document: serde_json::Value =
        serde_json::from_str(&mzi_web::openapi::json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods
                .filter(|name| name.parse::<Method>().is_ok())
                .map(move |name| format!("{name} {path}"))
        })
        .collect()
}

#[test]
fn every_described_operation_is_in_the_table_and_no_other() {
    let table: BTreeSet<String> = TABLE
        .iter()
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    assert_eq!(described(), table);
}

#[actix_web::test]
async fn everybody_gets_what_the_table_says() {
    for row in TABLE.iter().chain(BESIDE) {
        let path = row.path.replace("{tail}", "students");
        let method: Method = row.method.to_uppercase().parse().unwrap();
        for role in Role::ALL {
            let bridge = Bridge::new();
            let key = bridge.key(role).await;
            let callers = [
                ("nobody", None, row.nobody),
                ("an API key", Some(key), row.api_key),
                ("a student", Some(token(42, &path)), row.student),
            ];
            for (who, bearer, expected) in callers {
                let mut call = request(method.clone(), &path);
                if let Some(bearer) = bearer {
                    call = bearing(call, &bearer);
                }
                let answer = bridge.send(call).await;
                assert_eq!(answer.status, expected, "{who} {} {path}", row.method);
                if expected == 401 {
                    answer.problem();
                }
            }
        }
    }
}

#[actix_web::test]
async fn another_method_is_told_which_ones_there_are() {
    let bridge = Bridge::new();
    for row in TABLE.iter().chain(BESIDE).filter(|row| row.method == "get") {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = bridge.send(request(method.clone(), row.path)).await;
            assert_eq!(answer.problem().0, 405, "{method} {}", row.path);
            assert_eq!(
                answer.header("allow"),
                Some("GET, HEAD"),
                "{method} {}",
                row.path
            );
        }
    }
}

#[actix_web::test]
async fn what_can_be_read_can_be_asked_for_by_head() {
    let bridge = Bridge::new();
    for path in [
        "/health",
        "/health/live",
        "/health/ready",
        "/api/v1/openapi.json",
    ] {
        let answer = bridge.send(request(Method::HEAD, path)).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    assert_eq!(
        bridge.send(request(Method::HEAD, "/metrics")).await.status,
        401
    );
}
