//! One request, one answer of bounded size: what API calls and token calls share.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use reqwest::{
    Client, Request, StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};

/// An answer, whatever its status.
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer, in words without addresses.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Nothing was sent: there was no connection.
    Unsent(&'static str),
    /// The request may have arrived.
    Unanswered(&'static str),
}

impl Lost {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Unsent(reason) | Self::Unanswered(reason) => reason,
        }
    }
}

impl Received {
    /// The server's own time.
    pub(crate) fn server_time(&self) -> Option<DateTime<Utc>> {
        let date = self.headers.get(DATE)?.to_str().ok()?;
        let parsed = DateTime::parse_from_rfc2822(date).ok()?;
        Some(parsed.to_utc())
    }

    /// When to come back; Zoho itself sends no such header, proxies do.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let at = DateTime::parse_from_rfc2822(text).ok()?.to_utc();
        (at - self.server_time()?).to_std().ok()
    }

    /// A header that holds a number.
    pub(crate) fn number(&self, header: &str) -> Option<u32> {
        self.headers.get(header)?.to_str().ok()?.trim().parse().ok()
    }
}

/// Sends a request and reads its answer, up to `limit` bytes of it.
pub(crate) async fn exchange(
    http: &Client,
    request: Request,
    limit: usize,
) -> Result<Received, Lost> {
    let mut response = http.execute(request).await.map_err(|e| lost(&e))?;
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| lost(&e))? {
        if body.len() + chunk.len() > limit {
            return Err(Lost::Unanswered("the answer is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body: body.freeze(),
    })
}

/// The kind of a failure only: the error's own text names the URL.
fn lost(error: &reqwest::Error) -> Lost {
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => Lost::Unsent("no connection in time"),
        (true, false) => Lost::Unsent("no connection"),
        (false, true) => Lost::Unanswered("no answer in time"),
        (false, false) if error.is_builder() => Lost::Unsent("the request could not be built"),
        (false, false) => Lost::Unanswered("the connection ended before the answer did"),
    }
}
