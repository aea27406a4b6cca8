//! The validator itself, and every simulated operation held against Zoho's files.

use mzi_simulators::conformance::{EXEMPTIONS, Zoho};
use serde_json::json;

use super::support::{Desk, Exchange, Receiver};

fn published() -> Zoho {
    Zoho::load().expect("the published files")
}

#[test]
fn an_answer_of_the_wrong_type_is_refused() {
    let body =
        json!({"data": [{"code": "SUCCESS", "status": "success", "message": 7, "details": {}}]});

    let verdict = published().validate_response(
        "POST",
        "/crm/v8/BTEC_Grades",
        201,
        body.to_string().as_bytes(),
    );

    assert!(verdict.is_err());
}

#[test]
fn an_answer_with_a_key_zoho_does_not_send_is_refused() {
    let body = json!({"data": [], "next": null}).to_string();

    assert!(
        published()
            .validate_response("GET", "/crm/v8/BTEC_Grades", 200, body.as_bytes())
            .is_err()
    );
}

#[test]
fn a_request_with_an_unknown_parameter_is_refused() {
    let zoho = published();

    assert!(
        zoho.validate_request("GET", "/crm/v8/BTEC_Grades", "fields=Name&limit=5", b"")
            .is_err()
    );
    assert!(
        zoho.validate_request("GET", "/crm/v8/BTEC_Grades", "fields=Name&page=2", b"")
            .is_ok()
    );
}

#[test]
fn a_request_with_a_mistyped_body_is_refused() {
    let body = br#"{"data": {"Name": "not a list"}}"#;

    assert!(
        published()
            .validate_request("POST", "/crm/v8/BTEC_Grades", "", body)
            .is_err()
    );
}

#[test]
fn a_call_that_zoho_does_not_have_is_refused() {
    assert!(
        published()
            .validate_request("GET", "/crm/v8/settings/modules/a/b/c", "", b"")
            .is_err()
    );
}

#[test]
fn a_status_that_cannot_be_is_refused() {
    assert!(
        published()
            .validate_response("GET", "/crm/v8/org", 302, b"")
            .is_err()
    );
}

#[tokio::test]
async fn every_exemption_is_needed_by_a_conversation() {
    let exchanges = conversation().await;

    for exemption in EXEMPTIONS {
        let strict = Zoho::load_without(exemption.name);
        let refused = strict.as_ref().is_ok_and(|strict| {
            exchanges.iter().any(|exchange| {
                let Exchange {
                    method,
                    path,
                    query,
                    sent,
                    status,
                    received,
                } = exchange;
                strict.validate_request(method, path, query, sent).is_err()
                    || strict
                        .validate_response(method, path, *status, received)
                        .is_err()
            })
        });
        assert!(
            refused || strict.is_err(),
            "nothing needs the exemption “{}”",
            exemption.name
        );
    }
}

/// One call of every operation, well and badly.
async fn conversation() -> Vec<Exchange> {
    let desk = Desk::open().await;
    let student = desk.first("BTEC_Students");
    let registration = desk.first("BTEC_Registrations");
    desk.get("org").await;
    desk.get("settings/modules").await;
    desk.get("settings/modules/BTEC_Students").await;
    for module in [
        "BTEC_Students",
        "BTEC_Classes",
        "BTEC_Registrations",
        "Products",
        "Payment_Schedule",
    ] {
        desk.get(&format!("settings/fields?module={module}")).await;
    }
    desk.get("BTEC_Students?fields=Name,Email,Program&per_page=5")
        .await;
    desk.get("BTEC_Students").await;
    desk.get(&format!("BTEC_Registrations/{registration}"))
        .await;
    desk.get("BTEC_Students/1").await;
    desk.get("BTEC_Students/search?criteria=(City:equals:Amman)")
        .await;
    desk.get("BTEC_Students/actions/count").await;
    let written = json!({"data": [
        {"Student": {"id": student}, "Moodle_Grade_Composite_Key": "1_2_3", "Grade": "P"},
        {"Student": {"id": student}, "Moodle_Grade_Composite_Key": "1_2_3", "Grade": "P"},
        {"Attempt_Number": "two"}, {"IV_Name": "x".repeat(300)},
    ]});
    desk.post("BTEC_Grades", written).await;
    let upserted = json!({
        "data": [{"Moodle_Grade_Composite_Key": "1_2_4"}, {"Moodle_Grade_Composite_Key": "1_2_4"}],
        "duplicate_check_fields": ["Moodle_Grade_Composite_Key"], "trigger": [],
    });
    desk.post("BTEC_Grades/upsert", upserted).await;
    desk.put(
        &format!("BTEC_Students/{student}"),
        json!({"data": [{"City": "İzmir"}]}),
    )
    .await;
    desk.put(
        "BTEC_Students",
        json!({"data": [{"id": "1", "City": "Oslo"}]}),
    )
    .await;
    desk.delete(&format!("BTEC_Students?ids={student},1")).await;
    desk.zoho
        .purge("BTEC_Students", &student)
        .expect("it is in the bin");
    desk.get("BTEC_Students/deleted?type=all").await;
    desk.get("BTEC_Students?fields=Name&page=11").await;
    channels(&desk).await;
    desk.heard.into_inner().expect("no panic")
}

async fn channels(desk: &Desk) {
    let receiver = Receiver::open().await;
    let fields = desk.get("settings/fields?module=BTEC_Students").await.body;
    let status = fields["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .find(|f| f["api_name"] == "Status");
    let field = json!({"api_name": "Status", "id": status.expect("a field")["id"]});
    let entry = json!({
        "channel_id": "10001", "events": ["BTEC_Students.all", "BTEC_Classes.edit"],
        "notify_url": receiver.url(), "token": "echoed", "channel_expiry": "2020-01-01T00:00:00+00:00",
        "notify_on_related_action": false, "return_affected_field_values": true,
        "notification_condition": [{
            "type": "field_selection", "module": {"api_name": "BTEC_Students", "id": "1"},
            "field_selection": {"group_operator": "or", "group": [{"field": field}]},
        }],
    });
    desk.post("actions/watch", json!({"watch": [entry]})).await;
    desk.get("actions/watch?channel_id=10001").await;
    desk.post("actions/watch", json!({"watch": [{"channel_id": "1"}]}))
        .await;
    desk.put("actions/watch", json!({"watch": [entry]})).await;
    desk.patch(
        "actions/watch",
        json!({"watch": [{"channel_id": "10001", "token": "x".repeat(60)}]}),
    )
    .await;
    let dropped =
        json!({"channel_id": "10001", "events": ["BTEC_Classes.edit"], "_delete_events": true});
    desk.patch("actions/watch", json!({"watch": [dropped]}))
        .await;
    desk.delete("actions/watch?channel_ids=10001").await;
    desk.delete("actions/watch?channel_ids=10001").await;
}
