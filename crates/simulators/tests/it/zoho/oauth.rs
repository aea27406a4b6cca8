//! Tokens of the accounts server.

use chrono::TimeDelta;
use mzi_simulators::zoho::{ALL_SCOPES, CLIENT_ID, CLIENT_SECRET, Throttle, ZohoOptions};
use reqwest::Method;
use serde_json::json;

use super::support::{Desk, Heard};

async fn exchange(desk: &Desk, code: &str) -> Heard {
    desk.accounts(&[
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("code", code),
    ])
    .await
}

#[tokio::test]
async fn a_grant_code_gives_both_tokens_once() {
    let desk = Desk::open().await;

    let first = exchange(&desk, desk.zoho.grant_code()).await;
    let second = exchange(&desk, desk.zoho.grant_code()).await;

    assert!(first.body["refresh_token"].is_string() && first.body["access_token"].is_string());
    assert_eq!(first.body["expires_in"], 3600);
    assert_eq!(first.body["api_domain"], desk.zoho.base_url());
    assert_eq!(
        (second.status, &second.body),
        (200, &json!({"error": "invalid_code"}))
    );
}

#[tokio::test]
async fn a_scripted_grant_code_expires() {
    let desk = Desk::open().await;
    desk.zoho
        .add_grant_code("1000.second", TimeDelta::minutes(3));
    desk.zoho.advance(TimeDelta::minutes(4));

    assert_eq!(
        exchange(&desk, "1000.second").await.body,
        json!({"error": "invalid_code"})
    );
}

