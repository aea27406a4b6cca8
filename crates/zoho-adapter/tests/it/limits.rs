//! What the client allows itself.

use std::time::Duration;

use futures_util::future::join_all;
use mzi_ports::{
    Crm, CrmError,
    crm::{Page, PageRequest, RecordWrite, WriteMode},
};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::world::{MODULE, Zoho, answer, api, id, millis, modules, names, no_modules, ok};

fn walk() -> PageRequest {
    PageRequest {
        module: MODULE.into(),
        fields: names(&["Name"]),
        modified_since: None,
        page_token: None,
    }
}

fn nothing(outcome: Result<Page, CrmError>) -> bool {
    outcome.is_ok_and(|page| page.records.is_empty())
}

#[tokio::test]
async fn calls_beyond_the_concurrency_wait_their_turn() {
    let zoho = Zoho::start().await;
    zoho.answers(modules(), no_modules().set_delay(millis(150)))
        .await;
    let crm = zoho.crm_with(zoho.settings().with_concurrency(2).unwrap());
    crm.modules().await.unwrap();
    let began = std::time::Instant::now();

    let outcomes = join_all((0..6).map(|_| crm.modules())).await;

    assert!(outcomes.iter().all(Result::is_ok));
    // Six calls, two at a time.
    assert!(began.elapsed() >= millis(450), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_last_tenth_of_the_budget_is_kept_from_sweeps() {
    let zoho = Zoho::start().await;
    zoho.answers(api("GET", MODULE), ResponseTemplate::new(204))
        .await;
    let crm = zoho.crm_with(zoho.settings().with_daily_credits(100).unwrap());
    for _ in 0..90 {
        assert!(nothing(crm.page(&walk()).await));
    }

    let sweep = crm.page(&walk()).await.unwrap_err();
    let asked = crm.records(MODULE, &names(&["Name"]), &[id("900")]).await;

    let CrmError::RateLimited { after: Some(after) } = sweep else {
        panic!("not a pause: {sweep:?}");
    };
    assert!(after > Duration::from_secs(24 * 3600), "{after:?}");
    assert!(asked.is_ok());
    assert_eq!(zoho.count("/crm/v8/BTEC_Grades").await, 91);
}

#[tokio::test]
async fn a_write_costs_a_credit_for_every_ten_records() {
    let zoho = Zoho::start().await;
    let added = json!({"code": "SUCCESS", "details": {"id": "900"}, "status": "success"});
    let written = json!({"data": vec![added; 95]});
    zoho.answers(api("POST", MODULE), answer(201, written))
        .await;
    let crm = zoho.crm_with(zoho.settings().with_daily_credits(100).unwrap());
    let records = vec![
        RecordWrite {
            id: None,
            fields: [].into()
        };
        95
    ];
    for _ in 0..10 {
        assert!(
            crm.write(MODULE, &WriteMode::Insert, &records)
                .await
                .is_ok()
        );
    }

    let refused = crm.write(MODULE, &WriteMode::Insert, &records[..1]).await;

    assert!(
        matches!(refused, Err(CrmError::RateLimited { .. })),
        "{refused:?}"
    );
    assert_eq!(zoho.count("/crm/v8/BTEC_Grades").await, 10);
}

#[tokio::test]
async fn few_credits_left_at_zoho_stop_sweeps_and_nothing_else() {
    let zoho = Zoho::start().await;
    let last = ok(json!({"modules": []})).insert_header("X-API-CREDITS-REMAINING", "12");
    zoho.answers(modules(), last).await;
    zoho.answers(api("GET", MODULE), ResponseTemplate::new(204))
        .await;
    let crm = zoho.crm();
    crm.modules().await.unwrap();

    let sweep = crm.page(&walk()).await;
    let expected = CrmError::RateLimited {
        after: Some(Duration::from_secs(15 * 60)),
    };
    assert_eq!(sweep, Err(expected));
    assert!(crm.modules().await.is_ok());

    zoho.clock.advance(chrono::Duration::minutes(15));
    assert!(nothing(crm.page(&walk()).await));
}
