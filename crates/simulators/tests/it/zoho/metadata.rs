//! Modules, fields and the organisation.

use mzi_simulators::zoho::FieldChange;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::Desk;

async fn field(desk: &Desk, module: &str, name: &str) -> Value {
    let fields = desk
        .get(&format!("settings/fields?module={module}"))
        .await
        .body;
    let fields = fields["fields"].as_array().expect("fields").clone();
    fields
        .into_iter()
        .find(|field| field["api_name"] == name)
        .unwrap_or_default()
}

#[tokio::test]
async fn sub_forms_and_the_linking_module_show_as_modules() {
    let desk = Desk::open().await;

    let modules = desk.get("settings/modules").await.body;

    let kind = |name: &str| {
        let modules = modules["modules"].as_array().expect("modules");
        modules
            .iter()
            .find(|module| module["api_name"] == name)
            .map(|module| module["generated_type"].clone())
    };
    assert_eq!(kind("BTEC_Students"), Some(json!("custom")));
    assert_eq!(kind("Products"), Some(json!("default")));
    assert_eq!(kind("BTEC_Enrollments"), Some(json!("linking")));
    assert_eq!(kind("Payment_Schedule"), Some(json!("subform")));
}

#[tokio::test]
async fn students_have_258_fields() {
    let desk = Desk::open().await;

    let fields = desk.get("settings/fields?module=BTEC_Students").await.body;

    assert_eq!(fields["fields"].as_array().map(Vec::len), Some(258));
}

#[tokio::test]
async fn a_lookup_names_its_module_as_an_object() {
    let desk = Desk::open().await;

    let lookup = field(&desk, "BTEC_Classes", "Teacher").await;

    assert_eq!(lookup["data_type"], "lookup");
    assert_eq!(lookup["lookup"]["module"]["api_name"], "BTEC_Teachers");
}

#[tokio::test]
async fn a_sub_form_names_its_module() {
    let desk = Desk::open().await;

    let sub_form = field(&desk, "BTEC_Registrations", "Payment_Schedule").await;

    assert_eq!(sub_form["data_type"], "subform");
    assert_eq!(sub_form["associated_module"]["module"], "Payment_Schedule");
}

#[tokio::test]
async fn only_a_flagged_field_is_unique() {
    let desk = Desk::open().await;
    let before = field(&desk, "BTEC_Classes", "Moodle_Class_ID").await;

    let change = FieldChange {
        unique: Some(true),
        ..FieldChange::default()
    };
    desk.zoho
        .alter_field("BTEC_Classes", "Moodle_Class_ID", &change)
        .expect("the field is there");

    assert_eq!(before["unique"], json!({}));
    assert_eq!(
        field(&desk, "BTEC_Classes", "Moodle_Class_ID").await["unique"],
        json!({"casesensitive": "false"})
    );
}

#[tokio::test]
async fn amounts_of_registrations_are_text() {
    let desk = Desk::open().await;

    assert_eq!(
        field(&desk, "BTEC_Registrations", "Program_Price").await["data_type"],
        "text"
    );
    assert_eq!(
        field(&desk, "BTEC_Payments", "Payment_Amount").await["data_type"],
        "currency"
    );
}

#[tokio::test]
async fn a_renamed_field_leaves_metadata_and_records_under_its_old_name() {
    let desk = Desk::open().await;
    let student = desk.first("BTEC_Students");
    let city = desk
        .zoho
        .record("BTEC_Students", &student)
        .expect("a student")["City"]
        .clone();

    let change = FieldChange {
        api_name: Some("Town".to_owned()),
        ..FieldChange::default()
    };
    desk.zoho
        .alter_field("BTEC_Students", "City", &change)
        .expect("the field is there");

    let record = desk
        .get(&format!("BTEC_Students/{student}"))
        .await
        .item()
        .clone();
    assert_eq!(field(&desk, "BTEC_Students", "City").await, Value::Null);
    assert!(record.get("City").is_none());
    assert_eq!(record["Town"], city);
}

#[tokio::test]
async fn fields_need_a_module_that_exists() {
    let desk = Desk::open().await;

    let missing = desk.misuse(Method::GET, "settings/fields", &[], None).await;
    let unknown = desk.get("settings/fields?module=Nothing").await;

    assert_eq!(
        (missing.status, &missing.body["code"]),
        (400, &json!("REQUIRED_PARAM_MISSING"))
    );
    assert_eq!(
        (unknown.status, &unknown.body["code"]),
        (400, &json!("INVALID_MODULE"))
    );
}

#[tokio::test]
async fn the_organisation_can_become_another_one() {
    let desk = Desk::open().await;
    let before = desk.get("org").await.body["org"][0]["zgid"].clone();

    desk.zoho.set_org_id("700000002");

    assert_eq!(before, "700000001");
    assert_eq!(desk.get("org").await.body["org"][0]["zgid"], "700000002");
}

#[tokio::test]
async fn other_paths_and_verbs_are_refused_in_zohos_words() {
    let desk = Desk::open().await;

    let path = desk
        .http
        .get(format!("{}/crm/v7/org", desk.zoho.base_url()))
        .send()
        .await
        .expect("an answer");
    let verb = desk
        .http
        .post(format!("{}/crm/v8/org", desk.zoho.base_url()))
        .send()
        .await
        .expect("an answer");

    assert_eq!(path.status(), 404);
    assert!(
        path.text()
            .await
            .expect("a body")
            .contains("INVALID_URL_PATTERN")
    );
    assert_eq!(verb.status(), 400);
    assert!(
        verb.text()
            .await
            .expect("a body")
            .contains("INVALID_REQUEST_METHOD")
    );
}
