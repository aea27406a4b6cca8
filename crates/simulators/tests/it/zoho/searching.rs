//! Search and count.

use chrono::TimeDelta;
use mzi_simulators::zoho::ZohoOptions;
use reqwest::Method;
use serde_json::json;

use super::support::Desk;

async fn found(desk: &Desk, module: &str, criteria: &str) -> Vec<String> {
    let encoded: String = url::form_urlencoded::byte_serialize(criteria.as_bytes()).collect();
    let heard = desk
        .get(&format!("{module}/search?fields=Name&criteria={encoded}"))
        .await;
    assert!([200, 204].contains(&heard.status), "{heard:?}");
    heard
        .items()
        .iter()
        .map(|item| item["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn equals_behaves_like_contains_on_text() {
    let desk = Desk::open().await;
    let insert = |name: &str| {
        desk.zoho
            .insert("BTEC_Classes", &json!({"Class_Name": name}))
            .expect("a class")
    };
    let (exact, longer) = (insert("Alpha"), insert("The Alphabet"));

    assert_eq!(
        found(&desk, "BTEC_Classes", "(Class_Name:equals:alpha)").await,
        [longer, exact]
    );
}

#[tokio::test]
async fn equals_is_exact_on_lookups_numbers_and_picklists() {
    let desk = Desk::open().await;
    let class = desk.first("BTEC_Classes");
    let by_hand = desk.zoho.records("BTEC_Enrollments");
    let by_hand = by_hand
        .iter()
        .filter(|record| record["Classes"]["id"] == class.as_str())
        .count();

    assert_eq!(
        found(
            &desk,
            "BTEC_Enrollments",
            &format!("(Classes:equals:{class})")
        )
        .await
        .len(),
        by_hand
    );
    assert!(
        found(&desk, "BTEC_Payments", "(Payment_Amount:equals:80)")
            .await
            .is_empty()
    );
    assert_eq!(
        found(&desk, "BTEC_Payments", "(Payment_Amount:equals:800.0)")
            .await
            .len(),
        30
    );
    assert!(
        found(&desk, "BTEC_Classes", "(Class_Status:equals:Act)")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn conditions_are_joined_and_nested() {
    let desk = Desk::open().await;
    let insert = |city: &str, number: i64| {
        let fields = json!({"City": city, "Index": number, "Birth_Place": "Here (there)"});
        desk.zoho
            .insert("BTEC_Students", &fields)
            .expect("a student")
    };
    let (a, b, c) = (insert("Rome", 1), insert("Rome", 2), insert("Oslo", 3));

    let both = "((Index:greater_equal:1)and(City:equals:Rome))";
    assert_eq!(
        found(&desk, "BTEC_Students", both).await,
        [b.clone(), a.clone()]
    );
    let nested = "((Index:between:2,3)and((City:equals:Oslo)or(City:starts_with:ro)))";
    assert_eq!(
        found(&desk, "BTEC_Students", nested).await,
        [c.clone(), b.clone()]
    );
    assert_eq!(
        found(&desk, "BTEC_Students", "(Index:in:1,3)").await,
        [c.clone(), a.clone()]
    );
    let escaped = r"(Birth_Place:equals:Here \(there\))";
    assert_eq!(found(&desk, "BTEC_Students", escaped).await, [c, b, a]);
}

#[tokio::test]
async fn malformed_criteria_are_refused() {
    let desk = Desk::open().await;
    let eleven = format!("({})", ["(City:equals:Rome)"; 11].join("and"));

    for criteria in [
        "City:equals:Rome",
        "(Nonsense:equals:1)",
        "(City:like:R)",
        "((City:equals:a)xor(City:equals:b))",
        &eleven,
    ] {
        let heard = desk
            .get(&format!("BTEC_Students/search?criteria={criteria}"))
            .await;
        assert_eq!(
            (heard.status, &heard.body["code"]),
            (400, &json!("INVALID_QUERY")),
            "{criteria}"
        );
    }
    let heard = desk.get("BTEC_Students/search").await;
    assert_eq!(heard.body["code"], "REQUIRED_PARAM_MISSING");
}

#[tokio::test]
async fn an_address_and_a_word_are_found() {
    let desk = Desk::open().await;
    let student = desk
        .zoho
        .record("BTEC_Students", &desk.first("BTEC_Students"))
        .expect("a student");
    let address = student["Academic_Email"]
        .as_str()
        .expect("an address")
        .to_uppercase();

    let by_address = desk
        .get(&format!("BTEC_Students/search?email={address}"))
        .await;
    let by_word = desk.get("BTEC_Students/search?word=st-000001").await;

    assert_eq!(by_address.item()["id"], student["id"]);
    assert_eq!(by_word.item()["id"], student["id"]);
}

#[tokio::test]
async fn a_new_record_shows_in_searches_only_after_the_lag() {
    let options = ZohoOptions {
        students: 0,
        search_lag_seconds: 60,
        ..ZohoOptions::default()
    };
    let desk = Desk::with(options).await;
    let id = desk
        .zoho
        .insert("BTEC_Students", &json!({"City": "Rome"}))
        .expect("a student");

    assert!(
        found(&desk, "BTEC_Students", "(City:equals:Rome)")
            .await
            .is_empty()
    );
    assert_eq!(
        desk.get("BTEC_Students?fields=City").await.item()["id"],
        id.as_str()
    );
    desk.zoho.advance(TimeDelta::seconds(61));
    assert_eq!(
        found(&desk, "BTEC_Students", "(City:equals:Rome)").await,
        [id]
    );
}

#[tokio::test]
async fn counts_are_numbers() {
    let desk = Desk::open().await;

    let all = desk.get("BTEC_Students/actions/count").await;
    let some = desk
        .misuse(
            Method::GET,
            "BTEC_Students/actions/count?criteria=(Gender:equals:Male)",
            &[],
            None,
        )
        .await;

    assert_eq!(all.body, json!({"count": 30}));
    let male = desk
        .zoho
        .records("BTEC_Students")
        .iter()
        .filter(|record| record["Gender"] == "Male")
        .count();
    assert_eq!(some.body, json!({"count": male}));
}
