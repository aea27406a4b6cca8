//! Opening, changing and closing channels.

use chrono::{DateTime, TimeDelta};
use mzi_simulators::zoho::ZohoOptions;
use serde_json::{Value, json};

use super::support::{Desk, Receiver, watch};

fn expiry(events: &Value) -> i64 {
    let text = events[0]["channel_expiry"].as_str().expect("a time");
    DateTime::parse_from_rfc3339(text)
        .expect("a time")
        .timestamp()
}

#[tokio::test]
async fn a_channel_may_live_a_week_and_a_longer_one_silently_lives_an_hour() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    let now = desk.zoho.now();
    let asked = |days: i64| {
        let until = (now + TimeDelta::days(days))
            .format("%Y-%m-%dT%H:%M:%S+00:00")
            .to_string();
        json!({"channel_expiry": until})
    };

    let week = watch(&desk, &receiver, &["BTEC_Students.all"], asked(6)).await;
    let longer = watch(&desk, &receiver, &["BTEC_Students.all"], asked(8)).await;
    let unasked = watch(&desk, &receiver, &["BTEC_Students.all"], json!({})).await;

    assert_eq!(expiry(&week), (now + TimeDelta::days(6)).timestamp());
    for events in [longer, unasked] {
        assert!(
            (expiry(&events) - now.timestamp() - 3600).abs() <= 5,
            "{events}"
        );
    }
}

#[tokio::test]
async fn put_replaces_and_patch_changes_only_what_is_sent() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    let more = json!({"return_affected_field_values": true});
    watch(
        &desk,
        &receiver,
        &["BTEC_Students.all", "BTEC_Classes.all"],
        more,
    )
    .await;
    let one = |desk: &Desk| desk.zoho.channels()[0].clone();

    let heard = desk
        .patch(
            "actions/watch",
            json!({"watch": [{"channel_id": "10001", "token": "new"}]}),
        )
        .await;
    assert_eq!(
        heard.body["watch"][0]["message"],
        "Successfully updated the subscribe details"
    );
    let patched = one(&desk);
    assert_eq!(
        (&patched["token"], &patched["return_affected_field_values"]),
        (&json!("new"), &json!(true))
    );

    let entry = json!({"channel_id": "10001", "events": ["BTEC_Classes.edit"], "notify_url": receiver.url()});
    desk.put("actions/watch", json!({"watch": [entry]})).await;
    let replaced = one(&desk);
    assert_eq!(
        (&replaced["token"], &replaced["events"]),
        (&Value::Null, &json!(["BTEC_Classes.edit"]))
    );
    assert_eq!(
        (
            &replaced["notify_on_related_action"],
            desk.zoho.channels().len()
        ),
        (&json!(true), 1)
    );
}

#[tokio::test]
async fn events_and_channels_are_removed() {
    let desk = Desk::open().await;
    let receiver = Receiver::open().await;
    watch(
        &desk,
        &receiver,
        &["BTEC_Students.create", "BTEC_Students.edit"],
        json!({}),
    )
    .await;

    let dropped =
        json!({"channel_id": "10001", "events": ["BTEC_Students.edit"], "_delete_events": true});
    let removed = desk
        .patch("actions/watch", json!({"watch": [dropped]}))
        .await;
    let left = desk.zoho.channels()[0]["events"].clone();
    let closed = desk.delete("actions/watch?channel_ids=10001").await;
    let again = desk.delete("actions/watch?channel_ids=10001").await;

    assert_eq!(
        removed.body["watch"][0]["message"],
        "Successfully removed the subscribe details"
    );
    assert_eq!(left, json!(["BTEC_Students.create"]));
    assert_eq!(
        (closed.status, &closed.body["watch"][0]["code"]),
        (200, &json!("SUCCESS"))
    );
    assert_eq!(
        (again.status, &again.body["watch"][0]["code"]),
        (202, &json!("NOT_SUBSCRIBED"))
    );
    assert_eq!(desk.get("actions/watch").await.status, 204);
}

#[tokio::test]
async fn what_is_missing_or_too_long_is_refused_with_202() {
    let desk = Desk::with(ZohoOptions {
        unwatchable_modules: vec!["BTEC_Enrollments".to_owned()],
        ..ZohoOptions::default()
    })
    .await;
    let entry = |key: &str, value: Value| {
        let mut entry = json!({"channel_id": "1", "events": ["BTEC_Students.all"], "notify_url": "https://b.example/"});
        entry[key] = value;
        json!({"watch": [entry]})
    };
    let cases = [
        ("channel_id", Value::Null, "MANDATORY_NOT_FOUND"),
        ("events", Value::Null, "MANDATORY_NOT_FOUND"),
        ("notify_url", json!("not a url"), "INVALID_DATA"),
        ("token", json!("x".repeat(51)), "INVALID_DATA"),
        ("events", json!(["Nothing.all"]), "INVALID_DATA"),
        ("events", json!(["BTEC_Enrollments.all"]), "INVALID_DATA"),
    ];

    for (key, value, code) in cases {
        let heard = desk
            .misuse(
                reqwest::Method::POST,
                "actions/watch",
                &[],
                Some(entry(key, value)),
            )
            .await;
        assert_eq!(
            (heard.status, &heard.body["watch"][0]["code"]),
            (202, &json!(code)),
            "{key}"
        );
        assert_eq!(heard.body["watch"][0]["details"]["api_name"], key);
    }
    let heard = desk
        .misuse(reqwest::Method::DELETE, "actions/watch", &[], None)
        .await;
    assert_eq!(
        (heard.status, &heard.body["code"]),
        (400, &json!("REQUIRED_PARAM_MISSING"))
    );
}
