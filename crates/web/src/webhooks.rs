//! Zoho's notices: `POST /api/v1/webhooks/{tail}`.
//!
//! The order of refusals is fixed (`contracts/bridge.md` §1): 404, 405, 413, 415, 401, 400, 503.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName},
    web::{Bytes, BytesMut, Data, Path, Payload},
};
use futures_util::StreamExt;
use mzi_application::receive_webhook::{Accepted, Call};
use serde::Serialize;

use crate::{Web, problem::Problem};

/// Largest body taken.
const LARGEST_BODY: usize = 256 * 1024;

/// What a sender is told.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WebhookResponse {
    /// `accepted` or `duplicate`.
    status: &'static str,
    /// The event under which the notice is kept.
    event_id: String,
}

/// Takes a notice in.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{tail}",
    tag = "zoho",
    params(
        ("tail" = String, Path, description = "An entity key, a mapped module name or an older address"),
        ("token" = Option<String>, Query, description = "The static token"),
        ("zoho_id" = Option<String>, Query, description = "The record, where the body cannot carry it"),
        ("op" = Option<String>, Query, description = "create, update or delete, where the body does not say"),
    ),
    responses(
        (status = 202, description = "Durable; the records will be read", body = WebhookResponse),
        (status = 200, description = "The same event was stored before", body = WebhookResponse),
        (status = 400, description = "malformed_body, no_record_id, merge_field_not_substituted or bad_record_id"),
        (status = 401, description = "No valid proof"),
        (status = 404, description = "Unknown path"),
        (status = 413, description = "Larger than 256 KiB"),
        (status = 415, description = "Compressed, or of a type that is not understood"),
        (status = 503, description = "Not stored: try again"),
    )
)]
pub async fn receive(
    web: Data<Web>,
    tail: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let route = web.receive.route(&tail).ok_or(Problem::NotFound)?;
    let body = read(request.headers(), payload).await?;
    let content_type = content_type(request.headers())?;
    let query = Query::read(request.query_string());
    let header = |name: &'static str| {
        let mut values = request.headers().get_all(HeaderName::from_static(name));
        let first = values.next()?.to_str();
        // A header that is not text or comes twice is a wrong proof, not a missing one.
        Some(first.ok().filter(|_| values.next().is_none()).unwrap_or(""))
    };
    let call = Call {
        tail: &tail,
        content_type,
        header_token: header("x-webhook-token"),
        signature: header("x-zoho-signature"),
        query_token: query.token.as_deref(),
        query_id: query.zoho_id.as_deref(),
        query_operation: query.op.as_deref(),
        body: &body,
    };
    let outcome = web.receive.run(route, call).await;
    web.metrics.notice(match &outcome {
        Ok(Accepted::Fresh(_)) => "accepted",
        Ok(_) => "duplicate",
        Err(_) => "refused",
    });
    Ok(match outcome? {
        Accepted::Fresh(event_id) => HttpResponse::Accepted().json(WebhookResponse {
            status: "accepted",
            event_id,
        }),
        Accepted::Duplicate(event_id) | Accepted::Coalesced(event_id) => {
            HttpResponse::Ok().json(WebhookResponse {
                status: "duplicate",
                event_id,
            })
        }
    })
}

/// Another method than POST: unknown paths are unknown first.
pub async fn other_method(web: Data<Web>, tail: Path<String>) -> Result<HttpResponse, Problem> {
    let problem = match web.receive.route(&tail) {
        Some(_) => Problem::MethodNotAllowed,
        None => Problem::NotFound,
    };
    std::future::ready(Err(problem)).await
}

/// Reads the body, and stops at the first byte too many.
async fn read(headers: &HeaderMap, mut payload: Payload) -> Result<Bytes, Problem> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LARGEST_BODY) {
        return Err(Problem::TooLarge);
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.ok().ok_or(Problem::MalformedBody)?;
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(Problem::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// JSON, a form, plain text, multipart or nothing; never compressed.
fn content_type(headers: &HeaderMap) -> Result<&str, Problem> {
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Problem::UnsupportedType);
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok("");
    };
    let text = value.to_str().ok().ok_or(Problem::UnsupportedType)?;
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let known = essence.is_empty()
        || essence == "application/json"
        || essence.ends_with("+json")
        || essence == "application/x-www-form-urlencoded"
        || essence == "text/plain"
        || essence == "text/json"
        || essence.starts_with("multipart/");
    if known {
        Ok(text)
    } else {
        Err(Problem::UnsupportedType)
    }
}

#[derive(Default)]
struct Query {
    token: Option<String>,
    zoho_id: Option<String>,
    op: Option<String>,
}

impl Query {
    fn read(raw: &str) -> Self {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            let slot = match &*name {
                "token" => &mut query.token,
                "zoho_id" => &mut query.zoho_id,
                "op" => &mut query.op,
                _ => continue,
            };
            // What is said twice is not understood, so that no second token goes unchecked.
            let said_before = slot.is_some();
            *slot = Some(if said_before {
                String::new()
            } else {
                value.into_owned()
            });
        }
        query
    }
}
