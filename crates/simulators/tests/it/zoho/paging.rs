//! Paging through lists.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use mzi_simulators::zoho::ZohoOptions;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::Desk;

async fn large() -> Desk {
    Desk::with(ZohoOptions {
        students: 2100,
        ..ZohoOptions::default()
    })
    .await
}

fn ids(items: &[Value]) -> impl Iterator<Item = String> {
    items
        .iter()
        .map(|item| item["id"].as_str().expect("an id").to_owned())
}

#[tokio::test]
async fn the_newest_records_come_first_unless_asked_otherwise() {
    let desk = Desk::open().await;
    let mut rising = desk.zoho.ids("BTEC_Students");

    let ascending = desk.get("BTEC_Students?fields=Name&sort_order=asc").await;
    let descending = desk.get("BTEC_Students?fields=Name").await;

    assert_eq!(ids(ascending.items()).collect::<Vec<_>>(), rising);
    rising.reverse();
    assert_eq!(ids(descending.items()).collect::<Vec<_>>(), rising);
    assert_eq!(descending.body["info"]["sort_by"], "id");
    assert_eq!(descending.body["info"]["more_records"], false);
}

#[tokio::test]
async fn page_numbers_end_at_two_thousand_records() {
    let desk = large().await;

    let last = desk.get("BTEC_Students?fields=Name&page=10").await;
    let beyond = desk.get("BTEC_Students?fields=Name&page=11").await;

    assert_eq!(
        (last.items().len(), &last.body["info"]["more_records"]),
        (200, &json!(true))
    );
    assert_eq!(
        (beyond.status, &beyond.body["code"]),
        (400, &json!("DISCRETE_PAGINATION_LIMIT_EXCEEDED"))
    );
}

#[tokio::test]
async fn page_tokens_reach_every_record_once() {
    let desk = large().await;
    for sorting in [
        "",
        "&sort_by=Modified_Time&sort_order=asc",
        "&sort_by=Created_Time",
    ] {
        let target = format!("BTEC_Students?fields=Name{sorting}");
        let mut page = desk.get(&target).await;
        let mut seen: Vec<String> = ids(page.items()).collect();
        while let Some(token) = page.body["info"]["next_page_token"].as_str() {
            page = desk.get(&format!("{target}&page_token={token}")).await;
            seen.extend(ids(page.items()));
        }

        assert_eq!(seen.len(), 2100, "{sorting}");
        assert_eq!(
            seen.into_iter().collect::<BTreeSet<_>>().len(),
            2100,
            "{sorting}"
        );
    }
}

#[tokio::test]
async fn a_page_token_is_bound_to_its_parameters() {
    let desk = Desk::open().await;
    let page = desk.get("BTEC_Students?fields=Name&per_page=5").await;
    let token = page.body["info"]["next_page_token"]
        .as_str()
        .expect("a token");

    let other = desk
        .get(&format!(
            "BTEC_Students?fields=City&per_page=5&page_token={token}"
        ))
        .await;
    let module = desk
        .get(&format!(
            "BTEC_Classes?fields=Name&per_page=5&page_token={token}"
        ))
        .await;

    assert_eq!(
        (other.status, &other.body["code"]),
        (400, &json!("TOKEN_BOUND_DATA_MISMATCH"))
    );
    assert_eq!(module.body["code"], "TOKEN_BOUND_DATA_MISMATCH");
}

#[tokio::test]
async fn a_page_token_lives_for_a_day() {
    let desk = Desk::open().await;
    let page = desk.get("BTEC_Students?fields=Name&per_page=5").await;
    let token = page.body["info"]["next_page_token"]
        .as_str()
        .expect("a token")
        .to_owned();

    desk.zoho.advance(TimeDelta::hours(25));
    let bearer = format!("Zoho-oauthtoken {}", desk.new_token().await);
    let target = format!("BTEC_Students?fields=Name&per_page=5&page_token={token}");
    let late = desk
        .call(Method::GET, &target, &[("authorization", &bearer)], None)
        .await;

    assert_eq!(
        (late.status, &late.body["code"]),
        (400, &json!("EXPIRED_VALUE"))
    );
}

#[tokio::test]
async fn a_page_and_a_token_together_are_ambiguous() {
    let desk = Desk::open().await;
    let page = desk.get("BTEC_Students?fields=Name&per_page=5").await;
    let token = page.body["info"]["next_page_token"]
        .as_str()
        .expect("a token");

    let heard = desk
        .get(&format!(
            "BTEC_Students?fields=Name&per_page=5&page=2&page_token={token}"
        ))
        .await;

    assert_eq!(
        (heard.status, &heard.body["code"]),
        (400, &json!("AMBIGUITY_DURING_PROCESSING"))
    );
}

#[tokio::test]
async fn page_tokens_end_at_a_hundred_thousand_records() {
    let desk = Desk::open().await;
    let page = desk.get("BTEC_Students?fields=Name&per_page=5").await;
    let token = page.body["info"]["next_page_token"]
        .as_str()
        .expect("a token");
    // As many pages later; making 100 000 records for it would only be slower.
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[3] = "20001";

    let heard = desk
        .get(&format!(
            "BTEC_Students?fields=Name&per_page=5&page_token={}",
            parts.join(".")
        ))
        .await;

    assert_eq!(
        (heard.status, &heard.body["code"]),
        (400, &json!("PAGINATION_LIMIT_EXCEEDED"))
    );
}

#[tokio::test]
async fn a_page_holds_two_hundred_records_at_most() {
    let desk = Desk::open().await;

    let heard = desk.get("BTEC_Students?fields=Name&per_page=201").await;

    assert_eq!(
        (heard.status, &heard.body["code"]),
        (400, &json!("INVALID_DATA"))
    );
}
