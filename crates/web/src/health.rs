//! `/health`, `/health/live`, `/health/ready`.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;

use crate::Web;

#[derive(Serialize)]
struct Live<'a> {
    status: &'static str,
    instance: &'a str,
}

#[derive(Serialize)]
struct Ready<'a> {
    status: &'static str,
    checks: ReadyChecks<'a>,
}

#[derive(Serialize)]
struct ReadyChecks<'a> {
    database: &'a mzi_application::health::Check,
    migrations: &'a mzi_application::health::Check,
    worker: &'a mzi_application::health::Check,
}

/// Everything: own parts, upstreams, queue.
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses(
        (status = 200, description = "ok or degraded", body = mzi_application::health::Report),
        (status = 503, description = "failed", body = mzi_application::health::Report),
    )
)]
pub async fn overview(web: Data<Web>) -> HttpResponse {
    let report = web.health.report().await;
    HttpResponse::build(status(report.is_ready())).json(report)
}

/// The process runs.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "health",
    responses((status = 200, description = "The process runs; `instance` tells which"))
)]
pub async fn live(web: Data<Web>) -> HttpResponse {
    let live = Live {
        status: "ok",
        instance: &web.instance,
    };
    std::future::ready(HttpResponse::Ok().json(live)).await
}

/// Traffic may be sent here.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "health",
    responses(
        (status = 200, description = "Database, migrations and worker are well"),
        (status = 503, description = "One of them is not"),
    )
)]
pub async fn ready(web: Data<Web>) -> HttpResponse {
    let report = web.health.report().await;
    let checks = ReadyChecks {
        database: &report.checks.database,
        migrations: &report.checks.migrations,
        worker: &report.checks.worker,
    };
    let word = if report.is_ready() { "ok" } else { "failed" };
    HttpResponse::build(status(report.is_ready())).json(Ready {
        status: word,
        checks,
    })
}

fn status(ready: bool) -> StatusCode {
    if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
