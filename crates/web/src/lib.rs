//! The HTTP surface: extract, call one use case, map the answer.
//!
//! | route | who proves themselves how |
//! |---|---|
//! | `/health*` | nobody needs to |
//! | `POST /api/v1/webhooks/{tail}` | Zoho, by token or signature ([`webhooks`]) |
//! | `/api/v1/student/*` | the Moodle plugin on behalf of one student ([`auth::plugin_token`]) |
//! | `/api/v1/admin/*`, `/metrics` | an API key ([`auth::api_key`]) |
//! | `/api/v1/openapi.json` | nobody needs to |

pub mod api;
pub mod auth;
pub mod health;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod request_id;
pub mod webhooks;

use std::sync::Arc;

use actix_web::{
    FromRequest, Handler, HttpResponse, Resource, Responder, ResponseError,
    http::header::{ALLOW, HeaderValue},
    web,
};
use mzi_application::{
    api_keys::ApiKeys, health::Health, issues::Issues, receive_webhook::ReceiveWebhook,
    student_portal::StudentPortal,
};

use crate::{auth::plugin_token::PluginTokens, metrics::Metrics, problem::Problem};

/// Everything the routes need, built once by the server.
pub struct Web {
    /// Takes notices in.
    pub receive: ReceiveWebhook,
    /// Serves students.
    pub portal: StudentPortal,
    /// Tells how the bridge is.
    pub health: Health,
    /// Checks API keys.
    pub keys: ApiKeys,
    /// Lists issues.
    pub issues: Issues,
    /// Checks the plugin's tokens; absent while no secret is shared with a plugin.
    pub plugin: Option<PluginTokens>,
    /// Counts.
    pub metrics: Metrics,
    /// Tells this process from others behind the same address.
    pub instance: String,
}

/// Adds every route.
pub fn configure(web: Arc<Web>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::from(web))
            .service(reading("/health", health::overview))
            .service(reading("/api/v1/health", health::overview))
            .service(reading("/health/live", health::live))
            .service(reading("/health/ready", health::ready))
            .service(reading("/metrics", metrics::scrape))
            .service(reading("/api/v1/openapi.json", openapi::document))
            .service(
                web::resource("/api/v1/webhooks/{tail:.*}")
                    .post(webhooks::receive)
                    .default_service(web::to(webhooks::other_method)),
            )
            .service(reading("/api/v1/student/link", api::student::link))
            .service(reading("/api/v1/student/profile", api::student::profile))
            .service(reading("/api/v1/student/classes", api::student::classes))
            .service(reading("/api/v1/admin/issues", api::admin::issues))
            .default_service(web::to(unknown_path));
    }
}

/// An address that can only be read.
fn reading<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(only_read))
}

async fn only_read() -> HttpResponse {
    let mut refusal = Problem::MethodNotAllowed.error_response();
    let methods = HeaderValue::from_static("GET, HEAD");
    refusal.headers_mut().insert(ALLOW, methods);
    std::future::ready(refusal).await
}

async fn unknown_path() -> Result<HttpResponse, Problem> {
    std::future::ready(Err(Problem::NotFound)).await
}
