//! Insert and update.

use chrono::TimeDelta;
use mzi_simulators::zoho::{FailedWrites, ZohoOptions};
use reqwest::Method;
use serde_json::{Value, json};

use super::support::Desk;

const KEY: &str = "Moodle_Grade_Composite_Key";

fn grade(key: &str) -> Value {
    json!({KEY: key, "Grade": "P"})
}

#[tokio::test]
async fn an_inserted_record_is_read_back() {
    let desk = Desk::open().await;
    let student = desk.first("BTEC_Students");
    let record = json!({
        "Student": {"id": student}, KEY: "4021_312_77", "Grade": "M", "Attempt_Number": 1,
        "Attempt_Date": "2026-02-16", "Feedback": "Gut gemacht – ممتاز\nGo on.", "Unknown_Field": 1,
    });

    let heard = desk
        .post("BTEC_Grades", json!({"data": [record], "trigger": []}))
        .await;

    assert_eq!(
        (heard.status, &heard.item()["message"]),
        (201, &json!("record added"))
    );
    let id = heard.item()["details"]["id"].as_str().expect("an id");
    let read = desk.get(&format!("BTEC_Grades/{id}")).await;
    let read = read.item();
    assert_eq!(read["Student"], json!({"id": student, "name": "ST-000001"}));
    assert_eq!(
        (&read["Grade"], &read["Attempt_Date"]),
        (&json!("M"), &json!("2026-02-16"))
    );
    assert_eq!(read["Feedback"], "Gut gemacht – ممتاز\nGo on.");
    assert_eq!(read["Modified_By"]["name"], "Bridge Integration");
}

#[tokio::test]
async fn good_and_bad_items_of_one_call_have_their_own_results_in_order() {
    let desk = Desk::open().await;
    let bad = json!({"Attempt_Number": "two"});

    let mixed = desk
        .post(
            "BTEC_Grades",
            json!({"data": [grade("1"), bad, grade("2")]}),
        )
        .await;
    let all_bad = desk.post("BTEC_Grades", json!({"data": [bad]})).await;

    assert_eq!(
        (mixed.status, mixed.codes()),
        (207, vec!["SUCCESS", "INVALID_DATA", "SUCCESS"])
    );
    assert_eq!(
        mixed.items()[1]["details"]["json_path"],
        "$.data[1].Attempt_Number"
    );
    assert_eq!(
        (all_bad.status, all_bad.codes()),
        (400, vec!["INVALID_DATA"])
    );
}

#[tokio::test]
async fn a_write_that_fails_whole_can_be_202() {
    let desk = Desk::with(ZohoOptions {
        failed_writes: FailedWrites::Accepted,
        ..ZohoOptions::default()
    })
    .await;

    let heard = desk
        .post("BTEC_Grades", json!({"data": [{"Attempt_Number": "two"}]}))
        .await;

    assert_eq!((heard.status, heard.codes()), (202, vec!["INVALID_DATA"]));
}

#[tokio::test]
async fn values_must_fit_their_fields() {
    let desk = Desk::open().await;
    let cases = [
        (
            "BTEC_Students",
            json!({"Email": "no address"}),
            "expected_data_type",
            json!("email"),
        ),
        (
            "BTEC_Students",
            json!({"Birth_Date": "16.02.2001"}),
            "expected_data_type",
            json!("date"),
        ),
        (
            "BTEC_Students",
            json!({"Synced_to_Moodle": null}),
            "expected_data_type",
            json!("boolean"),
        ),
        (
            "BTEC_Students",
            json!({"Last_Sync_Date": "2026-02-16T10:45:00.123+00:00"}),
            "expected_data_type",
            json!("datetime"),
        ),
        (
            "BTEC_Students",
            json!({"Last_Sync_Date": "2026-02-16T10:45:00Z"}),
            "expected_data_type",
            json!("datetime"),
        ),
        (
            "BTEC_Students",
            json!({"First_Name": "x".repeat(256)}),
            "maximum_length",
            json!(255),
        ),
        (
            "BTEC_Students",
            json!({"Phone_Number": "1".repeat(31)}),
            "maximum_length",
            json!(30),
        ),
        (
            "BTEC_Students",
            json!({"Index": 1_234_567_890}),
            "maximum_length",
            json!(9),
        ),
        (
            "BTEC_Students",
            json!({"Program": {"id": "1"}}),
            "api_name",
            json!("Program"),
        ),
        (
            "BTEC_Payments",
            json!({"Payment_Amount": "many"}),
            "expected_data_type",
            json!("currency"),
        ),
    ];

    for (module, record, detail, expected) in cases {
        let heard = desk.post(module, json!({"data": [record]})).await;
        assert_eq!(heard.item()["code"], "INVALID_DATA", "{record}");
        assert_eq!(heard.item()["details"][detail], expected, "{record}");
    }
}

