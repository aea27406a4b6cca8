//! The control interface over HTTP.

use mzi_simulators::moodle::MoodleSimulator;
use serde_json::{Value, json};

use super::client::{Received, call, demo_site, send};

const SITE_INFO: &str = "core_webservice_get_site_info";

async fn control(site: &MoodleSimulator, method: &str, path: &str, body: Value) -> Received {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    send(
        site,
        method,
        &format!("/_control/{path}"),
        "application/json",
        &body,
    )
    .await
}

#[tokio::test]
async fn what_is_added_is_in_the_state_and_answers_to_moodle() {
    let site = demo_site().await;
    let category = control(&site, "POST", "categories", json!({"name": "Arts"}))
        .await
        .json();
    let course =
        json!({"fullname": "Drawing", "shortname": "ART-1", "category_id": category["id"]});
    let course = control(&site, "POST", "courses", course).await.json();
    let user = json!({"username": "nadia", "email": "nadia@x.example"});
    let user = control(&site, "POST", "users", user).await.json();
    let enrolment = json!({"course_id": course["id"], "user_id": user["id"], "roles": [5]});
    control(&site, "POST", "enrolments", enrolment).await;

    let state = control(&site, "GET", "state", Value::Null).await.json();
    let id = user["id"].to_string();
    let courses = call(&site, "core_enrol_get_users_courses", &[("userid", &id)])
        .await
        .json();

    assert_eq!(
        state["users"].as_array().unwrap().last().unwrap()["username"],
        "nadia"
    );
    assert_eq!(courses[0]["shortname"], "ART-1");
}

#[tokio::test]
async fn a_change_touches_the_keys_sent_only() {
    let site = demo_site().await;
    let before = site.user_named("student01").unwrap();

    control(
        &site,
        "POST",
        &format!("users/{}", before.id),
        json!({"suspended": true}),
    )
    .await;
    control(&site, "POST", "courses/2", json!({"visible": false})).await;

    let after = site.user(before.id).unwrap();
    assert_eq!((after.suspended, after.email), (true, before.email));
    assert!(!site.course(2).unwrap().visible);
}

#[tokio::test]
async fn faults_are_scripted_listed_and_cleared() {
    let site = demo_site().await;
    let fault = json!({"when": {"contains": "site_info"}, "effect": {"kind": "token_revoked"}});
    control(&site, "POST", "faults", fault).await;

    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "invalidtoken"
    );
    let listed = control(&site, "GET", "faults", Value::Null).await.json();
    assert_eq!(listed[0]["met"], 1);
    control(&site, "DELETE", "faults", Value::Null).await;
    assert_eq!(call(&site, SITE_INFO, &[]).await.errorcode(), "");

    let calls = control(&site, "GET", "calls", Value::Null).await.json();
    assert_eq!(calls["by_operation"][SITE_INFO], 2);
}

#[tokio::test]
async fn rights_and_tokens_are_taken_away() {
    let site = demo_site().await;
    let no_users = json!({"capability": "moodle/user:viewdetails", "granted": false});
    control(&site, "POST", "rights", no_users).await;
    let found = call(
        &site,
        "core_user_get_users_by_field",
        &[("field", "id"), ("values[0]", "2")],
    );
    assert_eq!(found.await.body, "[]");

    let no_function = json!({"function": "core_user_get_users_by_field", "granted": false});
    control(&site, "POST", "rights", no_function).await;
    let refused = call(&site, "core_user_get_users_by_field", &[]).await;
    assert_eq!(refused.errorcode(), "accessexception");

    control(&site, "POST", "tokens/revoke", Value::Null).await;
    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "invalidtoken"
    );
}

#[tokio::test]
async fn the_site_is_renamed_moved_and_closed() {
    let site = demo_site().await;
    let change = json!({"name": "Elsewhere", "url": "https://x.example", "version": "4.5"});
    control(&site, "POST", "site", change).await;

    let info = call(&site, SITE_INFO, &[]).await.json();
    assert_eq!(
        (&info["sitename"], &info["siteurl"]),
        (&json!("Elsewhere"), &json!("https://x.example"))
    );
    assert_eq!(info["version"], "2024100706");

    control(&site, "POST", "site", json!({"mode": "maintenance"})).await;
    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "sitemaintenance"
    );
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let site = demo_site().await;

    assert_eq!(
        control(&site, "POST", "users", json!({"username": "admin"}))
            .await
            .status,
        409
    );
    assert_eq!(
        control(&site, "POST", "site", json!({"nosuch": 1}))
            .await
            .status,
        400
    );
    assert_eq!(
        control(&site, "POST", "users/99999", json!({}))
            .await
            .status,
        404
    );
    assert_eq!(
        control(&site, "GET", "nosuch", Value::Null).await.status,
        404
    );
    assert_eq!(send(&site, "GET", "/elsewhere", "", "").await.status, 404);
}
