//! Notification channels.

use chrono::{DateTime, Duration, TimeZone, Utc};
use mzi_ports::{
    Crm, CrmError,
    crm::{Channel, ChannelRequest},
};
use serde_json::{Value, json};
use wiremock::{
    MockBuilder, ResponseTemplate,
    matchers::{body_json, query_param},
};

use crate::world::{MODULE, Zoho, answer, api, ok, refusal};

const CHANNEL: &str = "1000000068001";

fn expiry() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 28, 12, 0, 0).unwrap()
}

fn request() -> ChannelRequest {
    ChannelRequest {
        channel_id: CHANNEL.into(),
        module: MODULE.into(),
        notify_url: "https://bridge.example/api/v1/webhooks/grades".into(),
        token: "proof".into(),
        expires_at: expiry(),
    }
}

fn sent() -> Value {
    json!({"watch": [{
        "channel_id": CHANNEL,
        "events": ["BTEC_Grades.all"],
        "notify_url": "https://bridge.example/api/v1/webhooks/grades",
        "token": "proof",
        "channel_expiry": "2026-11-28T12:00:00+00:00",
        "notify_on_related_action": false,
    }]})
}

fn watch(verb: &str) -> MockBuilder {
    api(verb, "actions/watch")
}

fn kept_until(at: &str) -> Value {
    let event = json!({"channel_expiry": at, "resource_name": MODULE, "channel_id": CHANNEL});
    json!({"watch": [{"code": "SUCCESS", "status": "success", "message": "ok", "details": {"events": [event]}}]})
}

fn not_subscribed() -> Value {
    let details = json!({"channel_id": CHANNEL});
    json!({"watch": [{"code": "NOT_SUBSCRIBED", "status": "error", "message": "not subscribed", "details": details}]})
}

#[tokio::test]
async fn a_channel_that_exists_is_replaced_whole() {
    let zoho = Zoho::start().await;
    let put = watch("PUT").and(body_json(sent()));
    zoho.answers(put, ok(kept_until("2026-11-28T15:00:00+03:00")))
        .await;
    let expected = Channel {
        channel_id: CHANNEL.into(),
        module: MODULE.into(),
        notify_url: Some(request().notify_url),
        expires_at: Some(expiry()),
    };
    assert_eq!(zoho.crm().subscribe(&request()).await, Ok(expected));
}

#[tokio::test]
async fn a_channel_that_does_not_exist_is_created_and_its_real_expiry_believed() {
    for status in [202, 400] {
        let zoho = Zoho::start().await;
        zoho.answers(watch("PUT"), answer(status, not_subscribed()))
            .await;
        let post = watch("POST").and(body_json(sent()));
        zoho.answers(post, answer(201, kept_until("2026-11-22T16:00:00+03:00")))
            .await;
        let kept = zoho.crm().subscribe(&request()).await.unwrap();
        assert_eq!(
            kept.expires_at,
            Some(expiry() - Duration::days(6) + Duration::hours(1))
        );
    }
}

#[tokio::test]
async fn the_reason_why_a_channel_cannot_be_made_is_told() {
    let zoho = Zoho::start().await;
    let details = json!({"api_name": "token", "maximum_length": 50});
    let item = json!({"code": "INVALID_DATA", "status": "error", "message": "invalid data", "details": details});
    let body = json!({"watch": [item]});
    zoho.answers(watch("PUT"), answer(400, body.clone())).await;
    zoho.answers(watch("POST"), answer(400, body)).await;
    let expected = CrmError::Rejected {
        operation: "subscribe to BTEC_Grades".into(),
        code: "INVALID_DATA".into(),
        message: "token: invalid data".into(),
    };
    assert_eq!(zoho.crm().subscribe(&request()).await, Err(expected));
}

#[tokio::test]
async fn without_the_scope_nothing_else_is_tried() {
    let zoho = Zoho::start().await;
    let mismatch = refusal(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope");
    zoho.answers(watch("PUT"), mismatch).await;
    let error = zoho.crm().subscribe(&request()).await.unwrap_err();
    let expected = CrmError::Forbidden {
        operation: "subscribe to BTEC_Grades without the scope ZohoCRM.notifications.ALL".into(),
        code: "OAUTH_SCOPE_MISMATCH".into(),
    };
    assert_eq!(error, expected);
    assert_eq!(zoho.count("/crm/v8/actions/watch").await, 1);
}

#[tokio::test]
async fn all_pages_of_channels_are_read_with_ids_as_text_or_numbers() {
    let zoho = Zoho::start().await;
    let channel = |channel_id: Value| {
        json!({
            "channel_id": channel_id, "resource_name": MODULE, "resource_id": "800", "events": ["BTEC_Grades.all"],
            "channel_expiry": "2026-11-28T15:00:00+03:00", "notify_url": "https://bridge.example/x", "token": "proof",
        })
    };
    let first = json!({"watch": [channel(json!("1"))], "info": {"more_records": true}});
    zoho.answers(watch("GET").and(query_param("page", "1")), ok(first))
        .await;
    let second = json!({"watch": [channel(json!(2))], "info": {"more_records": false}});
    zoho.answers(watch("GET").and(query_param("page", "2")), ok(second))
        .await;

    let channels = zoho.crm().channels().await.unwrap();

    let ids: Vec<_> = channels
        .iter()
        .map(|channel| channel.channel_id.as_str())
        .collect();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(channels[1].expires_at, Some(expiry()));
}

#[tokio::test]
async fn no_channels_at_all_are_an_empty_list() {
    let zoho = Zoho::start().await;
    zoho.answers(watch("GET"), ResponseTemplate::new(204)).await;
    assert_eq!(zoho.crm().channels().await, Ok(Vec::new()));
}

#[tokio::test]
async fn ending_a_channel_that_has_ended_is_no_error() {
    let whole = refusal(400, "NOT_SUBSCRIBED", "not subscribed");
    for gone in [
        answer(202, not_subscribed()),
        answer(400, not_subscribed()),
        whole,
    ] {
        let zoho = Zoho::start().await;
        let delete = watch("DELETE").and(query_param("channel_ids", "1,2"));
        zoho.answers(delete, gone).await;
        let ids = ["1".to_owned(), "2".to_owned()];
        assert_eq!(zoho.crm().unsubscribe(&ids).await, Ok(()));
    }
}

#[tokio::test]
async fn another_refusal_to_end_a_channel_is_an_error() {
    let zoho = Zoho::start().await;
    let item = json!({"code": "INVALID_DATA", "status": "error", "message": "bad", "details": {}});
    zoho.answers(watch("DELETE"), answer(400, json!({"watch": [item]})))
        .await;
    let outcome = zoho.crm().unsubscribe(&["x".to_owned()]).await;
    assert!(
        matches!(outcome, Err(CrmError::Rejected { .. })),
        "{outcome:?}"
    );
}
