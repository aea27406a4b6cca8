//! `/metrics`, in Prometheus' text form.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use mzi_application::views::QueueCounts;
use prometheus::{Encoder, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::{Web, auth::api_key, problem::Problem};

/// What is counted.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    notices: IntCounterVec,
    queue: IntGaugeVec,
}

impl Metrics {
    /// Starts at zero.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new(
                "mzi_http_requests_total",
                "Requests answered, by route and status.",
            ),
            &["route", "status"],
        )?;
        let notices = IntCounterVec::new(
            Opts::new("mzi_webhooks_total", "Notices, by what became of them."),
            &["outcome"],
        )?;
        let queue = IntGaugeVec::new(Opts::new("mzi_queue", "Work by where it is."), &["state"])?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(notices.clone()))?;
        registry.register(Box::new(queue.clone()))?;
        Ok(Self {
            registry,
            requests,
            notices,
            queue,
        })
    }

    /// A request was answered.
    pub fn request(&self, route: &str, status: u16) {
        let mut digits = [0_u8; 3];
        let status = three_digits(status, &mut digits);
        self.requests.with_label_values(&[route, status]).inc();
    }

    /// A notice was accepted, a duplicate, or refused.
    pub fn notice(&self, outcome: &'static str) {
        self.notices.with_label_values(&[outcome]).inc();
    }

    fn render(&self, queue: QueueCounts) -> Result<String, prometheus::Error> {
        for (state, count) in [
            ("pending", queue.pending),
            ("leased", queue.leased),
            ("waiting", queue.waiting),
            ("outbox", queue.outbox),
            ("issues", queue.issues),
        ] {
            self.queue.with_label_values(&[state]).set(count);
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// Counters and queue, for an API key, or for a loopback peer that no proxy stands before.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    responses((status = 200, description = "Prometheus text"), (status = 401, description = "No API key"))
)]
pub async fn scrape(web: Data<Web>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if !is_local(&request) {
        api_key::role(&web, &request).await?;
    }
    let queue = web.health.report().await.queue;
    let text = web.metrics.render(queue).map_err(|error| {
        tracing::error!(%error, "the metrics cannot be rendered");
        Problem::Internal
    })?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(text))
}

fn is_local(request: &HttpRequest) -> bool {
    let loopback = request
        .peer_addr()
        .is_some_and(|peer| peer.ip().is_loopback());
    let forwarded = request
        .headers()
        .keys()
        .any(|name| name.as_str() == "forwarded" || name.as_str().starts_with("x-forwarded-"));
    loopback && !forwarded
}

/// A status as text without an allocation for every request.
fn three_digits(status: u16, digits: &mut [u8; 3]) -> &str {
    for (at, digit) in digits.iter_mut().enumerate() {
        let power = [100, 10, 1].get(at).copied().unwrap_or(1);
        *digit = b'0' + u8::try_from(status / power % 10).unwrap_or(0);
    }
    std::str::from_utf8(digits).unwrap_or("000")
}
