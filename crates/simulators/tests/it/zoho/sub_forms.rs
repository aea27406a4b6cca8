//! Writing the rows of sub-forms.

use serde_json::{Value, json};

use super::support::Desk;

const MODULE: &str = "BTEC_Registrations";

async fn write(desk: &Desk, id: &str, rows: Value) -> Vec<Value> {
    let body = json!({"data": [{"id": id, "Payment_Schedule": rows}]});
    let heard = desk.put(MODULE, body).await;
    assert_eq!(heard.codes(), ["SUCCESS"], "{heard:?}");
    rows_of(desk, id)
}

fn rows_of(desk: &Desk, id: &str) -> Vec<Value> {
    let record = desk.zoho.record(MODULE, id).expect("a registration");
    record["Payment_Schedule"].as_array().expect("rows").clone()
}

#[tokio::test]
async fn rows_without_an_id_are_appended_so_a_repeat_doubles_them() {
    let desk = Desk::open().await;
    let id = desk.first(MODULE);
    let row = json!([{"Installment_No": 9, "Due_Date": "2026-09-01"}]);

    assert_eq!(write(&desk, &id, row.clone()).await.len(), 4);
    assert_eq!(write(&desk, &id, row).await.len(), 5);
}

#[tokio::test]
async fn rows_with_an_id_are_changed_and_the_others_stay() {
    let desk = Desk::open().await;
    let id = desk.first(MODULE);
    let before = rows_of(&desk, &id);

    let after = write(
        &desk,
        &id,
        json!([{"id": before[1]["id"], "Installment_Status": "Paid"}]),
    )
    .await;

    assert_eq!(after[1]["Installment_Status"], "Paid");
    assert_eq!(after[1]["Due_Date"], before[1]["Due_Date"]);
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
}

#[tokio::test]
async fn a_row_is_removed_by_delete_and_all_by_an_empty_list() {
    let desk = Desk::open().await;
    let id = desk.first(MODULE);
    let before = rows_of(&desk, &id);

    let one_less = write(
        &desk,
        &id,
        json!([{"id": before[0]["id"], "_delete": null}]),
    )
    .await;
    let none = write(&desk, &id, json!([])).await;

    assert_eq!(one_less, before[1..]);
    assert!(none.is_empty());
}

#[tokio::test]
async fn a_bad_row_leaves_record_and_rows_untouched() {
    let desk = Desk::open().await;
    let id = desk.first(MODULE);
    let before = desk.zoho.record(MODULE, &id);
    let rows = json!([{"Installment_No": 8}, {"Installment_No": "nine"}]);

    let heard = desk
        .put(
            MODULE,
            json!({"data": [{"id": id, "Intake": "Spring", "Payment_Schedule": rows}]}),
        )
        .await;
    let stranger = desk
        .put(
            MODULE,
            json!({"data": [{"id": id, "Payment_Schedule": [{"id": "1"}]}]}),
        )
        .await;

    assert_eq!(heard.codes(), ["INVALID_DATA"]);
    assert_eq!(
        heard.item()["details"]["json_path"],
        "$.data[0].Payment_Schedule[1].Installment_No"
    );
    assert_eq!(stranger.codes(), ["INVALID_DATA"]);
    assert_eq!(desk.zoho.record(MODULE, &id), before);
}

#[tokio::test]
async fn a_sub_form_holds_a_hundred_rows() {
    let desk = Desk::open().await;
    let id = desk.first(MODULE);
    let rows: Vec<Value> = (0..98)
        .map(|number| json!({"Installment_No": number}))
        .collect();

    let heard = desk
        .put(
            MODULE,
            json!({"data": [{"id": id, "Payment_Schedule": rows}]}),
        )
        .await;
    let fitting = write(&desk, &id, json!(rows[..97])).await;

    assert_eq!(heard.codes(), ["LIMIT_EXCEEDED"]);
    assert_eq!(fitting.len(), 100);
}

#[tokio::test]
async fn deleting_the_parent_hides_its_rows_and_restoring_it_brings_them_back() {
    let desk = Desk::open().await;
    let id = desk.first(MODULE);
    let all = desk.zoho.ids("Payment_Schedule").len();

    desk.delete(&format!("{MODULE}/{id}")).await;
    let hidden = desk.zoho.ids("Payment_Schedule").len();
    desk.zoho.restore(MODULE, &id).expect("it is in the bin");

    assert_eq!(hidden, all - 3);
    assert_eq!(rows_of(&desk, &id).len(), 3);
}
