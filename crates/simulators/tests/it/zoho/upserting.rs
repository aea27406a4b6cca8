//! Unique fields and upsert.

use mzi_simulators::zoho::FieldChange;
use serde_json::{Value, json};

use super::support::Desk;

const KEY: &str = "Moodle_Grade_Composite_Key";

fn grade(key: &str) -> Value {
    json!({KEY: key, "Grade": "P"})
}

#[tokio::test]
async fn a_unique_value_that_is_taken_names_the_record_that_has_it() {
    let desk = Desk::open().await;
    let first = desk
        .post("BTEC_Grades", json!({"data": [grade("A_1")]}))
        .await;

    let second = desk
        .post("BTEC_Grades", json!({"data": [grade("a_1")]}))
        .await;

    let details = &second.item()["details"];
    assert_eq!(second.codes(), ["DUPLICATE_DATA"]);
    assert_eq!(details["api_name"], KEY);
    assert_eq!(
        details["duplicate_record"]["id"],
        first.item()["details"]["id"]
    );
    assert_eq!(
        details["duplicate_record"]["module"]["api_name"],
        "BTEC_Grades"
    );
}

#[tokio::test]
async fn an_upsert_inserts_once_and_updates_then() {
    let desk = Desk::open().await;
    let body = |grade: &str| json!({"data": [{KEY: "7_8_9", "Grade": grade}], "duplicate_check_fields": [KEY]});

    let first = desk.post("BTEC_Grades/upsert", body("R")).await;
    let second = desk.post("BTEC_Grades/upsert", body("P")).await;

    let (first, second) = (first.item(), second.item());
    assert_eq!(
        (&first["action"], &first["duplicate_field"]),
        (&json!("insert"), &Value::Null)
    );
    assert_eq!(
        (&second["action"], &second["duplicate_field"]),
        (&json!("update"), &json!(KEY))
    );
    assert_eq!(first["details"]["id"], second["details"]["id"]);
    let id = first["details"]["id"].as_str().expect("an id");
    assert_eq!(
        desk.zoho.record("BTEC_Grades", id).expect("a grade")["Grade"],
        "P"
    );
}

#[tokio::test]
async fn the_second_of_two_equal_items_updates_the_first() {
    let desk = Desk::open().await;

    let heard = desk
        .post(
            "BTEC_Grades/upsert",
            json!({"data": [grade("x"), grade("x")]}),
        )
        .await;

    let actions: Vec<&Value> = heard.items().iter().map(|item| &item["action"]).collect();
    assert_eq!(actions, ["insert", "update"]);
}

#[tokio::test]
async fn a_field_that_is_not_unique_is_no_key() {
    let desk = Desk::open().await;
    let body = |id: &str| json!({"data": [{"Moodle_Class_ID": id}], "duplicate_check_fields": ["Moodle_Class_ID"]});

    let first = desk.post("BTEC_Classes/upsert", body("42")).await;
    let second = desk.post("BTEC_Classes/upsert", body("42")).await;
    assert_ne!(
        first.item()["details"]["id"],
        second.item()["details"]["id"]
    );

    let change = FieldChange {
        unique: Some(true),
        ..FieldChange::default()
    };
    desk.zoho
        .alter_field("BTEC_Classes", "Moodle_Class_ID", &change)
        .expect("the field is there");
    let inserted = desk.post("BTEC_Classes/upsert", body("43")).await;
    let updated = desk.post("BTEC_Classes/upsert", body("43")).await;
    assert_eq!(
        (&inserted.item()["action"], &updated.item()["action"]),
        (&json!("insert"), &json!("update"))
    );
}

#[tokio::test]
async fn an_autonumber_is_no_key_but_a_typed_name_is() {
    let desk = Desk::open().await;
    let student = json!({"data": [{"Name": "ST-000001"}], "duplicate_check_fields": ["Name"]});
    let product =
        json!({"data": [{"Product_Name": "btec level 3 diploma in it", "Status": "Draft"}]});

    assert_eq!(
        desk.post("BTEC_Students/upsert", student).await.item()["action"],
        "insert"
    );
    assert_eq!(
        desk.post("Products/upsert", product).await.item()["action"],
        "update"
    );
}
