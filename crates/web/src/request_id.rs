//! Every request has an id: in its answer, in its problem, in its log lines.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web,
};
use tracing::Instrument;

use crate::Web;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request that is being served.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Middleware: takes the sender's id if it is harmless, else makes one; counts and logs.
pub async fn tag(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = given(&request).unwrap_or_else(fresh);
    let span = tracing::debug_span!("request", request.id = id, method = %request.method(), path = request.path());
    let route = request.match_pattern();
    let metrics = request.app_data::<web::Data<Web>>().cloned();
    let answered = CURRENT
        .scope(id.clone(), next.call(request))
        .instrument(span)
        .await;
    let status = match &answered {
        Ok(answer) => answer.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    if let Some(web) = metrics {
        web.metrics
            .request(route.as_deref().unwrap_or("unknown"), status.as_u16());
    }
    let mut answer = answered?;
    if status.is_server_error() {
        tracing::warn!(
            request.id = id,
            status = status.as_u16(),
            route,
            "a request failed"
        );
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(HEADER, value);
    }
    Ok(answer)
}

/// Letters, digits and dashes only, so that nothing strange gets into logs and headers.
fn given(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(&HEADER)?.to_str().ok()?;
    let harmless = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (harmless && (8..=64).contains(&id.len())).then(|| id.to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a request id is noise on purpose: no test foresees it"
)]
fn fresh() -> String {
    uuid::Uuid::new_v4().to_string()
}
