//! The one place that sends API calls: token, limits, status and code to [`CrmError`].

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, Utc};
use mzi_ports::{Clock, CrmError, TokenVault};
use reqwest::{
    Client, Request, StatusCode,
    header::{self, HeaderValue},
};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use crate::{
    call::Call,
    exchange::{Received, exchange},
    limits::Limits,
    refusal,
    settings::ZohoSettings,
    token::{Access, TokenSource},
    wire::Object,
};

/// The API version, in this one place (contracts/zoho.md §10).
const VERSION: &str = "v8";

/// The largest answer read: far above 200 records of 50 long fields, far below memory.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// Sends calls.
pub(crate) struct Transport {
    settings: Arc<ZohoSettings>,
    http: Client,
    tokens: TokenSource,
    limits: Limits,
}

/// A good answer; no body for 204 and 304.
pub(crate) struct Answer<T> {
    pub(crate) body: Option<T>,
    pub(crate) server_time: Option<DateTime<Utc>>,
}

impl Transport {
    pub(crate) fn new(
        settings: ZohoSettings,
        http: Client,
        vault: Arc<dyn TokenVault>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let settings = Arc::new(settings);
        Self {
            tokens: TokenSource::new(
                Arc::clone(&settings),
                http.clone(),
                vault,
                Arc::clone(&clock),
            ),
            limits: Limits::new(&settings, clock),
            settings,
            http,
        }
    }

    /// Sends a call and reads its answer as `T`.
    ///
    /// An answer that lists outcomes item by item is a good answer whatever its status: a write of
    /// which nothing was taken comes as 400, 202 or 200.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        call: &Call,
    ) -> Result<Answer<T>, CrmError> {
        let received = self.send(call).await?;
        let server_time = received.server_time();
        if says_nothing(received.status) {
            return Ok(Answer {
                body: None,
                server_time,
            });
        }
        match serde_json::from_slice(&received.body) {
            Ok(body) => Ok(Answer {
                body: Some(body),
                server_time,
            }),
            // HTTP 200 and 202 carry refusals too.
            Err(_) if is_object_with(&received, "code") => Err(refusal::of_answer(call, &received)),
            Err(error) => {
                let place = format!("line {} column {}", error.line(), error.column());
                Err(refusal::of_nonsense(
                    call,
                    &format!("unreadable answer, {place}"),
                ))
            }
        }
    }

    /// Sends a call, with a new token once if the one it had is refused.
    async fn send(&self, call: &Call) -> Result<Received, CrmError> {
        let _place = self.limits.place(call).await?;
        let access = self.tokens.access().await?;
        match self.attempt(call, &access).await {
            Err(CrmError::Unauthorised { code }) => {
                let access = self.tokens.replace(&access, &code).await?;
                self.attempt(call, &access).await
            }
            other => other,
        }
    }

    async fn attempt(&self, call: &Call, access: &Access) -> Result<Received, CrmError> {
        self.limits.charge(call)?;
        let request = self.request(call, access)?;
        let began = Instant::now();
        let outcome = exchange(&self.http, request, MAX_ANSWER).await;
        let took = began.elapsed();
        let received = match outcome {
            Ok(received) => received,
            Err(lost) => {
                let error = refusal::of_lost(call, &lost);
                tracing::debug!(
                    zoho.operation = call.operation,
                    duration_ms = took.as_millis(),
                    error = %error,
                    "Zoho did not answer"
                );
                return Err(error);
            }
        };
        let status = received.status;
        tracing::debug!(
            zoho.operation = call.operation,
            http.status = status.as_u16(),
            duration_ms = took.as_millis(),
            "Zoho answered"
        );
        if let Some(left) = received.number("x-api-credits-remaining") {
            self.limits.note_remaining(left);
        }
        if status.is_success() || says_nothing(status) || lists_outcomes(&received) {
            return Ok(received);
        }
        Err(refusal::of_answer(call, &received))
    }

    fn request(&self, call: &Call, access: &Access) -> Result<Request, CrmError> {
        let base = access.api.as_str().trim_end_matches('/');
        let url = format!("{base}/crm/{VERSION}/{}", call.path);
        let mut builder = self
            .http
            .request(call.method.clone(), url)
            .timeout(self.settings.timeout)
            .header(header::AUTHORIZATION, authorization(access)?)
            .query(&call.query);
        if let Some(since) = call.since_header() {
            builder = builder.header(header::IF_MODIFIED_SINCE, since);
        }
        if let Some(body) = &call.body {
            builder = builder.json(body);
        }
        builder
            .build()
            .map_err(|_error| refusal::of_nonsense(call, "the request could not be built"))
    }
}

/// The header Zoho documents, although token answers say "Bearer" (contracts/zoho.md §1.2).
fn authorization(access: &Access) -> Result<HeaderValue, CrmError> {
    let text = format!("Zoho-oauthtoken {}", access.token.expose_secret());
    let mut value = HeaderValue::from_str(&text).map_err(|_secret| CrmError::Protocol {
        detail: "the access token does not fit a header".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Nothing there, or nothing new. An empty answer of another status is none of these.
fn says_nothing(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Whether a refused write says what became of each item.
fn lists_outcomes(received: &Received) -> bool {
    ["data", "watch"]
        .iter()
        .any(|key| is_object_with(received, key))
}

fn is_object_with(received: &Received, key: &str) -> bool {
    let object = serde_json::from_slice::<Object>(&received.body);
    object.is_ok_and(|object| object.contains_key(key))
}
