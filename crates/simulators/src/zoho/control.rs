//! The control interface `/_control/…`: what the Rust handle does, for a shell or another process.
//!
//! It is documented in the crate's `README.md`.

use chrono::TimeDelta;
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    oauth::{CLIENT_ID, CLIENT_SECRET, GRANT_CODE, REFRESH_TOKEN},
    refusal::Refusal,
    world::World,
};
use crate::{
    faults::Fault,
    locked,
    serve::{Answer, Request},
};

mod records;

/// Answers a call of the control interface; `path` is what follows `/_control/`.
pub(super) fn answer(world: &World, request: &Request, path: &str) -> Answer {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let outcome = match parts.as_slice() {
        ["records", rest @ ..] => records::answer(world, request, rest),
        ["fields", module, field] => records::alter_field(world, request, module, field),
        [what] => act(world, request, what),
        _ => Err(Refusal::invalid_url()),
    };
    outcome.unwrap_or_else(|refusal| refusal.answer())
}

fn act(world: &World, request: &Request, what: &str) -> Result<Answer, Refusal> {
    match (&request.method, what) {
        (&Method::GET, "credentials") => Ok(Answer::json(200, &credentials(world))),
        (&Method::GET, "faults") => {
            let faults: Vec<Value> = (world.faults.list().iter())
                .map(|(fault, met)| json!({"fault": fault, "met": met}))
                .collect();
            Ok(Answer::json(200, &json!({"faults": faults})))
        }
        (&Method::POST, "faults") => {
            world.faults.add(parsed::<Fault>(request)?);
            Ok(Answer::empty(204))
        }
        (&Method::DELETE, "faults") => {
            world.faults.clear();
            Ok(Answer::empty(204))
        }
        (&Method::GET, "calls") => Ok(Answer::json(200, &world.calls.snapshot())),
        (&Method::DELETE, "calls") => {
            world.calls.clear();
            Ok(Answer::empty(204))
        }
        (&Method::GET, "channels") => Ok(Answer::json(
            200,
            &json!({"channels": super::watch::details_of_all(world)}),
        )),
        (&Method::GET, "deliveries") => Ok(Answer::json(
            200,
            &json!({"deliveries": world.outbox.deliveries()}),
        )),
        (&Method::GET, "clock") => Ok(clock(world)),
        (&Method::POST, "clock") => {
            parsed::<ClockChange>(request)?.apply(world);
            Ok(clock(world))
        }
        (&Method::POST, "tokens") => {
            parsed::<TokenChange>(request)?.apply(world);
            Ok(Answer::empty(204))
        }
        (&Method::PUT, "org") => {
            locked(&world.org_id).clone_from(&parsed::<OrgChange>(request)?.zgid);
            Ok(Answer::empty(204))
        }
        _ => Err(Refusal::invalid_url()),
    }
}

fn credentials(world: &World) -> Value {
    json!({
        "base_url": world.base_url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN, "grant_code": GRANT_CODE,
    })
}

fn clock(world: &World) -> Answer {
    let body = json!({
        "now": world.clock.now(), "offset_seconds": world.clock.offset().num_seconds(),
    });
    Answer::json(200, &body)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    offset_seconds: Option<i64>,
    #[serde(default)]
    advance_seconds: i64,
}

impl ClockChange {
    fn apply(&self, world: &World) {
        if let Some(offset) = self.offset_seconds.and_then(TimeDelta::try_seconds) {
            world.clock.set_offset(offset);
        }
        if let Some(by) = TimeDelta::try_seconds(self.advance_seconds) {
            world.clock.advance(by);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum TokenChange {
    /// Revokes a refresh or access token.
    Revoke(String),
    /// Makes a refresh token valid.
    Allow(String),
    /// Ends every access token.
    EndAccessTokens,
    /// Adds a grant code that lives ten minutes.
    AddCode(String),
    /// Changes the scopes of new tokens.
    SetScopes(String),
}

impl TokenChange {
    fn apply(&self, world: &World) {
        let now = world.now();
        let mut tokens = locked(&world.tokens);
        match self {
            Self::Revoke(token) => {
                tokens.revoke(token);
            }
            Self::Allow(token) => tokens.allow_refresh_token(token),
            Self::EndAccessTokens => tokens.end_access_tokens(),
            Self::AddCode(code) => tokens.add_code(code, now + 600),
            Self::SetScopes(scopes) => tokens.set_scopes(scopes),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrgChange {
    zgid: String,
}

/// The body of a control call; a mistake in it is named, for people type these by hand.
fn parsed<T: for<'de> Deserialize<'de>>(request: &Request) -> Result<T, Refusal> {
    serde_json::from_slice(&request.body)
        .map_err(|error| Refusal::invalid_data().with(json!({"reason": error.to_string()})))
}
