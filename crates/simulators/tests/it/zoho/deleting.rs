//! Deleting records and listing deletions.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::Desk;

#[tokio::test]
async fn each_id_of_a_deletion_has_its_own_result() {
    let desk = Desk::open().await;
    let id = desk.first("BTEC_Students");

    let heard = desk.delete(&format!("BTEC_Students?ids={id},1")).await;
    let again = desk.delete(&format!("BTEC_Students/{id}")).await;

    assert_eq!(
        (heard.status, heard.codes()),
        (207, vec!["SUCCESS", "INVALID_DATA"])
    );
    assert_eq!(heard.items()[0]["message"], "record deleted");
    assert_eq!((again.status, again.codes()), (400, vec!["INVALID_DATA"]));
    assert_eq!(desk.get(&format!("BTEC_Students/{id}")).await.status, 204);
}

#[tokio::test]
async fn a_deletion_is_listed_until_the_record_is_restored() {
    let desk = Desk::open().await;
    let id = desk.first("BTEC_Students");
    assert_eq!(desk.get("BTEC_Students/deleted?type=all").await.status, 204);

    desk.zoho.delete("BTEC_Students", &id).expect("deleted");
    let listed = desk.get("BTEC_Students/deleted?type=recycle").await;
    desk.zoho.restore("BTEC_Students", &id).expect("restored");

    assert_eq!(listed.item()["id"], id.as_str());
    assert_eq!(
        (&listed.item()["type"], &listed.item()["display_name"]),
        (&json!("recycle"), &json!("ST-000001"))
    );
    assert_eq!(listed.item()["deleted_by"]["name"], "Rana Registrar");
    assert_eq!(desk.get("BTEC_Students/deleted?type=all").await.status, 204);
    assert_eq!(desk.get(&format!("BTEC_Students/{id}")).await.status, 200);
}

#[tokio::test]
async fn a_permanent_deletion_is_listed_with_nulls() {
    let desk = Desk::open().await;
    let id = desk.first("BTEC_Students");
    desk.zoho.delete("BTEC_Students", &id).expect("deleted");
    desk.zoho.purge("BTEC_Students", &id).expect("purged");

    let listed = desk.get("BTEC_Students/deleted?type=permanent").await;

    assert_eq!(listed.item()["display_name"], Value::Null);
    assert_eq!(listed.item()["deleted_by"], Value::Null);
    assert_eq!(
        desk.get("BTEC_Students/deleted?type=recycle").await.status,
        204
    );
}

#[tokio::test]
async fn deletions_are_forgotten_after_sixty_days() {
    let desk = Desk::open().await;
    desk.zoho
        .delete("BTEC_Students", &desk.first("BTEC_Students"))
        .expect("deleted");
    let listed_after = async |days: i64| {
        desk.zoho.advance(TimeDelta::days(days));
        let bearer = format!("Zoho-oauthtoken {}", desk.new_token().await);
        let headers = [("authorization", bearer.as_str())];
        desk.call(
            Method::GET,
            "BTEC_Students/deleted?type=all",
            &headers,
            None,
        )
        .await
        .status
    };

    assert_eq!(listed_after(59).await, 200);
    assert_eq!(listed_after(2).await, 204);
}

#[tokio::test]
async fn newer_deletions_only_are_listed_and_none_is_304() {
    let desk = Desk::open().await;
    let ids = desk.zoho.ids("BTEC_Students");
    desk.zoho.delete("BTEC_Students", &ids[0]).expect("deleted");
    desk.zoho.advance(TimeDelta::minutes(10));
    let between = desk.zoho.now() - TimeDelta::minutes(1);
    desk.zoho.delete("BTEC_Students", &ids[1]).expect("deleted");
    let since = async |time: chrono::DateTime<chrono::Utc>| {
        let headers = [("If-Modified-Since", time.to_rfc3339())];
        let headers = [(headers[0].0, headers[0].1.as_str())];
        desk.call(
            Method::GET,
            "BTEC_Students/deleted?type=all",
            &headers,
            None,
        )
        .await
    };

    let newer = since(between).await;
    let none = since(desk.zoho.now() + TimeDelta::minutes(1)).await;

    assert_eq!(newer.item()["id"], ids[1].as_str());
    assert_eq!((none.status, none.body), (304, Value::Null));
}
