//! `GET /{module}`: pages of records, never with sub-forms (`zoho.md` §3.1).

use std::sync::Arc;

use chrono::DateTime;
use serde_json::json;

use super::{
    page::Paging,
    render::{list, write_listed},
    whole::collect_names,
};
use crate::{
    locked,
    serve::{Answer, Request},
    zoho::{
        refusal::Refusal,
        schema::{FieldNo, Schema},
        store::{Names, Order, Record},
        world::World,
    },
};

/// The most fields of one list.
const MAX_FIELDS: usize = 50;
/// The most ids of one list.
const MAX_IDS: usize = 100;

/// Answers a list.
pub(in crate::zoho) fn answer(
    world: &World,
    request: &Request,
    module: &str,
) -> Result<Answer, Refusal> {
    let now = world.now();
    let sorting = sorting(request)?;
    let paging = Paging::of(request, module, now)?;
    let since = modified_since(request)?;
    let ids = ids(request)?;
    let store = locked(&world.store);
    let table = store.table(module).ok_or_else(Refusal::invalid_module)?;
    let schema = Arc::clone(&table.schema);
    let fields = fields(request, &schema)?;
    let mut walk = table.walk(sorting.order, sorting.descending, paging.after, since);
    if let Some(ids) = &ids {
        // A handful of ids is looked up instead of walking the whole module.
        walk = Box::new(walk_ids(table, sorting, ids, since).into_iter());
    }
    let mut found = walk.skip(paging.skipped()).take(paging.per_page);
    let mut rows = Vec::new();
    let mut last = None;
    for (key, record) in found.by_ref() {
        rows.push(Arc::clone(record));
        last = Some(key);
    }
    drop(found);
    let more = rows.len() == paging.per_page
        && ids.is_none()
        && table
            .walk(sorting.order, sorting.descending, last, since)
            .next()
            .is_some();
    let mut names = Names::new();
    collect_names(&store, &schema, &rows, &mut names);
    drop(store);

    if rows.is_empty() {
        return Ok(Answer::empty(if since.is_some() { 304 } else { 204 }));
    }
    let info = paging.list_info(
        rows.len(),
        last.filter(|_| more),
        (
            sorting.name,
            if sorting.descending { "desc" } else { "asc" },
        ),
        (now, world.zone()),
    );
    Ok(Answer::json_bytes(
        200,
        page(world, &schema, &fields, &rows, &names, &info),
    ))
}

/// The body of an answer that lists records.
pub(super) fn page(
    world: &World,
    schema: &Schema,
    fields: &[FieldNo],
    rows: &[Arc<Record>],
    names: &Names,
    info: &serde_json::Value,
) -> Vec<u8> {
    let mut body = Vec::with_capacity(256 + rows.len() * (64 + fields.len() * 32));
    body.extend_from_slice(b"{\"data\":");
    list(&mut body, rows, |buffer, record| {
        write_listed(buffer, schema, fields, record, names, world.zone());
    });
    body.extend_from_slice(b",\"info\":");
    body.extend_from_slice(info.to_string().as_bytes());
    body.push(b'}');
    body
}

#[derive(Clone, Copy)]
struct Sorting {
    order: Order,
    name: &'static str,
    descending: bool,
}

fn sorting(request: &Request) -> Result<Sorting, Refusal> {
    let (order, name) = match request.query_value("sort_by").as_deref() {
        None | Some("id") => (Order::Id, "id"),
        Some("Created_Time") => (Order::Created, "Created_Time"),
        Some("Modified_Time") => (Order::Modified, "Modified_Time"),
        Some(_) => return Err(Refusal::bad_param("sort_by")),
    };
    let descending = match request.query_value("sort_order").as_deref() {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(_) => return Err(Refusal::bad_param("sort_order")),
    };
    Ok(Sorting {
        order,
        name,
        descending,
    })
}

/// The wanted fields; unknown ones and those that lists never show are left out.
pub(super) fn fields(request: &Request, schema: &Schema) -> Result<Vec<FieldNo>, Refusal> {
    let Some(names) = request
        .query_value("fields")
        .filter(|names| !names.trim().is_empty())
    else {
        return Err(Refusal::missing_param("fields"));
    };
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if names.len() > MAX_FIELDS {
        return Err(
            Refusal::new(400, "LIMIT_EXCEEDED", "Max field limit exceeded")
                .with(json!({"param": "fields", "limit": MAX_FIELDS})),
        );
    }
    let known = names
        .into_iter()
        .filter_map(|name| schema.field_named(name));
    Ok(known
        .filter(|(_, field)| !field.only_in_single_reads())
        .map(|(number, _)| number)
        .collect())
}

fn ids(request: &Request) -> Result<Option<Vec<u64>>, Refusal> {
    let Some(text) = request.query_value("ids") else {
        return Ok(None);
    };
    let ids = text.split(',').map(|id| {
        id.trim()
            .parse()
            .map_err(|_not_an_id| Refusal::bad_param("ids"))
    });
    let ids = ids.collect::<Result<Vec<u64>, Refusal>>()?;
    if ids.len() > MAX_IDS {
        return Err(Refusal::new(400, "LIMIT_EXCEEDED", "Record count exceeded")
            .with(json!({"param": "ids", "limit": MAX_IDS})));
    }
    Ok(Some(ids))
}

fn walk_ids<'a>(
    table: &'a crate::zoho::store::Table,
    sorting: Sorting,
    ids: &[u64],
    since: Option<i64>,
) -> Vec<(crate::zoho::store::Key, &'a Arc<Record>)> {
    let place = |record: &Arc<Record>| match sorting.order {
        Order::Id => (0, record.id),
        Order::Created => (record.created, record.id),
        Order::Modified => (record.modified, record.id),
    };
    let records = ids.iter().filter_map(|id| table.record(*id));
    let fresh = records.filter(|record| since.is_none_or(|since| record.modified >= since));
    let mut found: Vec<_> = fresh.map(|record| (place(record), record)).collect();
    found.sort_by_key(|(place, _)| *place);
    found.dedup_by_key(|(place, _)| *place);
    if sorting.descending {
        found.reverse();
    }
    found
}

/// The header that asks for newer records only.
pub(super) fn modified_since(request: &Request) -> Result<Option<i64>, Refusal> {
    let Some(text) = request.header("if-modified-since") else {
        return Ok(None);
    };
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => Ok(Some(instant.timestamp())),
        Err(_) => Err(Refusal::invalid_data().with(json!({"header": "If-Modified-Since"}))),
    }
}