#[tokio::test]
async fn a_mandatory_field_must_be_there_and_stay() {
    let desk = Desk::open().await;
    let unit = desk.first("BTEC");

    let missing = desk
        .post("BTEC", json!({"data": [{"Unit_Code": "X"}]}))
        .await;
    let cleared = desk
        .put("BTEC", json!({"data": [{"id": unit, "Name": null}]}))
        .await;
    let left_alone = desk
        .put("BTEC", json!({"data": [{"id": unit, "Unit_Code": "X"}]}))
        .await;

    assert_eq!(
        (missing.status, missing.codes()),
        (400, vec!["MANDATORY_NOT_FOUND"])
    );
    assert_eq!(missing.item()["details"]["api_name"], "Name");
    assert_eq!(cleared.codes(), ["MANDATORY_NOT_FOUND"]);
    assert_eq!(left_alone.codes(), ["SUCCESS"]);
}

#[tokio::test]
async fn a_key_left_out_stays_and_null_clears() {
    let desk = Desk::open().await;
    let id = desk.first("BTEC_Students");
    let before = desk.zoho.record("BTEC_Students", &id).expect("a student");

    desk.put(
        &format!("BTEC_Students/{id}"),
        json!({"data": [{"Address": null}]}),
    )
    .await;

    let after = desk.zoho.record("BTEC_Students", &id).expect("a student");
    assert_eq!(
        (&after["Address"], &after["Email"]),
        (&Value::Null, &before["Email"])
    );
}

#[tokio::test]
async fn an_autonumber_name_is_given_not_taken() {
    let desk = Desk::open().await;

    let heard = desk
        .post(
            "BTEC_Students",
            json!({"data": [{"Name": "MINE", "Last_Name": "Öztürk"}]}),
        )
        .await;

    let id = heard.item()["details"]["id"].as_str().expect("an id");
    assert_eq!(
        desk.zoho.record("BTEC_Students", id).expect("a student")["Name"],
        "ST-000031"
    );
}

#[tokio::test]
async fn a_repeated_insert_makes_a_second_record() {
    let desk = Desk::open().await;
    let body = json!({"data": [{"Last_Name": "Twice"}]});

    let first = desk.post("BTEC_Students", body.clone()).await;
    let second = desk.post("BTEC_Students", body).await;

    assert_ne!(
        first.item()["details"]["id"],
        second.item()["details"]["id"]
    );
}

#[tokio::test]
async fn an_update_of_an_unknown_or_unnamed_record_is_refused() {
    let desk = Desk::open().await;

    let unknown = desk
        .put(
            "BTEC_Students",
            json!({"data": [{"id": "1", "City": "Oslo"}]}),
        )
        .await;
    let unnamed = desk
        .put("BTEC_Students", json!({"data": [{"City": "Oslo"}]}))
        .await;

    assert_eq!(unknown.codes(), ["INVALID_DATA"]);
    assert_eq!(unnamed.codes(), ["MANDATORY_NOT_FOUND"]);
}

