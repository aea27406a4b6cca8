//! What an administrator's tools ask: `/api/v1/admin/*`.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Query},
};
use mzi_application::views::IssueView;
use serde::{Deserialize, Serialize};

use crate::{Web, auth::api_key, problem::Problem};

/// How issues are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct IssueQuery {
    /// `open`, `resolved` or `all`; open by default.
    status: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// At most this many, up to 200.
    limit: Option<u32>,
}

#[derive(Serialize)]
struct IssueList {
    items: Vec<IssueView>,
    next_cursor: Option<String>,
}

/// Work that needs a person, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/admin/issues",
    tag = "admin",
    params(IssueQuery),
    security(("api_key" = [])),
    responses(
        (status = 200, description = "A page of issues"),
        (status = 400, description = "bad_parameter"),
        (status = 401, description = "No API key"),
    )
)]
pub async fn issues(
    web: Data<Web>,
    request: HttpRequest,
    query: Result<Query<IssueQuery>, actix_web::Error>,
) -> Result<HttpResponse, Problem> {
    api_key::role(&web, &request).await?;
    let query = query.ok().ok_or(Problem::BadParameter)?.into_inner();
    let open = match query.status.as_deref() {
        None | Some("open") => Some(true),
        Some("resolved") => Some(false),
        Some("all") => None,
        Some(_) => return Err(Problem::BadParameter),
    };
    let page = web
        .issues
        .page(open, query.cursor, query.limit.unwrap_or(50))
        .await?;
    let list = IssueList {
        items: page.items,
        next_cursor: page.next_cursor,
    };
    Ok(HttpResponse::Ok().json(list))
}
