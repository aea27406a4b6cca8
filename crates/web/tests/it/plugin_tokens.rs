//! The vectors shared with the plugin, and what is promised of its secrets.

use chrono::{DateTime, Utc};
use mzi_web::{
    auth::{
        plugin_token::{Bound, PluginTokens, request_binding},
        student::StudentReader,
    },
    problem::Problem,
};
use secrecy::SecretString;
use serde::Deserialize;

use crate::{
    bridge::{Bridge, PLUGIN_SECRET, Parts, SITE, bearing, request},
    tokens::{claims, signed, token},
};

const VECTORS: &str = include_str!("../../../../docs/contracts/plugin-tokens.json");
const PROFILE: &str = "/api/v1/student/profile";
const LINK: &str = "/api/v1/student/link";

#[derive(Deserialize)]
struct File {
    key_id: String,
    secret: String,
    previous_secret: String,
    issuers: Vec<String>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    now: DateTime<Utc>,
    request: RequestLine,
    claims: serde_json::Value,
    token: String,
    verdicts: Vec<String>,
}

#[derive(Deserialize)]
struct RequestLine {
    method: String,
    target: String,
    body: String,
}

impl File {
    fn read() -> Self {
        serde_json::from_str(VECTORS).unwrap()
    }

    fn tokens(&self) -> PluginTokens {
        let previous = SecretString::from(self.previous_secret.clone());
        PluginTokens::new(
            &SecretString::from(self.secret.clone()),
            Some(&previous),
            self.key_id.clone(),
            self.issuers.clone(),
        )
        .unwrap()
    }
}

impl Vector {
    fn bound(&self) -> Bound<'_> {
        Bound {
            method: &self.request.method,
            target: &self.request.target,
            body: self.request.body.as_bytes(),
        }
    }

    /// What the bridge makes of the token: on a student's route it must admit them, too.
    fn verdict(&self, tokens: &PluginTokens) -> &'static str {
        let verified = tokens.verify(&self.token, self.bound(), self.now);
        let admitted = verified.and_then(|verified| {
            if self.request.target.starts_with("/api/v1/student/") {
                StudentReader::admitted(verified).map(|_| ())
            } else {
                Ok(())
            }
        });
        admitted.map_or_else(Problem::code, |()| "ok")
    }
}

#[test]
fn every_vector_has_its_verdict() {
    let file = File::read();
    let tokens = file.tokens();
    for vector in &file.vectors {
        for (turn, expected) in vector.verdicts.iter().enumerate() {
            assert_eq!(
                vector.verdict(&tokens),
                expected,
                "{}, turn {turn}",
                vector.name
            );
        }
    }
    assert!(file.vectors.len() >= 40);
}

#[test]
fn good_vectors_are_bound_to_their_request() {
    for vector in File::read().vectors {
        if vector.verdicts[0] == "ok" {
            assert_eq!(
                vector.claims["rb"],
                request_binding(vector.bound()),
                "{}",
                vector.name
            );
        }
    }
}

#[test]
fn a_secret_shorter_than_32_bytes_is_refused_and_white_space_does_not_count() {
    let made = |secret: &str, previous: Option<&str>| {
        let previous = previous.map(SecretString::from);
        let secret = SecretString::from(secret);
        PluginTokens::new(
            &secret,
            previous.as_ref(),
            "primary".into(),
            vec![SITE.into()],
        )
    };
    assert!(made("0123456789abcdef0123456789abcde", None).is_err());
    assert!(made("  0123456789abcdef0123456789abcde  ", None).is_err());
    assert!(made("0123456789abcdef0123456789abcdef", None).is_ok());
    assert!(made(PLUGIN_SECRET, Some("short")).is_err());
}

#[actix_web::test]
async fn a_secret_with_surrounding_white_space_is_the_same_secret() {
    let padded = SecretString::from(format!("\n {PLUGIN_SECRET}\t\n"));
    let plugin = PluginTokens::new(&padded, None, "primary".into(), vec![SITE.into()]);
    let bridge = Bridge::with(Parts {
        plugin: plugin.ok(),
        ..Parts::default()
    });
    assert_eq!(bridge.get_as(&token(42, LINK), LINK).await.status, 200);
}

#[actix_web::test]
async fn a_token_works_once() {
    let bridge = Bridge::new();
    let once = token(42, LINK);

    assert_eq!(bridge.get_as(&once, LINK).await.status, 200);
    let again = bridge.get_as(&once, LINK).await;

    assert_eq!(again.problem(), (401, "invalid_token".into()));
}

#[actix_web::test]
async fn the_target_is_bound_as_it_stands_in_the_request_line() {
    let bridge = Bridge::new();
    for target in [
        "/api/v1/student/link?",
        "/api/v1/student/link?b=2&a=1",
        "/api/v1/student/link?q=O%27Neil+%c3%a9&&=",
    ] {
        let answer = bridge.get_as(&token(42, target), target).await;
        assert_eq!(answer.status, 200, "{target}");
    }
    let reordered = token(42, "/api/v1/student/link?a=1&b=2");
    let answer = bridge
        .get_as(&reordered, "/api/v1/student/link?b=2&a=1")
        .await;
    assert_eq!(answer.problem(), (401, "invalid_token".into()));
}

#[actix_web::test]
async fn a_body_that_was_not_bound_is_refused() {
    let bridge = Bridge::new();
    let request = bearing(request("GET".parse().unwrap(), LINK), &token(42, LINK));

    let answer = bridge.send(request.set_payload("{}")).await;

    assert_eq!(answer.problem(), (401, "invalid_token".into()));
}

#[actix_web::test]
async fn the_wrong_scope_is_403_and_a_faulty_token_401() {
    let bridge = Bridge::new();
    let mut scope = claims(42, PROFILE);
    scope["scope"] = "staff.read".into();
    let mut system = claims(42, PROFILE);
    system["sub"] = "moodle:system".into();

    let refused = bridge.get_as(&signed(&scope), PROFILE).await;
    assert_eq!(refused.problem(), (403, "scope_not_allowed".into()));
    for token in [signed(&system), "no.token.atall".into(), String::new()] {
        let refused = bridge.get_as(&token, PROFILE).await;
        assert_eq!(refused.problem(), (401, "invalid_token".into()));
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    }
}

#[actix_web::test]
async fn staff_may_read_on_behalf_of_a_student() {
    let bridge = Bridge::new();
    let mut claims = claims(42, LINK);
    claims["act"] = serde_json::json!({"sub": "moodle:user:7"});

    assert_eq!(bridge.get_as(&signed(&claims), LINK).await.status, 200);
}

#[actix_web::test]
async fn without_a_shared_secret_the_plugin_is_told_so() {
    let bridge = Bridge::with(Parts {
        plugin: None,
        ..Parts::default()
    });

    let answer = bridge.get_as(&token(42, LINK), LINK).await;

    assert_eq!(answer.problem(), (503, "plugin_disabled".into()));
}
