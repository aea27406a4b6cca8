//! Scripted faults, as the bridge's tests use them.

use mzi_simulators::faults::{Effect, Fault, Matcher};
use serde_json::{Value, json};

use super::support::Desk;

impl Desk {
    /// Sends an upsert whose answer may not come.
    async fn upsert(&self, key: &str) -> Result<u16, reqwest::Error> {
        let body = json!({"data": [{"Moodle_Grade_Composite_Key": key}]});
        let url = format!("{}/crm/v8/BTEC_Grades/upsert", self.zoho.base_url());
        let request = self
            .http
            .post(url)
            .header("authorization", format!("Zoho-oauthtoken {}", self.token));
        let answer = request.body(body.to_string()).send().await?;
        let status = answer.status().as_u16();
        answer.bytes().await?;
        Ok(status)
    }

    fn graded(&self) -> usize {
        self.zoho.ids("BTEC_Grades").len()
    }
}

#[tokio::test]
async fn a_reset_before_applies_nothing_and_a_reset_after_does() {
    let desk = Desk::open().await;
    let before = desk.graded();

    desk.zoho.fault(Fault::once("/upsert", Effect::ResetBefore));
    assert!(desk.upsert("1").await.is_err());
    assert_eq!(desk.graded(), before);

    desk.zoho.fault(Fault::once("/upsert", Effect::ResetAfter));
    assert!(desk.upsert("1").await.is_err());
    assert_eq!(desk.graded(), before + 1);
    assert_eq!(desk.upsert("1").await.expect("an answer"), 200);
    assert_eq!(desk.graded(), before + 1);
}

#[tokio::test]
async fn a_truncated_answer_was_applied() {
    let desk = Desk::open().await;
    let before = desk.graded();
    desk.zoho
        .fault(Fault::once("/upsert", Effect::Truncate { bytes: 10 }));

    assert!(desk.upsert("1").await.is_err());

    assert_eq!(desk.graded(), before + 1);
}

#[tokio::test]
async fn any_answer_can_be_scripted() {
    let desk = Desk::open().await;
    let before = desk.graded();
    let effect = Effect::Status {
        code: 503,
        headers: [("Retry-After".to_owned(), "7".to_owned())].into(),
        body: Value::String("<html>down for maintenance</html>".to_owned()),
    };
    desk.zoho.fault(Fault {
        when: Matcher {
            times: Some(2),
            ..Matcher::default()
        },
        effect,
    });

    assert_eq!(desk.upsert("1").await.expect("an answer"), 503);
    assert_eq!(desk.upsert("1").await.expect("an answer"), 503);
    assert_eq!(desk.upsert("1").await.expect("an answer"), 200);
    assert_eq!(desk.graded(), before + 1);
}

#[tokio::test]
async fn a_scripted_rate_limit_may_say_when_to_come_back() {
    let desk = Desk::open().await;
    desk.zoho.fault(Fault::once(
        "/org",
        Effect::RateLimit {
            retry_after: Some(3),
        },
    ));
    desk.zoho
        .fault(Fault::once("/org", Effect::RateLimit { retry_after: None }));

    let first = desk.get("org").await;
    let second = desk.get("org").await;

    assert_eq!(
        (first.status, &first.body["code"]),
        (429, &json!("TOO_MANY_REQUESTS"))
    );
    assert_eq!(first.headers["retry-after"], "3");
    assert_eq!(
        (second.status, second.headers.get("retry-after")),
        (429, None)
    );
}

#[tokio::test]
async fn a_token_can_seem_revoked_for_one_call() {
    let desk = Desk::open().await;
    desk.zoho.fault(Fault::once("/org", Effect::TokenRevoked));

    let first = desk.get("org").await;

    assert_eq!(
        (first.status, &first.body["code"]),
        (401, &json!("INVALID_TOKEN"))
    );
    assert_eq!(desk.get("org").await.status, 200);
}

#[tokio::test]
async fn calls_are_counted_by_operation_and_by_the_most_at_once() {
    let desk = Desk::open().await;
    desk.zoho.clear_calls();
    desk.zoho.fault(Fault::always(Effect::Latency { ms: 100 }));

    tokio::join!(
        desk.get("org"),
        desk.get("org"),
        desk.get("BTEC_Students?fields=Name")
    );

    let calls = desk.zoho.calls();
    assert_eq!(
        (calls.of("org"), calls.of("records.list"), calls.total),
        (2, 1, 3)
    );
    assert_eq!((calls.max_in_flight, calls.in_flight), (3, 0));
    assert!(calls.last.iter().all(|call| call.status == Some(200)));
}
