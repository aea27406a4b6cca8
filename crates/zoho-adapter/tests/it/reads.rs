//! Reading records by id and page by page.

use std::collections::BTreeMap;

use chrono::{TimeZone, Utc};
use mzi_domain::FieldValue;
use mzi_ports::{
    Crm, CrmError,
    crm::{Deletion, PageRequest},
};
use serde_json::{Value, json};
use wiremock::{
    ResponseTemplate,
    matchers::{header, query_param, query_param_is_missing},
};

use crate::world::{MODULE, Zoho, answer, api, id, names, ok, refusal};

const ONE: &str = "900000000000000101";
const NOON: &str = "2026-11-22T15:00:00+03:00";

fn data(rows: Value) -> ResponseTemplate {
    ok(json!({"data": rows, "info": {"more_records": false}}))
}

fn text(value: &str) -> FieldValue {
    FieldValue::Text(value.into())
}

fn one() -> wiremock::MockBuilder {
    api("GET", &format!("{MODULE}/{ONE}"))
}

/// More names than one call may hold.
fn sixty() -> Vec<String> {
    (0..60).map(|n| format!("F{n}")).collect()
}

fn holds(name: &'static str) -> impl Fn(&wiremock::Request) -> bool {
    move |request| {
        let mut query = request.url.query_pairs();
        query.any(|(key, value)| key == "fields" && value.split(',').any(|field| field == name))
    }
}

#[tokio::test]
async fn a_record_holds_what_was_asked_for_and_its_times() {
    let zoho = Zoho::start().await;
    let row = json!({
        "id": ONE, "Name": "G-1", "Attempt": 2, "Released": true, "Feedback": null,
        "Student": {"id": "900000000000000201", "name": "Nora O'Neil"},
        "Modified_Time": NOON, "$editable": true, "Not_Asked": "x",
    });
    let ids = format!("{ONE},900000000000000102");
    let request = api("GET", MODULE)
        .and(query_param("ids", ids))
        .and(query_param(
            "fields",
            "Name,Attempt,Released,Feedback,Student,Missing,Modified_Time",
        ));
    let dated = data(json!([row])).insert_header("date", "Sun, 22 Nov 2026 12:00:05 GMT");
    zoho.answers(request, dated).await;

    let fields = names(&[
        "Name", "Attempt", "Released", "Feedback", "Student", "Missing",
    ]);
    let ids = [id(ONE), id("900000000000000102")];
    let reading = zoho.crm().records(MODULE, &fields, &ids).await.unwrap();

    assert_eq!(reading.records.len(), 1);
    let record = &reading.records[0];
    assert_eq!(record.id, id(ONE));
    let noon = Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap();
    assert_eq!(record.modified_at, Some(noon));
    assert_eq!(
        reading.server_time,
        Some(noon + chrono::Duration::seconds(5))
    );
    let student = FieldValue::Lookup {
        id: "900000000000000201".into(),
        name: Some("Nora O'Neil".into()),
    };
    let expected = BTreeMap::from([
        ("Name".to_owned(), text("G-1")),
        ("Attempt".to_owned(), FieldValue::Number("2".into())),
        ("Released".to_owned(), FieldValue::Bool(true)),
        ("Feedback".to_owned(), FieldValue::Null),
        ("Student".to_owned(), student),
    ]);
    assert_eq!(record.fields, expected);
}

#[tokio::test]
async fn no_ids_are_no_call_and_204_is_no_records() {
    let zoho = Zoho::start().await;
    zoho.answers(api("GET", MODULE), ResponseTemplate::new(204))
        .await;
    let crm = zoho.crm();
    let fields = names(&["Name"]);
    assert_eq!(crm.records(MODULE, &fields, &[]).await.unwrap().records, []);
    assert_eq!(zoho.count("/crm/v8/BTEC_Grades").await, 0);
    assert_eq!(
        crm.records(MODULE, &fields, &[id(ONE)])
            .await
            .unwrap()
            .records,
        []
    );
}

#[tokio::test]
async fn a_record_that_changes_between_two_calls_is_read_again() {
    let zoho = Zoho::start().await;
    let row = |field: &str, value: &str, at: &str| {
        data(json!([{"id": ONE, field: value, "Modified_Time": at}]))
    };
    let later = "2026-11-22T15:00:01+03:00";
    zoho.answers(api("GET", MODULE).and(holds("F0")), row("F0", "new", later))
        .await;
    let end = || api("GET", MODULE).and(holds("F59"));
    zoho.answers_once(end(), row("F59", "old", NOON)).await;
    zoho.answers(end(), row("F59", "new", later)).await;

    let reading = zoho
        .crm()
        .records(MODULE, &sixty(), &[id(ONE)])
        .await
        .unwrap();

    let expected = BTreeMap::from([
        ("F0".to_owned(), text("new")),
        ("F59".to_owned(), text("new")),
    ]);
    assert_eq!(reading.records.len(), 1);
    assert_eq!(reading.records[0].fields, expected);
    assert_eq!(zoho.count("/crm/v8/BTEC_Grades").await, 4);
}

