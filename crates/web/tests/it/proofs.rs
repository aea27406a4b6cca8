//! The vectors of the webhooks' proofs, which senders other than Zoho can hold themselves to.

use actix_web::http::Method;
use mzi_application::receive_webhook::WebhookSecret;
use serde::Deserialize;

use crate::bridge::{Bridge, Parts, request};

const VECTORS: &str = include_str!("../../../../docs/contracts/webhooks.json");

#[derive(Deserialize)]
struct File {
    secret: String,
    previous_secret: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    request: Sent,
    expected: Expected,
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    target: String,
    headers: std::collections::BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct Expected {
    status: u16,
    code: Option<String>,
}

#[actix_web::test]
async fn every_vector_has_its_answer() {
    let file: File = serde_json::from_str(VECTORS).unwrap();
    assert!(file.cases.len() >= 25);
    for case in file.cases {
        let secret = WebhookSecret::new(
            file.secret.clone().into(),
            Some(file.previous_secret.clone().into()),
        );
        let bridge = Bridge::with(Parts {
            webhook_secret: secret,
            ..Parts::default()
        });
        let method: Method = case.request.method.parse().unwrap();
        let mut request = request(method, &case.request.target);
        for (name, value) in case.request.headers {
            request = request.insert_header((name, value));
        }
        let answer = bridge.send(request.set_payload(case.request.body)).await;

        assert_eq!(
            answer.status, case.expected.status,
            "{}: {answer:?}",
            case.name
        );
        if let Some(code) = case.expected.code {
            assert_eq!(answer.problem().1, code, "{}", case.name);
        }
        let taken_in = usize::from(case.expected.status == 202);
        assert_eq!(bridge.store.events().len(), taken_in, "{}", case.name);
    }
}