#[tokio::test]
async fn token_errors_have_status_200() {
    let desk = Desk::open().await;
    let refresh = ("refresh_token", desk.zoho.refresh_token());
    let grant = ("grant_type", "refresh_token");
    let (id, secret) = (("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET));
    let cases = [
        (
            vec![grant, id, secret, ("refresh_token", "1000.other")],
            "invalid_code",
        ),
        (
            vec![grant, ("client_id", "1000.other"), secret, refresh],
            "invalid_client",
        ),
        (
            vec![grant, id, ("client_secret", "other"), refresh],
            "invalid_client_secret",
        ),
        (
            vec![("grant_type", "password"), id, secret],
            "unsupported_grant_type",
        ),
    ];

    for (form, error) in cases {
        let heard = desk.accounts(&form).await;
        assert_eq!((heard.status, heard.body), (200, json!({"error": error})));
    }
}

#[tokio::test]
async fn the_refresh_token_is_not_rotated() {
    let desk = Desk::open().await;

    let again = desk.refresh().await;

    assert!(again.body.get("refresh_token").is_none());
    assert_ne!(again.body["access_token"], desk.token.as_str());
}

#[tokio::test]
async fn the_eleventh_token_within_ten_minutes_is_denied_with_status_400() {
    let desk = Desk::open().await;
    for _ in 0..9 {
        assert_eq!(desk.refresh().await.status, 200);
    }

    let denied = desk.refresh().await;
    desk.zoho.advance(TimeDelta::minutes(10));
    let later = desk.refresh().await;

    assert_eq!(
        (denied.status, &denied.body["error"]),
        (400, &json!("Access Denied"))
    );
    assert_eq!(denied.body["status"], "failure");
    assert!(later.body["access_token"].is_string());
}

#[tokio::test]
async fn the_denial_can_have_status_200_too() {
    let options = ZohoOptions {
        throttle: Throttle::AccessDenied,
        tokens_per_ten_minutes: Some(1),
        ..ZohoOptions::default()
    };
    let desk = Desk::with(options).await;

    let denied = desk.refresh().await;

    assert_eq!(
        (denied.status, &denied.body["error"]),
        (200, &json!("Access Denied"))
    );
}

#[tokio::test]
async fn one_living_token_too_many_ends_the_oldest() {
    let desk = Desk::with(ZohoOptions {
        live_tokens: 2,
        ..ZohoOptions::default()
    })
    .await;
    desk.new_token().await;
    assert_eq!(desk.get("org").await.status, 200);

    desk.new_token().await;

    assert_eq!(desk.get("org").await.body["code"], "INVALID_TOKEN");
}

#[tokio::test]
async fn a_token_ends_after_its_hour() {
    let desk = Desk::open().await;
    assert_eq!(desk.get("org").await.status, 200);

    desk.zoho.advance(TimeDelta::seconds(3600));

    let heard = desk.get("org").await;
    assert_eq!(
        (heard.status, &heard.body["code"]),
        (401, &json!("INVALID_TOKEN"))
    );
}

#[tokio::test]
async fn a_call_without_a_usable_header_fails_to_authenticate() {
    let desk = Desk::open().await;
    let bearer = format!("Bearer {}", desk.token);

    for header in ["", "garbled", bearer.as_str()] {
        let heard = desk
            .misuse(Method::GET, "org", &[("authorization", header)], None)
            .await;
        assert_eq!(
            (heard.status, &heard.body["code"]),
            (401, &json!("AUTHENTICATION_FAILURE"))
        );
    }
}

#[tokio::test]
async fn a_missing_scope_is_a_401_of_its_own_and_refreshing_does_not_help() {
    let desk = Desk::open().await;
    desk.zoho.set_scopes(
        "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.bulk.ALL,ZohoFiles.files.ALL",
    );
    let token = format!("Zoho-oauthtoken {}", desk.new_token().await);
    let headers = [("authorization", token.as_str())];

    let list = desk
        .call(Method::GET, "BTEC_Students?fields=Name", &headers, None)
        .await;
    assert_eq!(list.status, 200);
    for target in [
        "actions/watch",
        "BTEC_Students/search?word=a",
        "BTEC_Students/actions/count",
        "org",
    ] {
        let heard = desk.call(Method::GET, target, &headers, None).await;
        assert_eq!(
            (heard.status, &heard.body["code"]),
            (401, &json!("OAUTH_SCOPE_MISMATCH")),
            "{target}"
        );
    }
}

#[tokio::test]
async fn scopes_may_name_one_module_and_one_verb() {
    let desk = Desk::open().await;
    desk.zoho.set_scopes("ZohoCRM.modules.btec_students.READ");
    let token = format!("Zoho-oauthtoken {}", desk.new_token().await);
    let headers = [("authorization", token.as_str())];

    let allowed = desk
        .call(Method::GET, "BTEC_Students?fields=Name", &headers, None)
        .await;
    let other = desk
        .call(Method::GET, "BTEC_Classes?fields=Name", &headers, None)
        .await;
    let body = json!({"data": [{"City": "Oslo"}]});
    let verb = desk
        .call(Method::POST, "BTEC_Students", &headers, Some(body))
        .await;

    assert_eq!((allowed.status, other.status, verb.status), (200, 401, 401));
    assert!(ALL_SCOPES.contains("ZohoCRM.modules.ALL"));
}

#[tokio::test]
async fn a_revoked_refresh_token_ends_its_access_tokens_too() {
    let desk = Desk::open().await;

    let url = format!("{}/oauth/v2/token/revoke", desk.zoho.base_url());
    let form = [("token", desk.zoho.refresh_token())];
    let revoked = desk
        .http
        .post(url)
        .query(&form)
        .send()
        .await
        .expect("an answer");

    assert_eq!(
        revoked.text().await.expect("a body"),
        r#"{"status":"success"}"#
    );
    assert_eq!(desk.refresh().await.body, json!({"error": "invalid_code"}));
    assert_eq!(desk.get("org").await.body["code"], "INVALID_TOKEN");
}

#[tokio::test]
async fn credentials_never_reach_the_log_of_calls() {
    let desk = Desk::open().await;

    let log = serde_json::to_string(&desk.zoho.calls()).expect("a log");

    assert!(log.contains("oauth.token"));
    assert!(!log.contains(CLIENT_SECRET) && !log.contains(desk.zoho.refresh_token()));
    assert!(!log.contains(&desk.token));
}
