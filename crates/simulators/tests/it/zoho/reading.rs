//! Lists and single reads.

use mzi_simulators::zoho::{MissingRecord, ZohoOptions};
use reqwest::Method;
use serde_json::{Value, json};

use super::support::Desk;

#[tokio::test]
async fn a_list_needs_fields() {
    let desk = Desk::open().await;

    let heard = desk.get("BTEC_Students").await;

    assert_eq!(
        (heard.status, &heard.body["code"]),
        (400, &json!("REQUIRED_PARAM_MISSING"))
    );
    assert_eq!(heard.body["details"]["param"], "fields");
}

#[tokio::test]
async fn a_list_takes_fifty_fields_and_not_one_more() {
    let desk = Desk::open().await;
    let names = |count: usize| vec!["City"; count].join(",");

    assert_eq!(
        desk.get(&format!("BTEC_Students?fields={}", names(50)))
            .await
            .status,
        200
    );
    let refused = desk
        .get(&format!("BTEC_Students?fields={}", names(51)))
        .await;

    assert_eq!(
        (refused.status, &refused.body["code"]),
        (400, &json!("LIMIT_EXCEEDED"))
    );
}

#[tokio::test]
async fn a_list_holds_the_id_and_what_was_asked_for_with_null_for_no_value() {
    let desk = Desk::open().await;
    let id = desk.first("BTEC_Students");

    let heard = desk
        .get(&format!(
            "BTEC_Students?fields=Name,Intake,Note,Nonsense&ids={id}"
        ))
        .await;

    assert_eq!(
        *heard.item(),
        json!({"id": id, "Name": "ST-000001", "Intake": "Autumn", "Note": null})
    );
}

#[tokio::test]
async fn a_list_never_holds_sub_forms_or_multi_select_lookups() {
    let desk = Desk::open().await;

    let rows = desk
        .get("BTEC_Registrations?fields=Name,Payment_Schedule&per_page=1")
        .await;
    let links = desk
        .get("BTEC_Classes?fields=Name,Enrolled_Students&per_page=1")
        .await;

    assert!(rows.item().get("Payment_Schedule").is_none());
    assert!(links.item().get("Enrolled_Students").is_none());
}

#[tokio::test]
async fn a_single_read_holds_sub_forms_links_and_system_keys() {
    let desk = Desk::open().await;
    let registration = desk.first("BTEC_Registrations");
    let enrolment = desk
        .zoho
        .record("BTEC_Enrollments", &desk.first("BTEC_Enrollments"))
        .expect("one");
    let student = enrolment["Enrolled_Students"]["id"]
        .as_str()
        .expect("an id");

    let with_rows = desk
        .get(&format!("BTEC_Registrations/{registration}"))
        .await;
    let with_links = desk.get(&format!("BTEC_Students/{student}")).await;

    let row = &with_rows.item()["Payment_Schedule"][0];
    assert_eq!(
        row["Parent_Id"],
        json!({"id": registration, "name": "REG-000001"})
    );
    assert_eq!(row["Installment_Amount"], 800);
    assert_eq!(with_rows.item()["$editable"], true);
    let links = with_links.item()["Classes"].as_array().expect("links");
    assert!(
        links
            .iter()
            .any(|link| link["id"] == enrolment["id"] && link["Classes"] == enrolment["Classes"])
    );
}

#[tokio::test]
async fn rows_are_listed_through_their_own_module() {
    let desk = Desk::open().await;
    let registration = desk.first("BTEC_Registrations");

    let heard = desk
        .get("Payment_Schedule?fields=Parent_Id,Due_Date,Installment_No&sort_order=asc")
        .await;

    let of_first = heard
        .items()
        .iter()
        .filter(|row| row["Parent_Id"]["id"] == registration.as_str());
    assert_eq!(of_first.count(), 3);
}

#[tokio::test]
async fn ids_and_big_numbers_are_text() {
    let desk = Desk::open().await;

    let heard = desk.get("BTEC_Enrollments?fields=Classes&per_page=3").await;

    for record in heard.items() {
        assert!(
            record["id"].is_string() && record["Classes"]["id"].is_string(),
            "{record}"
        );
    }
}

#[tokio::test]
async fn times_have_whole_seconds_in_the_users_offset() {
    let desk = Desk::with(ZohoOptions {
        students: 1,
        utc_offset_minutes: 330,
        ..ZohoOptions::default()
    })
    .await;

    let heard = desk.get("BTEC_Students?fields=Modified_Time").await;

    let time = heard.item()["Modified_Time"].as_str().expect("a time");
    assert!(
        time.ends_with("+05:30") && time.len() == "2026-01-01T00:00:00+05:30".len(),
        "{time}"
    );
}

