//! Credits and concurrency.

use chrono::TimeDelta;
use futures_util::future::join_all;
use mzi_simulators::{
    faults::{Effect, Fault},
    zoho::{Edition, Limits, ZohoOptions},
};
use serde_json::json;

use super::support::Desk;

async fn limited(limits: Limits) -> Desk {
    Desk::with(ZohoOptions {
        students: 20,
        limits,
        ..ZohoOptions::default()
    })
    .await
}

#[tokio::test]
async fn one_call_too_many_at_once_is_429() {
    let desk = limited(Limits {
        concurrent: 3,
        ..Limits::default()
    })
    .await;
    desk.zoho.fault(Fault::always(Effect::Latency { ms: 200 }));

    let statuses = join_all((0..5).map(|_| desk.get("org"))).await;

    let mut statuses: Vec<u16> = statuses.iter().map(|heard| heard.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(desk.get("org").await.status, 200);
}

#[tokio::test]
async fn heavy_calls_have_a_limit_of_their_own() {
    let desk = limited(Limits {
        concurrent_heavy: 1,
        ..Limits::default()
    })
    .await;
    desk.zoho.fault(Fault::always(Effect::Latency { ms: 200 }));

    let (first, second, light) = tokio::join!(
        desk.get("BTEC_Students?fields=Name&sort_by=Modified_Time"),
        desk.get("BTEC_Students?fields=Name&sort_by=Modified_Time"),
        desk.get("BTEC_Students?fields=Name"),
    );

    let mut heavy = [first.status, second.status];
    heavy.sort_unstable();
    assert_eq!((heavy, light.status), ([200, 429], 200));
}

#[tokio::test]
async fn credits_run_out_are_announced_from_half_and_come_back_after_a_day() {
    let desk = limited(Limits {
        credits: 4,
        ..Limits::default()
    })
    .await;
    let left = |heard: &super::support::Heard| {
        let header = heard.headers.get("x-api-credits-remaining")?;
        Some(header.to_str().expect("text").to_owned())
    };

    let first = desk.get("org").await;
    let second = desk.get("org").await;
    assert_eq!((left(&first), left(&second)), (None, Some("2".to_owned())));
    desk.get("BTEC_Students/deleted").await;
    let refused = desk.get("org").await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (429, &json!("TOO_MANY_REQUESTS"))
    );
    assert!(refused.headers.get("retry-after").is_none());

    desk.zoho.advance(TimeDelta::hours(25));
    let bearer = format!("Zoho-oauthtoken {}", desk.new_token().await);
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(
        desk.call(reqwest::Method::GET, "org", &headers, None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_write_costs_a_credit_per_ten_records() {
    let desk = limited(Limits {
        credits: 12,
        ..Limits::default()
    })
    .await;
    let records: Vec<_> = (0..95).map(|_| json!({"City": "Rome"})).collect();

    let heard = desk.post("BTEC_Students", json!({"data": records})).await;

    assert_eq!(heard.status, 201);
    assert_eq!(heard.headers["x-api-credits-remaining"], "2");
}

#[test]
fn editions_have_their_published_limits() {
    assert_eq!(Limits::of_edition(Edition::Free, 3).credits, 5_000);
    assert_eq!(
        Limits::of_edition(Edition::Standard, 1_000).credits,
        100_000
    );
    let enterprise = Limits::of_edition(Edition::Enterprise, 10);
    assert_eq!(
        (
            enterprise.credits,
            enterprise.concurrent,
            enterprise.concurrent_heavy
        ),
        (60_000, 20, 10)
    );
}
