//! Writing records: what is sent, and what becomes of each.

use std::collections::BTreeMap;

use chrono::{TimeZone, Utc};
use mzi_domain::FieldValue;
use mzi_ports::{
    Crm, CrmError,
    crm::{RecordWrite, WriteMode, WriteReceipt},
};
use serde_json::{Value, json};
use wiremock::matchers::body_json;

use crate::world::{MODULE, Zoho, answer, api, id, names, refusal};

fn named(name: &str) -> RecordWrite {
    let name = FieldValue::Text(name.into());
    RecordWrite {
        id: None,
        fields: BTreeMap::from([("Name".to_owned(), name)]),
    }
}

fn added(row_id: &str) -> Value {
    let details = json!({"id": row_id, "Modified_Time": "2026-11-22T15:00:00+03:00"});
    json!({"code": "SUCCESS", "details": details, "message": "record added", "status": "success"})
}

fn duplicate() -> Value {
    json!({
        "code": "DUPLICATE_DATA",
        "details": {"api_name": "Moodle_Grade_Composite_Key", "json_path": "$.data[1].Moodle_Grade_Composite_Key"},
        "message": "duplicate data",
        "status": "error",
    })
}

fn taken(row_id: &str) -> Result<WriteReceipt, CrmError> {
    let modified_at = Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap();
    Ok(WriteReceipt {
        id: id(row_id),
        modified_at: Some(modified_at),
    })
}

#[tokio::test]
async fn writes_keep_zohos_own_automations_still() {
    let zoho = Zoho::start().await;
    let keys = names(&["Moodle_Grade_Composite_Key"]);
    let insert = json!({"data": [{"Name": "a"}], "trigger": []});
    let update = json!({"data": [{"Name": "a", "id": "900"}], "trigger": []});
    let upsert = json!({"data": [{"Name": "a"}], "trigger": [], "duplicate_check_fields": keys});
    let good = || answer(200, json!({"data": [added("900")]}));
    zoho.answers(api("POST", MODULE).and(body_json(insert)), good())
        .await;
    zoho.answers(api("PUT", MODULE).and(body_json(update)), good())
        .await;
    zoho.answers(
        api("POST", "BTEC_Grades/upsert").and(body_json(upsert)),
        good(),
    )
    .await;
    let crm = zoho.crm();
    let known = RecordWrite {
        id: Some(id("900")),
        ..named("a")
    };

    for (mode, record) in [
        // An insert has no id to send.
        (WriteMode::Insert, known.clone()),
        (WriteMode::Update, known),
        (WriteMode::Upsert { keys }, named("a")),
    ] {
        let outcomes = crm.write(MODULE, &mode, &[record]).await;
        assert_eq!(outcomes, Ok(vec![taken("900")]), "{mode:?}");
    }
}

#[tokio::test]
async fn each_record_has_its_outcome_whatever_the_status_is() {
    for status in [200, 201, 202, 207, 400] {
        let zoho = Zoho::start().await;
        let body = json!({"data": [added("901"), duplicate(), added("903")]});
        zoho.answers(api("POST", MODULE), answer(status, body))
            .await;
        let records = ["a", "b", "c"].map(named);

        let outcomes = zoho
            .crm()
            .write(MODULE, &WriteMode::Insert, &records)
            .await
            .unwrap();

        let refused = CrmError::Rejected {
            operation: "write BTEC_Grades".into(),
            code: "DUPLICATE_DATA".into(),
            message: "Moodle_Grade_Composite_Key: duplicate data".into(),
        };
        assert_eq!(
            outcomes,
            [taken("901"), Err(refused), taken("903")],
            "HTTP {status}"
        );
    }
}

#[tokio::test]
async fn a_record_the_user_may_not_write_is_forbidden() {
    let zoho = Zoho::start().await;
    let item =
        json!({"code": "NO_PERMISSION", "details": {}, "message": "denied", "status": "error"});
    zoho.answers(api("POST", MODULE), answer(202, json!({"data": [item]})))
        .await;
    let outcomes = zoho
        .crm()
        .write(MODULE, &WriteMode::Insert, &[named("a")])
        .await
        .unwrap();
    assert!(
        matches!(outcomes[0], Err(CrmError::Forbidden { .. })),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_refusal_of_the_whole_write_stands_for_all() {
    let zoho = Zoho::start().await;
    zoho.answers(
        api("POST", MODULE),
        refusal(400, "LIMIT_EXCEEDED", "too many"),
    )
    .await;
    let outcome = zoho
        .crm()
        .write(MODULE, &WriteMode::Insert, &[named("a")])
        .await;
    assert!(
        matches!(outcome, Err(CrmError::Rejected { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn what_was_written_stays_known_when_a_later_call_fails() {
    let zoho = Zoho::start().await;
    let hundred: Vec<Value> = (0..100).map(|n| added(&format!("{}", 1000 + n))).collect();
    zoho.answers_once(api("POST", MODULE), answer(201, json!({"data": hundred})))
        .await;
    zoho.answers(api("POST", MODULE), refusal(500, "INTERNAL_ERROR", "oops"))
        .await;
    let records: Vec<_> = (0..250).map(|n| named(&n.to_string())).collect();

    let outcomes = zoho
        .crm()
        .write(MODULE, &WriteMode::Insert, &records)
        .await
        .unwrap();

    assert_eq!(outcomes.len(), 250);
    assert_eq!(outcomes[99], taken("1099"));
    assert!(matches!(
        outcomes[100],
        Err(CrmError::UnknownOutcome { .. })
    ));
    assert!(matches!(
        outcomes[199],
        Err(CrmError::UnknownOutcome { .. })
    ));
    // The third call was not made, so nothing of it is in doubt.
    assert!(matches!(outcomes[200], Err(CrmError::Unavailable { .. })));
    assert_eq!(zoho.count("/crm/v8/BTEC_Grades").await, 2);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_records_leaves_them_unknown() {
    let short = json!({"data": [added("901")]});
    let strange =
        json!({"data": [{"code": "SUCCESS", "details": {}}, {"code": "SUCCESS", "details": {}}]});
    for (body, whole) in [(short, true), (strange, false)] {
        let zoho = Zoho::start().await;
        zoho.answers(api("POST", MODULE), answer(201, body)).await;
        let records = ["a", "b"].map(named);
        let outcome = zoho.crm().write(MODULE, &WriteMode::Insert, &records).await;
        let error = match outcome {
            Err(error) if whole => error,
            Ok(mut outcomes) if !whole => outcomes.remove(0).unwrap_err(),
            other => panic!("{other:?}"),
        };
        assert!(
            matches!(error, CrmError::UnknownOutcome { .. }),
            "{error:?}"
        );
    }
}
