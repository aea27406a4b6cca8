//! API keys: `Authorization: Bearer mzik_<id>_<secret>`.

use actix_web::{HttpRequest, http::header::AUTHORIZATION, web::Data};
use mzi_domain::role::Role;

use crate::{Web, problem::Problem};

/// The role of the key the request carries.
pub async fn role(web: &Data<Web>, request: &HttpRequest) -> Result<Role, Problem> {
    let token = bearer(request).ok_or(Problem::Unauthorised)?;
    web.keys.role_of(token).await?.ok_or(Problem::Unauthorised)
}

/// The bearer token of a request; the scheme's case does not matter.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