#[tokio::test]
async fn a_record_that_never_rests_is_left_out_of_a_list_and_an_error_by_itself() {
    let zoho = Zoho::start().await;
    for below in [MODULE.to_owned(), format!("{MODULE}/{ONE}")] {
        let row = |at: &str| data(json!([{"id": ONE, "Modified_Time": at}]));
        zoho.answers(api("GET", &below).and(holds("F0")), row(NOON))
            .await;
        zoho.answers(api("GET", &below), row("2026-11-22T15:00:09+03:00"))
            .await;
    }
    let crm = zoho.crm();
    assert_eq!(
        crm.records(MODULE, &sixty(), &[id(ONE)])
            .await
            .unwrap()
            .records,
        []
    );
    let alone = crm.record(MODULE, &sixty(), &id(ONE)).await;
    assert!(matches!(alone, Err(CrmError::Protocol { .. })), "{alone:?}");
}

#[tokio::test]
async fn only_204_and_a_refusal_of_the_id_mean_that_a_record_is_gone() {
    let invalid = |details: Value| {
        let mut body = crate::world::refused("INVALID_DATA", "the id given seems to be invalid");
        body["details"] = details;
        answer(400, body)
    };
    for gone in [
        ResponseTemplate::new(204),
        invalid(json!({})),
        invalid(json!({"api_name": "id"})),
    ] {
        let zoho = Zoho::start().await;
        zoho.answers(one(), gone).await;
        assert_eq!(
            zoho.crm().record(MODULE, &names(&["Name"]), &id(ONE)).await,
            Ok(None)
        );
    }
    for refused in [
        refusal(400, "INVALID_DATA", "invalid data"),
        refusal(
            400,
            "INVALID_MODULE",
            "the module name given seems to be invalid",
        ),
        refusal(403, "NO_PERMISSION", "permission denied"),
        refusal(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope"),
        refusal(404, "INVALID_URL_PATTERN", "Please check the URL"),
        ResponseTemplate::new(404),
        ResponseTemplate::new(500),
        // An answer that lost its body, and one that says nothing about the record.
        ResponseTemplate::new(200),
        data(json!([])),
    ] {
        let zoho = Zoho::start().await;
        zoho.answers(one(), refused).await;
        let outcome = zoho.crm().record(MODULE, &names(&["Name"]), &id(ONE)).await;
        assert!(outcome.is_err(), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_record_read_alone_has_its_sub_forms() {
    let zoho = Zoho::start().await;
    let rows = json!([{"id": "900000000000000301", "Outcome": "P1", "$in_merge": false}]);
    zoho.answers(
        one(),
        data(json!([{"id": ONE, "Rows": rows, "Modified_Time": NOON}])),
    )
    .await;

    let record = zoho.crm().record(MODULE, &names(&["Rows"]), &id(ONE)).await;

    let row = BTreeMap::from([
        ("id".to_owned(), text("900000000000000301")),
        ("Outcome".to_owned(), text("P1")),
    ]);
    let fields = record.unwrap().unwrap().fields;
    assert_eq!(fields.get("Rows"), Some(&FieldValue::Rows(vec![row])));
}

fn walk(page_token: Option<String>) -> PageRequest {
    PageRequest {
        module: MODULE.into(),
        fields: names(&["Name"]),
        modified_since: Some(Utc.with_ymd_and_hms(2026, 11, 1, 0, 0, 0).unwrap()),
        page_token,
    }
}

fn listed(row_id: &str, info: Value) -> ResponseTemplate {
    ok(json!({"data": [{"id": row_id, "Name": "x", "Modified_Time": NOON}], "info": info}))
}

#[tokio::test]
async fn a_walk_goes_by_number_until_zoho_gives_a_token() {
    let zoho = Zoho::start().await;
    let page = || {
        api("GET", MODULE)
            .and(query_param("sort_by", "Modified_Time"))
            .and(query_param("sort_order", "asc"))
            .and(query_param("fields", "Name,Modified_Time"))
            .and(header("if-modified-since", "2026-11-01T00:00:00+00:00"))
    };
    let first = page().and(query_param("page", "1"));
    zoho.answers(first, listed("901", json!({"more_records": true})))
        .await;
    let second = page().and(query_param("page", "2"));
    let token = json!({"more_records": true, "next_page_token": "abc"});
    zoho.answers(second, listed("902", token)).await;
    let third = page()
        .and(query_param("page_token", "abc"))
        .and(query_param_is_missing("page"));
    let end = json!({"more_records": false, "next_page_token": null});
    zoho.answers(third, listed("903", end)).await;
    let crm = zoho.crm();

    let one = crm.page(&walk(None)).await.unwrap();
    let two = crm.page(&walk(one.next_page_token)).await.unwrap();
    let three = crm.page(&walk(two.next_page_token)).await.unwrap();

    assert_eq!(three.records[0].id, id("903"));
    assert_eq!(three.next_page_token, None);
}

#[tokio::test]
async fn a_token_that_has_expired_starts_the_walk_over_from_the_last_change() {
    for code in ["EXPIRED_VALUE", "PAGINATION_LIMIT_EXCEEDED"] {
        let zoho = Zoho::start().await;
        let token = json!({"more_records": true, "next_page_token": "abc"});
        let first =
            api("GET", MODULE).and(header("if-modified-since", "2026-11-01T00:00:00+00:00"));
        zoho.answers_once(first, listed("901", token)).await;
        let stale = api("GET", MODULE).and(query_param("page_token", "abc"));
        zoho.answers(stale, refusal(400, code, "expired")).await;
        // A second before noon, in UTC.
        let anew = api("GET", MODULE).and(header("if-modified-since", "2026-11-22T11:59:59+00:00"));
        zoho.answers(anew, listed("902", json!({"more_records": false})))
            .await;
        let crm = zoho.crm();

        let one = crm.page(&walk(None)).await.unwrap();
        let two = crm.page(&walk(one.next_page_token)).await.unwrap();

        assert_eq!(two.records[0].id, id("902"), "{code}");
    }
}

#[tokio::test]
async fn a_page_of_nothing_is_empty() {
    for status in [204, 304] {
        let zoho = Zoho::start().await;
        zoho.answers(api("GET", MODULE), ResponseTemplate::new(status))
            .await;
        let page = zoho.crm().page(&walk(None)).await.unwrap();
        assert_eq!((page.records, page.next_page_token), (Vec::new(), None));
    }
}

#[tokio::test]
async fn a_page_with_more_fields_than_a_call_may_name_is_filled_by_id() {
    let zoho = Zoho::start().await;
    let list = api("GET", MODULE).and(query_param("fields", "Modified_Time"));
    zoho.answers(list, listed("901", json!({"more_records": false})))
        .await;
    for field in ["F0", "F59"] {
        let row = json!([{"id": "901", field: "x", "Modified_Time": NOON}]);
        let part = api("GET", MODULE)
            .and(query_param("ids", "901"))
            .and(holds(field));
        zoho.answers(part, data(row)).await;
    }
    let request = PageRequest {
        fields: sixty(),
        ..walk(None)
    };

    let page = zoho.crm().page(&request).await.unwrap();

    let fields: Vec<_> = page.records[0].fields.keys().collect();
    assert_eq!(fields, ["F0", "F59"]);
}

#[tokio::test]
async fn a_page_token_of_somebody_else_is_refused() {
    let zoho = Zoho::start().await;
    let outcome = zoho.crm().page(&walk(Some("abc".into()))).await;
    assert!(
        matches!(outcome, Err(CrmError::Rejected { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn deletions_keep_their_time_and_tell_of_more() {
    let zoho = Zoho::start().await;
    let request = api("GET", "BTEC_Grades/deleted")
        .and(query_param("type", "all"))
        .and(query_param("page", "2"))
        .and(header("if-modified-since", "2026-11-01T00:00:00+00:00"));
    let body = json!({
        "data": [
            {"id": ONE, "display_name": "G-1", "type": "recycle", "deleted_time": NOON},
            {"id": "902", "display_name": null, "type": "permanent", "deleted_by": null, "deleted_time": null},
        ],
        "info": {"more_records": true},
    });
    zoho.answers(request, ok(body)).await;

    let page = zoho
        .crm()
        .deleted(MODULE, walk(None).modified_since, 2)
        .await
        .unwrap();

    let noon = Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap();
    let expected = [
        Deletion {
            id: id(ONE),
            deleted_at: Some(noon),
        },
        Deletion {
            id: id("902"),
            deleted_at: None,
        },
    ];
    assert_eq!(page.deletions, expected);
    assert!(page.more);
}
