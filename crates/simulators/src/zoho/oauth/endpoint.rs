//! `POST /oauth/v2/token` and `/oauth/v2/token/revoke` (`zoho.md` §1.2).
//!
//! Errors are HTTP 200 with `{"error": …}`; only throttling has a status of its own.

use serde_json::json;

use super::{
    CLIENT_ID, CLIENT_SECRET,
    book::{Denied, Terms},
};
use crate::{
    joined, locked,
    serve::{Answer, Request},
    zoho::{options::Throttle, world::World},
};

/// Answers a request for a token; parameters ride in the form body or in the query.
pub(in crate::zoho) fn token(world: &World, request: &Request) -> Answer {
    let parameters = Parameters::of(request);
    let granted = match parameters.get("grant_type") {
        "authorization_code" => exchange(world, &parameters),
        "refresh_token" => refresh(world, &parameters),
        _ => Err(Refused::Error("unsupported_grant_type")),
    };
    match granted {
        Ok(answer) => answer,
        Err(Refused::Error(error)) => Answer::json(200, &json!({"error": error})),
        Err(Refused::Throttled) => throttled(world.options.throttle),
    }
}

/// Answers a request to revoke a refresh token.
pub(in crate::zoho) fn revoke(world: &World, request: &Request) -> Answer {
    let parameters = Parameters::of(request);
    if locked(&world.tokens).revoke(parameters.get("token")) {
        Answer::json(200, &json!({"status": "success"}))
    } else {
        Answer::json(200, &json!({"error": "invalid_code"}))
    }
}

enum Refused {
    Error(&'static str),
    Throttled,
}

fn exchange(world: &World, parameters: &Parameters) -> Result<Answer, Refused> {
    parameters.check_client()?;
    let refresh_token = locked(&world.tokens).exchange(parameters.get("code"), world.now());
    let refresh_token = refresh_token.ok_or(Refused::Error("invalid_code"))?;
    give(world, &refresh_token, true)
}

fn refresh(world: &World, parameters: &Parameters) -> Result<Answer, Refused> {
    parameters.check_client()?;
    give(world, parameters.get("refresh_token"), false)
}

fn give(world: &World, refresh_token: &str, first: bool) -> Result<Answer, Refused> {
    let options = &world.options;
    let terms = Terms {
        life: options.token_life_seconds,
        per_window: options.tokens_per_ten_minutes,
        live: options.live_tokens,
    };
    let given = locked(&world.tokens).refresh(refresh_token, world.now(), terms);
    let given = given.map_err(|denied| match denied {
        Denied::InvalidCode => Refused::Error("invalid_code"),
        Denied::Throttled => Refused::Throttled,
    })?;
    let body = json!({
        "access_token": given.access_token,
        "scope": given.scopes.replace(',', " "),
        "api_domain": options.api_domain.clone().unwrap_or_else(|| world.base_url.clone()),
        "token_type": "Bearer",
        "expires_in": options.token_life_seconds,
    });
    let refresh_token = if first {
        json!({"refresh_token": refresh_token})
    } else {
        json!({})
    };
    Ok(Answer::json(200, &joined(body, refresh_token)))
}

fn throttled(how: Throttle) -> Answer {
    let description =
        "You have made too many requests continuously. Please try again after some time.";
    let status = match how {
        Throttle::BadRequest => 400,
        Throttle::AccessDenied => 200,
    };
    Answer::json(
        status,
        &json!({"error_description": description, "error": "Access Denied", "status": "failure"}),
    )
}

struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(request: &Request) -> Self {
        let mut pairs = request.form_pairs();
        pairs.extend(request.query_pairs());
        Self(pairs)
    }

    /// A parameter's value; empty when it is missing.
    fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    fn check_client(&self) -> Result<(), Refused> {
        if self.get("client_id") != CLIENT_ID {
            return Err(Refused::Error("invalid_client"));
        }
        if self.get("client_secret") != CLIENT_SECRET {
            return Err(Refused::Error("invalid_client_secret"));
        }
        Ok(())
    }
}