#[tokio::test]
async fn a_record_modified_since_is_not_overwritten() {
    let desk = Desk::open().await;
    let id = desk.first("BTEC_Students");
    let read_at = desk.zoho.now();
    desk.zoho.advance(TimeDelta::seconds(30));
    desk.zoho
        .update("BTEC_Students", &id, &json!({"City": "Oslo"}))
        .expect("updated");
    let body = Some(json!({"data": [{"id": id, "City": "Rome"}]}));
    let put = |since: chrono::DateTime<chrono::Utc>| {
        let body = body.clone();
        let desk = &desk;
        async move {
            let headers = [("If-Unmodified-Since", since.to_rfc3339())];
            let headers = [(headers[0].0, headers[0].1.as_str())];
            desk.call(Method::PUT, "BTEC_Students", &headers, body)
                .await
        }
    };

    let late = put(read_at).await;
    let fresh = put(desk.zoho.now()).await;

    assert_eq!((late.status, late.codes()), (412, vec!["ALREADY_MODIFIED"]));
    assert_eq!((fresh.status, fresh.codes()), (200, vec!["SUCCESS"]));
}

#[tokio::test]
async fn more_than_a_hundred_records_and_malformed_bodies_are_refused_whole() {
    let desk = Desk::open().await;
    let many: Vec<Value> = (0..101).map(|_| json!({})).collect();

    let too_many = desk.post("BTEC_Students", json!({"data": many})).await;
    let missing = desk.post("BTEC_Students", json!({"trigger": []})).await;
    let empty = desk.post("BTEC_Students", json!({"data": []})).await;

    assert_eq!(
        (too_many.status, &too_many.body["code"]),
        (400, &json!("LIMIT_EXCEEDED"))
    );
    assert_eq!(
        (missing.status, &missing.body["code"]),
        (400, &json!("MANDATORY_NOT_FOUND"))
    );
    assert_eq!(
        (empty.status, &empty.body["code"]),
        (400, &json!("INVALID_DATA"))
    );
}

#[tokio::test]
async fn two_writes_within_a_second_share_their_modified_time() {
    let desk = Desk::open().await;
    let id = desk.first("BTEC_Students");
    let write = |city: &str| {
        desk.zoho
            .update("BTEC_Students", &id, &json!({"City": city}))
    };
    let read = || desk.zoho.record("BTEC_Students", &id).expect("a student");

    // Until both fall into one second, which the first or the second try does.
    let same = (0..5).any(|_| {
        write("Oslo").expect("updated");
        let first = read();
        write("Rome").expect("updated");
        first["Modified_Time"] == read()["Modified_Time"] && first["City"] != read()["City"]
    });

    assert!(same);
}

#[tokio::test]
async fn a_multi_select_lookup_makes_and_removes_linking_records() {
    let desk = Desk::open().await;
    let class = desk
        .zoho
        .insert("BTEC_Classes", &json!({"Class_Name": "New"}))
        .expect("a class");
    let student = desk.first("BTEC_Students");
    let add = json!({"data": [{"id": class, "Enrolled_Students": [{"Enrolled_Students": {"id": student}}]}]});

    desk.put("BTEC_Classes", add).await;

    let links =
        desk.zoho.record("BTEC_Classes", &class).expect("a class")["Enrolled_Students"].clone();
    assert_eq!(links[0]["Enrolled_Students"]["id"], student.as_str());
    let link = links[0]["id"].as_str().expect("an id");
    let enrolment = desk
        .zoho
        .record("BTEC_Enrollments", link)
        .expect("the linking record");
    assert_eq!(enrolment["Classes"]["id"], class.as_str());

    let remove =
        json!({"data": [{"id": class, "Enrolled_Students": [{"id": link, "_delete": null}]}]});
    desk.put("BTEC_Classes", remove).await;
    assert!(desk.zoho.record("BTEC_Enrollments", link).is_none());
}
