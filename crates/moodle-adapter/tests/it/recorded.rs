//! A site that answers with recordings.

use std::{fs, path::Path};

use mzi_moodle::MoodleWs;
use serde_json::Value;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string_contains, method},
};

use crate::world;

pub const VERSIONS: [&str; 2] = ["4.5", "5.1"];
pub const TOKEN: &str = "11111111111111111111111111111111";

/// A site under the test's control and its client.
pub struct Recorded {
    pub server: MockServer,
    pub lms: MoodleWs,
}

impl Recorded {
    /// A site on which nobody and nothing is found.
    pub async fn empty() -> Self {
        let server = MockServer::start().await;
        let lms = world::client(world::settings(&server.uri(), TOKEN));
        let site = Self { server, lms };
        for (function, nothing) in [
            ("core_user_get_users_by_field", "[]"),
            ("core_user_get_users", r#"{"users":[],"warnings":[]}"#),
            ("core_course_get_courses_by_field", r#"{"courses":[]}"#),
        ] {
            site.mount(function, json(nothing), 3, u64::MAX).await;
        }
        site
    }

    /// Like an empty site, but one function answers as recorded; `any` stands for all functions.
    pub async fn with(version: &str, fixture: &str, function: &str) -> Self {
        let site = Self::empty().await;
        site.answer(function, recording(version, fixture)).await;
        site
    }

    /// From now on, this function answers so.
    pub async fn answer(&self, function: &str, answer: ResponseTemplate) {
        self.mount(function, answer, 2, u64::MAX).await;
    }

    /// The next call of this function is answered so.
    pub async fn answer_once(&self, function: &str, answer: ResponseTemplate) {
        self.mount(function, answer, 1, 1).await;
    }

    async fn mount(&self, function: &str, answer: ResponseTemplate, priority: u8, times: u64) {
        let wanted = match function {
            "any" => "wsfunction=".to_owned(),
            name => format!("wsfunction={name}&"),
        };
        Mock::given(method("POST"))
            .and(body_string_contains(wanted))
            .respond_with(answer)
            .with_priority(priority)
            .up_to_n_times(times)
            .mount(&self.server)
            .await;
    }

    /// Every body received, in order.
    pub async fn bodies(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap();
        let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
        requests.iter().map(|request| text(&request.body)).collect()
    }

    /// How many calls of a function were received.
    pub async fn calls(&self, function: &str) -> usize {
        let wanted = format!("wsfunction={function}&");
        let bodies = self.bodies().await;
        bodies.iter().filter(|body| body.contains(&wanted)).count()
    }
}

/// A JSON answer as Moodle sends it.
pub fn json(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body, "application/json")
}

/// The answer of a fixture.
pub fn recording(version: &str, fixture: &str) -> ResponseTemplate {
    let recording = read(version, fixture);
    let status = recording["status"].as_u64().unwrap();
    let content_type = recording["content_type"].as_str().unwrap();
    let body = match recording["response_text"].as_str() {
        Some(text) => text.to_owned(),
        None => recording["response"].to_string(),
    };
    ResponseTemplate::new(u16::try_from(status).unwrap()).set_body_raw(body, content_type)
}

/// The function a fixture is about.
pub fn function_of(fixture: &str) -> String {
    let recording = read("5.1", fixture);
    recording["request"]["wsfunction"].as_str().unwrap().into()
}

fn read(version: &str, fixture: &str) -> Value {
    let recordings = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/contracts/moodle-fixtures"
    );
    let file = Path::new(recordings)
        .join(version)
        .join(format!("{fixture}.json"));
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}
