//! What a student sees of themselves: `/api/v1/student/*`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, ETAG, IF_NONE_MATCH},
    web::Data,
};
use mzi_application::student_portal::Answer;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Web, auth::student::StudentReader, problem::Problem};

/// Whether this Moodle user is a student.
#[utoipa::path(
    get,
    path = "/api/v1/student/link",
    tag = "student",
    security(("plugin_token" = [])),
    responses(
        (status = 200, description = "linked or not", body = Answer<mzi_application::student_portal::LinkData>),
        (status = 304, description = "Unchanged since the given ETag"),
        (status = 401, description = "invalid_token"),
        (status = 403, description = "scope_not_allowed"),
    )
)]
pub async fn link(
    web: Data<Web>,
    request: HttpRequest,
    reader: StudentReader,
) -> Result<HttpResponse, Problem> {
    let answer = web.portal.link(reader.user).await?;
    respond(&request, &answer)
}

/// The student's profile.
#[utoipa::path(
    get,
    path = "/api/v1/student/profile",
    tag = "student",
    security(("plugin_token" = [])),
    responses(
        (status = 200, description = "The profile", body = Answer<mzi_application::student_portal::Profile>),
        (status = 304, description = "Unchanged since the given ETag"),
        (status = 401, description = "invalid_token"),
        (status = 403, description = "scope_not_allowed"),
        (status = 404, description = "not_linked"),
    )
)]
pub async fn profile(
    web: Data<Web>,
    request: HttpRequest,
    reader: StudentReader,
) -> Result<HttpResponse, Problem> {
    let answer = web
        .portal
        .profile(reader.user)
        .await?
        .ok_or(Problem::NotLinked)?;
    respond(&request, &answer)
}

/// The student's classes.
#[utoipa::path(
    get,
    path = "/api/v1/student/classes",
    tag = "student",
    security(("plugin_token" = [])),
    responses(
        (status = 200, description = "The classes", body = Answer<mzi_application::student_portal::Items<mzi_application::student_portal::ClassItem>>),
        (status = 304, description = "Unchanged since the given ETag"),
        (status = 401, description = "invalid_token"),
        (status = 403, description = "scope_not_allowed"),
        (status = 404, description = "not_linked"),
    )
)]
pub async fn classes(
    web: Data<Web>,
    request: HttpRequest,
    reader: StudentReader,
) -> Result<HttpResponse, Problem> {
    let answer = web
        .portal
        .classes(reader.user)
        .await?
        .ok_or(Problem::NotLinked)?;
    respond(&request, &answer)
}

/// The answer with a strong ETag of data and language, or 304.
fn respond<T: Serialize>(
    request: &HttpRequest,
    answer: &Answer<T>,
) -> Result<HttpResponse, Problem> {
    let data = serde_json::to_vec(&answer.data).map_err(|error| {
        tracing::error!(%error, "the answer cannot be written as JSON");
        Problem::Internal
    })?;
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let mut hash = Sha256::new();
    hash.update(&data);
    hash.update(header(ACCEPT_LANGUAGE).unwrap_or_default());
    let mut tag = hex::encode(hash.finalize());
    tag.truncate(32);
    let tag = format!("\"{tag}\"");
    // Weakly compared: a proxy that compresses marks the tag as weak.
    let known = header(IF_NONE_MATCH).is_some_and(|tags| {
        let mut given = tags.split(',').map(str::trim);
        given.any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
    });
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header(("Mzi-Contract", "1"));
    if known {
        Ok(response.finish())
    } else {
        Ok(response.json(answer))
    }
}