#[tokio::test]
async fn only_ids_asked_for_are_listed_and_unknown_ones_are_passed_over() {
    let desk = Desk::open().await;
    let ids = desk.zoho.ids("BTEC_Students");

    let heard = desk
        .get(&format!(
            "BTEC_Students?fields=Name&ids={},1,{}",
            ids[4], ids[2]
        ))
        .await;
    let none = desk.get("BTEC_Students?fields=Name&ids=1,2").await;

    let found: Vec<&Value> = heard.items().iter().map(|record| &record["id"]).collect();
    assert_eq!(found, [ids[4].as_str(), ids[2].as_str()]);
    assert_eq!((none.status, none.body), (204, Value::Null));
}

#[tokio::test]
async fn more_than_a_hundred_ids_are_refused() {
    let desk = Desk::open().await;
    let ids = vec!["1"; 101].join(",");

    let heard = desk
        .get(&format!("BTEC_Students?fields=Name&ids={ids}"))
        .await;

    assert_eq!(
        (heard.status, &heard.body["code"]),
        (400, &json!("LIMIT_EXCEEDED"))
    );
}

#[tokio::test]
async fn an_unknown_id_is_204_or_invalid_data() {
    let desk = Desk::open().await;
    let options = ZohoOptions {
        missing_record: MissingRecord::InvalidData,
        ..ZohoOptions::default()
    };
    let other = Desk::with(options).await;

    let silent = desk.get("BTEC_Students/900040009999999").await;
    let spoken = other.get("BTEC_Students/900040009999999").await;
    let malformed = desk.get("BTEC_Students/nonsense").await;

    assert_eq!((silent.status, silent.body), (204, Value::Null));
    assert_eq!(
        (spoken.status, &spoken.body["code"]),
        (400, &json!("INVALID_DATA"))
    );
    assert_eq!(
        (malformed.status, &malformed.body["code"]),
        (400, &json!("INVALID_DATA"))
    );
}

#[tokio::test]
async fn an_unknown_module_is_refused() {
    let desk = Desk::open().await;

    let heard = desk.get("BTEC_Nothing?fields=Name").await;

    assert_eq!(
        (heard.status, &heard.body["code"]),
        (400, &json!("INVALID_MODULE"))
    );
}

#[tokio::test]
async fn newer_records_only_are_listed_and_none_is_304() {
    let desk = Desk::open().await;
    let now = desk.zoho.now();
    let student = desk.first("BTEC_Students");
    desk.zoho
        .update("BTEC_Students", &student, &json!({"City": "Oslo"}))
        .expect("updated");
    let target = "BTEC_Students?fields=Name,Modified_Time&sort_by=Modified_Time&sort_order=asc";
    let since = |seconds: i64| (now + chrono::TimeDelta::seconds(seconds)).to_rfc3339();

    let newer = desk
        .call(
            Method::GET,
            target,
            &[("If-Modified-Since", &since(-60))],
            None,
        )
        .await;
    let none = desk
        .call(
            Method::GET,
            target,
            &[("If-Modified-Since", &since(3600))],
            None,
        )
        .await;

    assert_eq!(newer.item()["id"], student.as_str());
    assert_eq!((none.status, none.body), (304, Value::Null));
}

#[tokio::test]
async fn an_empty_module_is_204() {
    let desk = Desk::with(ZohoOptions {
        students: 0,
        ..ZohoOptions::default()
    })
    .await;

    let heard = desk.get("BTEC_Students?fields=Name").await;

    assert_eq!((heard.status, heard.body), (204, Value::Null));
}

#[tokio::test]
async fn a_lookup_to_a_deleted_record_reads_as_null() {
    let desk = Desk::open().await;
    let payment = desk
        .zoho
        .record("BTEC_Payments", &desk.first("BTEC_Payments"))
        .expect("a payment");
    let registration = payment["Registration_ID"]["id"].as_str().expect("an id");

    desk.zoho
        .delete("BTEC_Registrations", registration)
        .expect("deleted");
    let gone = desk
        .get(&format!(
            "BTEC_Payments/{}",
            payment["id"].as_str().expect("an id")
        ))
        .await;
    desk.zoho
        .restore("BTEC_Registrations", registration)
        .expect("restored");

    assert_eq!(gone.item()["Registration_ID"], Value::Null);
    let back = desk
        .zoho
        .record("BTEC_Payments", payment["id"].as_str().expect("an id"));
    assert_eq!(
        back.expect("a payment")["Registration_ID"],
        payment["Registration_ID"]
    );
}
