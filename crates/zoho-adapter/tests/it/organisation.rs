//! The client and a simulated organisation at size: walks, limits, tokens that end.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use mzi_domain::{CrmRecord, ZohoId};
use mzi_ports::{
    Crm, CrmError,
    crm::{PageRequest, RecordWrite, WriteMode},
    testing::crm_contract::{GRADES, NAME, STUDENTS, names, record, text},
};
use mzi_simulators::{
    faults::{Effect, Fault},
    zoho::{Throttle, ZohoOptions},
};
use mzi_zoho::{DataCentre, Hosts, ZohoApp, exchange_grant_code};
use secrecy::ExposeSecret;

use crate::{
    contract::{Organisation, client, empty, organisation},
    world::{http, id},
};

fn units(count: u32) -> Vec<RecordWrite> {
    let unit = |n| record([(NAME, text(&format!("unit {n}")))]);
    (0..count).map(unit).collect()
}

/// Every record of a walk, with how many pages it took.
async fn walk(world: &Organisation) -> (Vec<CrmRecord>, usize) {
    let mut request = PageRequest {
        module: GRADES.into(),
        fields: names(&[NAME]),
        modified_since: None,
        page_token: None,
    };
    let (mut records, mut pages) = (Vec::new(), 0);
    loop {
        let page = world.crm.page(&request).await.unwrap();
        records.extend(page.records);
        pages += 1;
        if page.next_page_token.is_none() {
            return (records, pages);
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_walk_goes_on_beyond_two_thousand_records() {
    let world = organisation(empty()).await;
    let outcomes = world
        .crm
        .write(GRADES, &WriteMode::Insert, &units(2_450))
        .await;
    let written: BTreeSet<ZohoId> = outcomes
        .unwrap()
        .into_iter()
        .map(|o| o.unwrap().id)
        .collect();

    let (records, pages) = walk(&world).await;

    let read: BTreeSet<ZohoId> = records.into_iter().map(|record| record.id).collect();
    assert_eq!((read.len(), pages), (2_450, 13));
    assert_eq!(read, written);
}

#[tokio::test]
async fn a_walk_that_rests_for_two_days_loses_nothing() {
    let world = organisation(empty()).await;
    for batch in 0..3 {
        world
            .crm
            .write(GRADES, &WriteMode::Insert, &units(150))
            .await
            .unwrap();
        world.zoho.advance(TimeDelta::seconds(10 * (batch + 1)));
    }
    let mut request = PageRequest {
        module: GRADES.into(),
        fields: names(&[NAME]),
        modified_since: None,
        page_token: None,
    };
    let first = world.crm.page(&request).await.unwrap();
    let mut read: BTreeSet<ZohoId> = first.records.into_iter().map(|r| r.id).collect();

    world.zoho.advance(TimeDelta::days(2));
    request.page_token = first.next_page_token;
    while request.page_token.is_some() {
        let page = world.crm.page(&request).await.unwrap();
        read.extend(page.records.into_iter().map(|record| record.id));
        request.page_token = page.next_page_token;
    }

    assert_eq!(read.len(), 450);
}

#[tokio::test]
async fn no_more_calls_are_in_flight_than_allowed() {
    let world = organisation(empty()).await;
    world.zoho.fault(Fault::always(Effect::Latency { ms: 20 }));
    let crm = client(
        &world.zoho,
        world.settings.clone().with_concurrency(3).unwrap(),
    );
    crm.modules().await.unwrap();

    join_all((0..12).map(|_| crm.modules())).await;

    assert_eq!(world.zoho.calls().max_in_flight, 3);
}

#[tokio::test]
async fn heavy_calls_have_a_lower_limit_that_holds_up_no_others() {
    let world = organisation(empty()).await;
    world
        .crm
        .write(GRADES, &WriteMode::Insert, &units(1))
        .await
        .unwrap();
    let crm = client(
        &world.zoho,
        world.settings.clone().with_concurrency(25).unwrap(),
    );
    crm.modules().await.unwrap();
    world.zoho.fault(Fault::always(Effect::Latency { ms: 50 }));
    let request = PageRequest {
        module: GRADES.into(),
        fields: names(&[NAME]),
        modified_since: None,
        page_token: None,
    };

    world.zoho.clear_calls();
    join_all((0..20).map(|_| crm.page(&request))).await;
    assert_eq!(world.zoho.calls().max_in_flight, 10);

    world.zoho.clear_calls();
    let (large, insert) = (units(11), WriteMode::Insert);
    join_all((0..20).map(|_| crm.write(GRADES, &insert, &large))).await;
    assert_eq!(world.zoho.calls().max_in_flight, 10);

    world.zoho.clear_calls();
    let pages = join_all((0..20).map(|_| crm.page(&request)));
    let others = join_all((0..20).map(|_| crm.modules()));
    tokio::join!(pages, others);
    assert_eq!(world.zoho.calls().max_in_flight, 25);
}

#[tokio::test]
async fn tokens_that_end_early_are_replaced_without_a_lost_call() {
    let world = organisation(empty()).await;
    world.crm.modules().await.unwrap();
    world.zoho.end_access_tokens();

    let outcomes = join_all((0..5).map(|_| world.crm.modules())).await;

    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

#[tokio::test]
async fn a_revoked_refresh_token_waits_for_a_person() {
    let world = organisation(empty()).await;
    world.zoho.revoke_token(world.zoho.refresh_token());
    let error = world.crm.modules().await.unwrap_err();
    assert_eq!(
        error,
        CrmError::Unauthorised {
            code: "invalid_code".into()
        }
    );
}

#[tokio::test]
async fn too_many_token_requests_are_a_pause() {
    for throttle in [Throttle::BadRequest, Throttle::AccessDenied] {
        let options = ZohoOptions {
            tokens_per_ten_minutes: Some(0),
            throttle,
            ..empty()
        };
        let world = organisation(options).await;
        let error = world.crm.modules().await.unwrap_err();
        assert!(matches!(error, CrmError::RateLimited { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_grant_code_works_once() {
    let world = organisation(empty()).await;
    let zoho = &world.zoho;
    let secret = zoho.client_secret().into();
    let app = ZohoApp::new(DataCentre::Eu, zoho.client_id(), secret, Hosts::AlsoPrivate);
    let app = app.unwrap().with_accounts_url(zoho.base_url()).unwrap();
    let code = zoho.grant_code().into();

    let tokens = exchange_grant_code(&app, &http(), &code).await.unwrap();
    let again = exchange_grant_code(&app, &http(), &code).await.unwrap_err();

    assert!(
        tokens
            .scopes
            .contains(&"ZohoCRM.notifications.ALL".to_owned())
    );
    assert_eq!(tokens.api_domain.as_deref(), Some(zoho.base_url()));
    assert!(!tokens.refresh_token.expose_secret().is_empty());
    assert_eq!(
        again,
        CrmError::Unauthorised {
            code: "invalid_code".into()
        }
    );
}

#[tokio::test]
async fn a_missing_scope_is_told_by_its_name() {
    let options = ZohoOptions {
        scopes: "ZohoCRM.modules.ALL".into(),
        ..empty()
    };
    let world = organisation(options).await;
    let error = world.crm.channels().await.unwrap_err();
    let expected = CrmError::Forbidden {
        operation: "list channels without the scope ZohoCRM.notifications.ALL".into(),
        code: "OAUTH_SCOPE_MISMATCH".into(),
    };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn every_field_of_invented_students_can_be_read() {
    let world = organisation(ZohoOptions {
        students: 5,
        ..ZohoOptions::default()
    })
    .await;
    let fields = world.crm.fields(STUDENTS).await.unwrap();
    let asked: Vec<String> = fields.into_iter().map(|field| field.api_name).collect();
    assert!(asked.len() > 200, "{}", asked.len());
    let ids: Vec<ZohoId> = world.zoho.ids(STUDENTS).iter().map(|raw| id(raw)).collect();

    let listed = world.crm.records(STUDENTS, &asked, &ids).await.unwrap();
    let alone = world
        .crm
        .record(STUDENTS, &asked, &ids[0])
        .await
        .unwrap()
        .unwrap();

    assert_eq!(listed.records.len(), 5);
    // What a list leaves out, a read of one record has.
    assert!(alone.fields.len() >= listed.records[0].fields.len());
    let first = listed
        .records
        .iter()
        .find(|record| record.id == ids[0])
        .unwrap();
    for (name, value) in &first.fields {
        assert_eq!(alone.fields.get(name), Some(value), "{name}");
    }
}
