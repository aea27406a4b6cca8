//! API keys, and the issues they read.

use chrono::{Duration, TimeDelta};
use mzi_domain::{Entity, Issue, IssueCode, Lane, WorkKey, ZohoId, role::Role};
use mzi_ports::{
    ledger::{Effects, Verdict},
    testing::memory_store::StoreCall,
};
use serde_json::{Value, json};

use crate::bridge::Bridge;

const ISSUES: &str = "/api/v1/admin/issues";

/// Work of this student stopped for want of an address.
async fn stops(bridge: &Bridge, number: u64) {
    let id = ZohoId::parse(&format!("{}", 900_000_000_000_000 + number)).unwrap();
    let issue = Issue::new(IssueCode::MissingEmail, "No address.").about("academic_email");
    let key = WorkKey::new(Lane::Refresh(Entity::Students), id);
    bridge
        .does(
            key,
            Verdict::Stopped { issue, on: None },
            Effects::default(),
        )
        .await;
}

async fn listed(bridge: &Bridge, key: &str, query: &str) -> Value {
    let answer = bridge.get_as(key, &format!("{ISSUES}{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

#[actix_web::test]
async fn an_issue_has_this_shape() {
    let bridge = Bridge::new();
    let key = bridge.key(Role::Admin).await;
    stops(&bridge, 101).await;
    bridge.clock.advance(Duration::minutes(1));
    stops(&bridge, 101).await;

    let list = listed(&bridge, &key, "?status=open").await;

    assert_eq!(
        list,
        json!({
            "items": [{
                "id": list["items"][0]["id"].as_str().unwrap(),
                "fingerprint": "refresh:students/missing_email/academic_email",
                "entity": "students",
                "zoho_id": "900000000000101",
                "operation": "refresh:students",
                "code": "missing_email",
                "message": "No address.",
                "hint": "Fill in the student's e-mail address in Zoho.",
                "count": 2,
                "first_seen": "2026-11-22T12:00:00Z",
                "last_seen": "2026-11-22T12:01:00Z",
            }],
            "next_cursor": null,
        })
    );
}

#[actix_web::test]
async fn issues_are_filtered_by_status() {
    let bridge = Bridge::new();
    let key = bridge.key(Role::Viewer).await;
    stops(&bridge, 101).await;
    stops(&bridge, 102).await;
    let id = ZohoId::parse("900000000000102").unwrap();
    let done = WorkKey::new(Lane::Refresh(Entity::Students), id);
    bridge.does(done, Verdict::Done, Effects::default()).await;

    for (query, count) in [
        ("", 1),
        ("?status=open", 1),
        ("?status=resolved", 1),
        ("?status=all", 2),
    ] {
        let list = listed(&bridge, &key, query).await;
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{query}");
    }
}

#[actix_web::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let bridge = Bridge::new();
    let key = bridge.key(Role::Operator).await;
    for number in 101..=105 {
        stops(&bridge, number).await;
    }
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let list = listed(&bridge, &key, &query).await;
        let items = list["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(
            items
                .iter()
                .map(|item| item["zoho_id"].as_str().unwrap().to_owned()),
        );
        match list["next_cursor"].as_str() {
            Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    let newest_first: Vec<String> = (101..=105)
        .rev()
        .map(|number| (900_000_000_000_000_u64 + number).to_string())
        .collect();
    assert_eq!(seen, newest_first);
}

#[actix_web::test]
async fn a_parameter_that_does_not_fit_is_named_so() {
    let bridge = Bridge::new();
    let key = bridge.key(Role::Admin).await;
    for query in ["?status=perhaps", "?limit=many", "?limit=-1"] {
        let answer = bridge.get_as(&key, &format!("{ISSUES}{query}")).await;
        assert_eq!(answer.problem(), (400, "bad_parameter".into()), "{query}");
    }
    let answer = bridge.get(&format!("{ISSUES}?limit=many")).await;
    assert_eq!(
        answer.problem(),
        (401, "unauthorised".into()),
        "strangers first"
    );
}

#[actix_web::test]
async fn a_key_works_until_it_ends_or_is_revoked() {
    let bridge = Bridge::new();
    let (key, id) = bridge.key_for(Duration::hours(1)).await;
    assert_eq!(bridge.get_as(&key, ISSUES).await.status, 200);

    bridge
        .clock
        .advance(Duration::hours(1) - TimeDelta::seconds(1));
    assert_eq!(bridge.get_as(&key, ISSUES).await.status, 200);
    bridge.clock.advance(Duration::seconds(1));
    assert_eq!(
        bridge.get_as(&key, ISSUES).await.problem(),
        (401, "unauthorised".into())
    );

    let (other, other_id) = bridge.key_for(Duration::days(1)).await;
    bridge.revoke(&other_id).await;
    assert_eq!(bridge.get_as(&other, ISSUES).await.status, 401);
    assert_ne!(id, other_id);
}

#[actix_web::test]
async fn only_the_whole_key_is_a_key() {
    let bridge = Bridge::new();
    let key = bridge.key(Role::Admin).await;
    let (_, another) = bridge.key_for(Duration::days(1)).await;
    let secret = key.rsplit_once('_').map_or("", |(_, secret)| secret);
    let wrong = [
        String::new(),
        key.to_uppercase(),
        key.trim_start_matches("mzik_").to_owned(),
        format!("{key}x"),
        key[..key.len() - 1].to_owned(),
        format!("mzik_{another}_{secret}"),
        "mzik__".to_owned(),
        "mzik_".to_owned(),
        format!("{key} {key}"),
    ];
    for token in wrong {
        let answer = bridge.get_as(&token, ISSUES).await;
        assert_eq!(answer.problem(), (401, "unauthorised".into()), "{token}");
    }
    assert_eq!(bridge.get_as(&key, ISSUES).await.status, 200);
}

#[actix_web::test]
async fn a_store_that_fails_is_no_refusal_of_the_key() {
    let bridge = Bridge::new();
    let key = bridge.key(Role::Admin).await;
    bridge.store.fail_next(StoreCall::Values);
    let answer = bridge.get_as(&key, ISSUES).await;
    assert_eq!(answer.problem(), (503, "not_stored".into()));
}
