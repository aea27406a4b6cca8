//! Walking through a module, and through its deletions.

use chrono::{DateTime, Utc};
use mzi_domain::ZohoId;
use mzi_ports::{
    CrmError,
    crm::{DeletedPage, Deletion, Page, PageRequest},
};

use super::{
    MODIFIED_TIME, by_ids,
    cursor::{Cursor, PER_PAGE, Step},
    field_lists,
    merge::Part,
};
use crate::{
    call::{Call, module_path, scope},
    refusal,
    transport::Transport,
    value::moment,
    wire::{Info, Object, Records},
};

/// Refusals of a page that a new walk from the last change gets around: the token is too old or
/// not liked any more, or the walk is as long as walks may be (contracts/zoho.md §3.1).
const WALK_OVER: [&str; 4] = [
    "EXPIRED_VALUE",
    "TOKEN_BOUND_DATA_MISMATCH",
    "PAGINATION_LIMIT_EXCEEDED",
    "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
];

/// One page of a module, oldest change first.
pub(crate) async fn page(transport: &Transport, request: &PageRequest) -> Result<Page, CrmError> {
    let cursor = match &request.page_token {
        None => Cursor::start(request.modified_since),
        Some(token) => Cursor::parse(token).ok_or_else(|| CrmError::Rejected {
            operation: format!("list {}", request.module),
            code: "INVALID_DATA".into(),
            message: "page_token: not one of ours".into(),
        })?,
    };
    match page_at(transport, request, &cursor).await {
        Err(error) if is_over(&error) => {
            let anew = cursor.anew().map_err(|_stuck| stuck(request))?;
            page_at(transport, request, &anew).await
        }
        other => other,
    }
}

/// A walk's end as Zoho words it, which for a token it does not like may be `INVALID_DATA`.
fn is_over(error: &CrmError) -> bool {
    let CrmError::Rejected { code, message, .. } = error else {
        return false;
    };
    let unliked = code == "INVALID_DATA" && message.starts_with("page_token:");
    unliked || WALK_OVER.contains(&code.as_str())
}

async fn page_at(
    transport: &Transport,
    request: &PageRequest,
    cursor: &Cursor,
) -> Result<Page, CrmError> {
    let mut lists = field_lists(&request.fields).into_iter();
    let (first, more) = (lists.next().unwrap_or_default(), lists.next().is_some());
    // More fields than one call may name: the list gives the ids, reads by id the fields.
    let names = if more {
        MODIFIED_TIME.to_owned()
    } else {
        first
    };
    let call = page_call(request, cursor, names)?;
    let answer = transport.ask::<Records>(&call).await?;
    let (rows, info) = answer
        .body
        .map_or_else(nothing, |body| (body.data, body.info));
    let mut records = Part::new(&call, Some(rows), None)?.into_records(&request.fields);
    let next = cursor
        .after(&info, &records)
        .map_err(|_stuck| stuck(request))?;
    if more {
        let ids: Vec<ZohoId> = records.iter().map(|record| record.id.clone()).collect();
        records = by_ids(transport, &request.module, &request.fields, &ids)
            .await?
            .records;
    }
    Ok(Page {
        records,
        next_page_token: next.and_then(|cursor| cursor.token()),
        server_time: answer.server_time,
    })
}

fn page_call(request: &PageRequest, cursor: &Cursor, fields: String) -> Result<Call, CrmError> {
    let path = module_path(&request.module)?.to_owned();
    let call = Call::read(format!("list {}", request.module), scope::MODULES, path)
        .with("fields", fields)
        .with("sort_by", MODIFIED_TIME)
        .with("sort_order", "asc")
        .with("per_page", PER_PAGE.to_string())
        .since(cursor.since)
        .sweeping()
        .heavy_if(true);
    // Both at once are refused as ambiguous.
    Ok(match &cursor.step {
        Step::Number(page) => call.with("page", page.to_string()),
        Step::Token(token) => call.with("page_token", token.clone()),
    })
}

/// One page of what a module remembers of deleted records.
pub(crate) async fn deleted(
    transport: &Transport,
    module: &str,
    since: Option<DateTime<Utc>>,
    page: u32,
) -> Result<DeletedPage, CrmError> {
    let path = format!("{}/deleted", module_path(module)?);
    let call = Call::read(format!("list deleted {module}"), scope::MODULES, path)
        .with("type", "all")
        .with("page", page.max(1).to_string())
        .with("per_page", PER_PAGE.to_string())
        .since(since)
        .costing(2);
    let answer = transport.ask::<Records>(&call).await?;
    let (rows, info) = answer
        .body
        .map_or_else(nothing, |body| (body.data, body.info));
    let deletions: Option<Vec<_>> = rows.iter().map(deletion).collect();
    Ok(DeletedPage {
        deletions: deletions
            .ok_or_else(|| refusal::of_nonsense(&call, "a deletion without an id"))?,
        more: info.more_records,
    })
}

fn deletion(row: &Object) -> Option<Deletion> {
    Some(Deletion {
        id: ZohoId::parse(row.get("id")?.as_str()?).ok()?,
        deleted_at: moment(row.get("deleted_time")),
    })
}

/// 204 and 304: nothing there, nothing more.
fn nothing() -> (Vec<Object>, Info) {
    (Vec::new(), Info::default())
}

fn stuck(request: &PageRequest) -> CrmError {
    CrmError::Protocol {
        detail: format!(
            "list {}: more records share one Modified_Time than one walk may hold",
            request.module
        ),
    }
}
