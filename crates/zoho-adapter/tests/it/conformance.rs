//! Every request this client makes, held against Zoho's own OpenAPI files.

use std::collections::BTreeSet;

use chrono::{SubsecRound, TimeDelta};
use mzi_domain::FieldValue;
use mzi_ports::{
    Crm,
    crm::{ChannelRequest, PageRequest, RecordWrite, WriteMode},
    testing::crm_contract::{
        CrmHarness, GRADES, KEY, NAME, REGISTRATIONS, names, number, record, text,
    },
};
use mzi_simulators::conformance::Zoho;

use crate::contract::{Organisation, empty, organisation};

#[tokio::test]
async fn every_request_is_one_that_zoho_describes() {
    let world = organisation(empty()).await;
    read_metadata(&world).await;
    write_records(&world).await;
    read_records(&world).await;
    keep_channels(&world).await;

    let zoho = Zoho::load().unwrap();
    let mut seen = BTreeSet::new();
    for call in world.zoho.calls().last {
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        if !path.starts_with("/crm/") {
            continue;
        }
        let checked = zoho.validate_request(&call.method, path, query, &call.body);
        assert_eq!(checked, Ok(()), "{} {}", call.method, call.target);
        seen.insert(format!(
            "{} {}",
            call.method,
            path.trim_start_matches("/crm/v8/")
        ));
    }
    let expected = [
        "DELETE actions/watch",
        "GET BTEC_Grades",
        "GET BTEC_Grades/deleted",
        "GET actions/watch",
        "GET org",
        "GET settings/fields",
        "GET settings/modules",
        "POST BTEC_Grades",
        "POST BTEC_Grades/upsert",
        "POST BTEC_Registrations",
        "POST actions/watch",
        "PUT BTEC_Grades",
        "PUT actions/watch",
    ];
    for operation in expected {
        assert!(
            seen.contains(operation),
            "{operation} was never called: {seen:?}"
        );
    }
    let by_id = |operation: &String| operation.starts_with("GET BTEC_Registrations/");
    assert!(seen.iter().any(by_id), "{seen:?}");
}

async fn read_metadata(world: &Organisation) {
    world.crm.organisation().await.unwrap();
    world.crm.modules().await.unwrap();
    world.crm.fields(GRADES).await.unwrap();
}

async fn write_records(world: &Organisation) {
    let grades: Vec<RecordWrite> = (0..250)
        .map(|n| {
            record([
                (NAME, text(&format!("unit {n}"))),
                ("Attempt_Number", number("1")),
            ])
        })
        .collect();
    let insert = world.crm.write(GRADES, &WriteMode::Insert, &grades).await;
    let id = insert.unwrap().remove(0).unwrap().id;
    let update = RecordWrite {
        id: Some(id),
        ..record([("Feedback", FieldValue::Null)])
    };
    world
        .crm
        .write(GRADES, &WriteMode::Update, &[update])
        .await
        .unwrap();
    let keys = names(&[KEY]);
    let upsert = record([(KEY, text("1_2_3"))]);
    world
        .crm
        .write(GRADES, &WriteMode::Upsert { keys }, &[upsert])
        .await
        .unwrap();
    let row = [("Installment_No".to_owned(), number("1"))].into();
    let registration = record([("Payment_Schedule", FieldValue::Rows(vec![row]))]);
    let modes = WriteMode::Insert;
    world
        .crm
        .write(REGISTRATIONS, &modes, &[registration])
        .await
        .unwrap();
}

async fn read_records(world: &Organisation) {
    let mut request = PageRequest {
        module: GRADES.into(),
        fields: names(&[NAME]),
        modified_since: Some(world.now() - TimeDelta::days(1)),
        page_token: None,
    };
    let first = world.crm.page(&request).await.unwrap();
    request.page_token = first.next_page_token;
    assert!(request.page_token.is_some());
    world.crm.page(&request).await.unwrap();
    let ids: Vec<_> = first.records.into_iter().map(|record| record.id).collect();
    world
        .crm
        .records(GRADES, &names(&[NAME]), &ids)
        .await
        .unwrap();
    world.delete(GRADES, &ids[0]).await;
    let since = Some(world.now() - TimeDelta::days(1));
    world.crm.deleted(GRADES, since, 1).await.unwrap();
    let registration = crate::world::id(&world.zoho.ids(REGISTRATIONS)[0]);
    let asked = names(&["Payment_Schedule"]);
    world
        .crm
        .record(REGISTRATIONS, &asked, &registration)
        .await
        .unwrap();
}

async fn keep_channels(world: &Organisation) {
    let request = ChannelRequest {
        channel_id: "1000000068001".into(),
        module: GRADES.into(),
        notify_url: "https://bridge.example/api/v1/webhooks/grades".into(),
        token: "proof".into(),
        expires_at: (world.now() + TimeDelta::days(6)).trunc_subsecs(0),
    };
    for _ in 0..2 {
        world.crm.subscribe(&request).await.unwrap();
    }
    world.crm.channels().await.unwrap();
    world.crm.unsubscribe(&[request.channel_id]).await.unwrap();
}
