//! Organisation, modules and fields in every shape they are known to have.

use mzi_ports::{
    Crm, CrmError,
    crm::{CrmField, CrmModule, Organisation},
};
use serde_json::json;
use wiremock::{ResponseTemplate, matchers::query_param};

use crate::world::{MODULE, Zoho, api, modules, ok};

#[tokio::test]
async fn the_organisations_id_may_be_text_or_a_number() {
    for zgid in [json!("60001234567"), json!(60_001_234_567_u64)] {
        let zoho = Zoho::start().await;
        let org = json!({"org": [{"zgid": zgid, "company_name": "Invented College", "time_zone": "Asia/Amman", "id": "900"}]});
        zoho.answers(api("GET", "org"), ok(org)).await;
        let expected = Organisation {
            id: "60001234567".into(),
            name: Some("Invented College".into()),
            time_zone: Some("Asia/Amman".into()),
        };
        assert_eq!(zoho.crm().organisation().await, Ok(expected));
    }
}

#[tokio::test]
async fn an_answer_without_organisation_makes_no_sense() {
    let zoho = Zoho::start().await;
    zoho.answers(api("GET", "org"), ok(json!({"org": []})))
        .await;
    let error = zoho.crm().organisation().await.unwrap_err();
    assert!(matches!(error, CrmError::Protocol { .. }), "{error:?}");
}

#[tokio::test]
async fn a_module_without_api_name_is_left_out() {
    let zoho = Zoho::start().await;
    let body = json!({"modules": [
        {"api_name": "BTEC_Enrollments", "plural_label": "BTEC Enrollments", "generated_type": "linking", "api_supported": true},
        {"api_name": null, "plural_label": "Ghosts", "generated_type": "web", "api_supported": false},
    ]});
    zoho.answers(modules(), ok(body)).await;
    let expected = CrmModule {
        api_name: "BTEC_Enrollments".into(),
        label: "BTEC Enrollments".into(),
        generated_type: "linking".into(),
        api_supported: true,
    };
    assert_eq!(zoho.crm().modules().await, Ok(vec![expected]));
}

#[tokio::test]
async fn fields_are_read_in_old_shapes_and_new() {
    let zoho = Zoho::start().await;
    let body = json!({"fields": [
        {"api_name": "Grade", "field_label": "Grade", "display_label": "Letter", "data_type": "picklist", "length": 120,
         "unique": {}, "read_only": false, "lookup": {},
         "pick_list_values": [{"display_value": "Pass", "actual_value": "P"}, {"display_value": "M"}]},
        {"api_name": "Student", "field_label": "Student", "data_type": "lookup", "length": "120",
         "unique": {}, "field_read_only": true, "lookup": {"module": {"api_name": "BTEC_Students", "id": "1"}}},
        {"api_name": "Class", "data_type": "lookup", "lookup": {"module": "BTEC_Classes"}, "pick_list_values": null},
        {"api_name": "Key", "data_type": "text", "unique": {"casesensitive": false}},
    ]});
    let request = api("GET", "settings/fields").and(query_param("module", MODULE));
    zoho.answers(request, ok(body)).await;

    let fields = zoho.crm().fields(MODULE).await.unwrap();

    let plain = |api_name: &str, label: &str, data_type: &str| CrmField {
        api_name: api_name.into(),
        label: label.into(),
        data_type: data_type.into(),
        length: None,
        unique: false,
        read_only: false,
        lookup_module: None,
        picklist: Vec::new(),
    };
    let expected = [
        CrmField {
            length: Some(120),
            picklist: vec!["P".into(), "M".into()],
            ..plain("Grade", "Letter", "picklist")
        },
        CrmField {
            length: Some(120),
            read_only: true,
            lookup_module: Some("BTEC_Students".into()),
            ..plain("Student", "Student", "lookup")
        },
        CrmField {
            lookup_module: Some("BTEC_Classes".into()),
            ..plain("Class", "Class", "lookup")
        },
        CrmField {
            unique: true,
            ..plain("Key", "Key", "text")
        },
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_module_without_fields_to_show_has_none() {
    let zoho = Zoho::start().await;
    zoho.answers(api("GET", "settings/fields"), ResponseTemplate::new(204))
        .await;
    assert_eq!(zoho.crm().fields(MODULE).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_modules_name_cannot_lead_to_another_path() {
    let zoho = Zoho::start().await;
    let crm = zoho.crm();
    for name in ["", "BTEC/../org", "BTEC?x=1", "actions/watch", "Ä"] {
        let error = crm.fields(name).await.unwrap_err();
        assert!(matches!(&error, CrmError::Rejected { code, .. } if code == "INVALID_MODULE"));
    }
    assert_eq!(zoho.server.received_requests().await.unwrap().len(), 0);
}
