//! The OpenAPI document, made from the handlers themselves.

use actix_web::HttpResponse;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{api, health, metrics, webhooks};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Moodle–Zoho Integration",
        description = "Errors are application/problem+json with a stable `code`; `instance` is the request id.",
    ),
    paths(
        health::overview,
        health::live,
        health::ready,
        metrics::scrape,
        webhooks::receive,
        api::student::link,
        api::student::profile,
        api::student::classes,
        api::admin::issues,
    ),
    modifiers(&SecuritySchemes)
)]
pub struct ApiDocument;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = |format: &str, description: &str| {
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format(format)
                    .description(Some(description))
                    .build(),
            )
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "plugin_token",
            bearer(
                "JWS",
                "One HS256 token a request, bound to user, route and body.",
            ),
        );
        components.add_security_scheme("api_key", bearer("mzik_<id>_<secret>", "An API key."));
    }
}

/// The document as JSON.
pub fn json() -> Result<String, serde_json::Error> {
    ApiDocument::openapi().to_pretty_json()
}

/// `GET /api/v1/openapi.json`.
pub async fn document() -> HttpResponse {
    std::future::ready(HttpResponse::Ok().json(ApiDocument::openapi())).await
}
