//! One call to Moodle, and the one place where an answer becomes an error.
//!
//! Moodle answers HTTP 200 to nearly everything (contracts/moodle.md §3): an object with
//! `exception` is a refusal. Other statuses come from the web server, a proxy, or a site whose
//! web services are switched off.

use std::time::Duration;

use mzi_ports::LmsError;
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use crate::{
    exception, form::Form, function::Function, limiter::Limiter, settings::MoodleSettings, wire,
};

/// More than any answer asked for here; a whole class list with all fields is 100 kB.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

pub(crate) struct Transport {
    http: reqwest::Client,
    endpoint: Url,
    token: SecretString,
    timeout: Duration,
    limiter: Limiter,
}

impl Transport {
    pub(crate) fn new(settings: MoodleSettings, http: reqwest::Client) -> Self {
        Self {
            http,
            endpoint: settings.endpoint,
            token: settings.token,
            timeout: settings.timeout,
            limiter: Limiter::new(settings.parallel_calls),
        }
    }

    /// Calls a function and reads its answer.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        function: Function,
        parameters: Form,
    ) -> Result<T, LmsError> {
        let place = self.limiter.enter().await;
        let started = Instant::now();
        let answer = self.exchange(function, parameters).await;
        place.leave(matches!(&answer, Err(error) if is_overload(error)));
        let outcome = answer.and_then(|body| read(function, &body));
        tracing::debug!(
            moodle.function = function.name(),
            moodle.ok = outcome.is_ok(),
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "called Moodle"
        );
        outcome
    }

    /// The body of an answer with status 200.
    async fn exchange(&self, function: Function, parameters: Form) -> Result<Vec<u8>, LmsError> {
        let form = parameters
            .with("wsfunction", function.name())
            .with("moodlewsrestformat", "json")
            .with("wstoken", self.token.expose_secret());
        let sent = self
            .http
            .post(self.endpoint.clone())
            .timeout(self.timeout)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.encode())
            .send()
            .await;
        let response = sent.map_err(|error| unanswered(function, &error))?;
        if response.status() == StatusCode::OK {
            return body(function, response).await;
        }
        Err(refused_by_status(function, response).await)
    }
}

/// Whether fewer calls at once might help.
fn is_overload(error: &LmsError) -> bool {
    error.is_outage() && !matches!(error, LmsError::Unauthorised { .. })
}

/// What a connection that failed says about the call.
fn unanswered(function: Function, error: &reqwest::Error) -> LmsError {
    if error.is_connect() {
        let reason = "no connection could be made".into();
        return LmsError::Unavailable { reason };
    }
    let reason = if error.is_timeout() {
        "no answer in time"
    } else {
        "the connection ended before the answer"
    };
    lost(function, reason.into())
}

/// A write without an answer may have happened; a read changed nothing either way.
fn lost(function: Function, reason: String) -> LmsError {
    if function.writes() {
        LmsError::UnknownOutcome { reason }
    } else {
        LmsError::Unavailable { reason }
    }
}

async fn body(function: Function, mut response: Response) -> Result<Vec<u8>, LmsError> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(|error| unanswered(function, &error))? {
            Some(chunk) if body.len() + chunk.len() <= LARGEST_ANSWER => {
                body.extend_from_slice(&chunk);
            }
            Some(_) => return Err(protocol(function, "an answer of more than 16 MB")),
            None => return Ok(body),
        }
    }
}

async fn refused_by_status(function: Function, response: Response) -> LmsError {
    let status = response.status();
    let reason = format!("HTTP {}", status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS => LmsError::RateLimited {
            after: retry_after(&response),
        },
        // Refused before anything was done (`state_cli_maintenance`).
        StatusCode::SERVICE_UNAVAILABLE => LmsError::Unavailable { reason },
        // PHP or the proxy gave up somewhere in the middle.
        _ if status.is_server_error() => lost(function, reason),
        StatusCode::FORBIDDEN => forbidden(function, response).await,
        StatusCode::UNAUTHORIZED => LmsError::Unauthorised {
            code: "http_401".into(),
        },
        _ if status.is_redirection() => protocol(
            function,
            "a redirection; the address must be the one Moodle itself uses (its wwwroot)",
        ),
        _ => protocol(function, &reason),
    }
}

/// Web services or REST switched off answer 403 with nothing in it
/// (`state_webservices_disabled`, `state_rest_protocol_disabled`); a firewall says something.
async fn forbidden(function: Function, response: Response) -> LmsError {
    let silent = body(function, response)
        .await
        .is_ok_and(|body| body.trim_ascii().is_empty());
    let (code, remedy) = if silent {
        (
            "webservices_disabled",
            "enable web services (Site administration > General > Advanced features) and the REST \
             protocol (Site administration > Server > Web services > Manage protocols)",
        )
    } else {
        (
            "http_403",
            "let the bridge's address through the firewall or proxy before Moodle",
        )
    };
    exception::forbidden(function, code, remedy)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let header = response.headers().get(RETRY_AFTER)?;
    let seconds = header.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn read<T: DeserializeOwned>(function: Function, body: &[u8]) -> Result<T, LmsError> {
    let body = body.trim_ascii();
    if body.starts_with(b"{")
        && let Ok(wire::Refusal { errorcode, message }) = serde_json::from_slice(body)
    {
        return Err(exception::refused(function, &errorcode, &message));
    }
    if body.starts_with(b"<") {
        return Err(protocol(
            function,
            "a page instead of data; is the address right, or is a log-in page in the way",
        ));
    }
    // The parser's own message could quote values.
    serde_json::from_slice(body).map_err(|error| {
        let place = format!(
            "an answer of another shape (line {}, column {})",
            error.line(),
            error.column()
        );
        protocol(function, &place)
    })
}

fn protocol(function: Function, what: &str) -> LmsError {
    LmsError::Protocol {
        detail: format!("{}: {what}", function.name()),
    }
}
