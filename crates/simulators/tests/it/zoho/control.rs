//! The control interface, as a shell uses it.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::Desk;

async fn control(desk: &Desk, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_control/{path}", desk.zoho.base_url());
    let mut request = desk.http.request(method, url);
    if !body.is_null() {
        request = request.body(body.to_string());
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or_default(),
    )
}

#[tokio::test]
async fn records_are_made_changed_deleted_and_restored() {
    let desk = Desk::open().await;

    let (status, made) = control(
        &desk,
        Method::POST,
        "records/BTEC_Students",
        json!({"City": "Rome"}),
    )
    .await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let path = format!("records/BTEC_Students/{id}");
    let changed = control(&desk, Method::PUT, &path, json!({"City": "Oslo"})).await;
    let read = control(&desk, Method::GET, &path, Value::Null).await;

    assert_eq!((status, changed.0), (201, 204));
    assert_eq!(
        (&read.1["City"], &read.1["Modified_By"]["name"]),
        (&json!("Oslo"), &json!("Rana Registrar"))
    );
    assert_eq!(
        control(&desk, Method::DELETE, &path, Value::Null).await.0,
        204
    );
    assert_eq!(control(&desk, Method::GET, &path, Value::Null).await.0, 400);
    assert_eq!(
        control(&desk, Method::POST, &format!("{path}/restore"), Value::Null)
            .await
            .0,
        204
    );
    let listed = control(&desk, Method::GET, "records/BTEC_Students", Value::Null)
        .await
        .1;
    assert_eq!(listed["count"], 31);
}

#[tokio::test]
async fn faults_are_scripted_listed_and_cleared() {
    let desk = Desk::open().await;
    let body = json!({"code": "INTERNAL_ERROR", "details": {}, "message": "", "status": "error"});
    let fault = json!({"when": {"contains": "/org", "times": 1}, "effect": {"kind": "status", "code": 502, "body": body}});

    assert_eq!(control(&desk, Method::POST, "faults", fault).await.0, 204);
    assert_eq!(desk.get("org").await.status, 502);
    let listed = control(&desk, Method::GET, "faults", Value::Null).await.1;
    assert_eq!(listed["faults"][0]["met"], 1);
    assert_eq!(
        control(&desk, Method::DELETE, "faults", Value::Null)
            .await
            .0,
        204
    );
    let listed = control(&desk, Method::GET, "faults", Value::Null).await.1;
    assert_eq!(listed["faults"], json!([]));
}

#[tokio::test]
async fn a_mistyped_fault_is_refused_with_the_mistake() {
    let desk = Desk::open().await;
    let fault = json!({"when": {"contain": "/org"}, "effect": {"kind": "reset_before"}});

    let (status, body) = control(&desk, Method::POST, "faults", fault).await;

    assert_eq!(status, 400);
    assert!(
        body["details"]["reason"]
            .as_str()
            .expect("a reason")
            .contains("contain"),
        "{body}"
    );
}

#[tokio::test]
async fn the_clock_is_moved_and_tokens_end() {
    let desk = Desk::open().await;

    let (_, clock) = control(
        &desk,
        Method::POST,
        "clock",
        json!({"advance_seconds": 7200}),
    )
    .await;

    assert_eq!(clock["offset_seconds"], 7200);
    let refused = desk.get("org").await;
    assert_eq!(refused.status, 401);
    let date = refused.headers["date"].to_str().expect("text").to_owned();
    let date = chrono::DateTime::parse_from_rfc2822(&date).expect("a date");
    assert!((desk.zoho.now() - date.to_utc()).num_seconds() <= 5);
    control(&desk, Method::POST, "clock", json!({"offset_seconds": 0})).await;
    assert_eq!(desk.get("org").await.status, 200);
    control(&desk, Method::POST, "tokens", json!("end_access_tokens")).await;
    assert_eq!(desk.get("org").await.status, 401);
}

#[tokio::test]
async fn tokens_codes_and_scopes_are_scripted() {
    let desk = Desk::open().await;
    let token = desk.zoho.refresh_token();

    assert_eq!(
        control(&desk, Method::POST, "tokens", json!({"revoke": token}))
            .await
            .0,
        204
    );
    assert_eq!(desk.refresh().await.body, json!({"error": "invalid_code"}));
    control(&desk, Method::POST, "tokens", json!({"allow": token})).await;
    control(
        &desk,
        Method::POST,
        "tokens",
        json!({"set_scopes": "ZohoCRM.org.READ"}),
    )
    .await;
    assert_eq!(desk.refresh().await.body["scope"], "ZohoCRM.org.READ");
    assert_eq!(
        control(
            &desk,
            Method::POST,
            "tokens",
            json!({"add_code": "1000.new"})
        )
        .await
        .0,
        204
    );
}

#[tokio::test]
async fn credentials_calls_and_fields_are_within_reach() {
    let desk = Desk::open().await;

    let (_, credentials) = control(&desk, Method::GET, "credentials", Value::Null).await;
    let (_, calls) = control(&desk, Method::GET, "calls", Value::Null).await;
    let altered = control(
        &desk,
        Method::PATCH,
        "fields/BTEC_Classes/Moodle_Class_ID",
        json!({"unique": true}),
    )
    .await;

    assert_eq!(credentials["base_url"], desk.zoho.base_url());
    assert_eq!(calls["by_operation"]["oauth.token"], 1);
    assert_eq!(altered.0, 204);
}
