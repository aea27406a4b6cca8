//! `GET /{module}/deleted` (`zoho.md` §3.3).

use serde_json::{Value, json};

use super::{
    list::modified_since,
    page::Paging,
    render::{time, user},
};
use crate::{
    locked,
    serve::{Answer, Request},
    zoho::{refusal::Refusal, store::Tombstone, world::World},
};

/// How long deletions are listed, in seconds: 60 days in the bin, 120 days after it.
const BIN_KEEPS: i64 = 60 * 86_400;
const PERMANENT_KEEPS: i64 = 120 * 86_400;

/// Answers with the deletions, newest first.
pub(in crate::zoho) fn answer(
    world: &World,
    request: &Request,
    module: &str,
) -> Result<Answer, Refusal> {
    let now = world.now();
    let paging = Paging::of(request, module, now)?;
    let since = modified_since(request)?;
    let kind = request
        .query_value("type")
        .unwrap_or_else(|| "all".to_owned());
    if !["all", "recycle", "permanent"].contains(&kind.as_str()) {
        return Err(Refusal::bad_param("type"));
    }
    let store = locked(&world.store);
    let table = store.table(module).ok_or_else(Refusal::invalid_module)?;
    let listed = |stone: &&Tombstone| {
        let (word, keeps) = label(stone);
        (kind == "all" || kind == word)
            && now - stone.deleted < keeps
            && since.is_none_or(|since| stone.deleted >= since)
    };
    let mut found = table
        .tombstones()
        .iter()
        .rev()
        .filter(listed)
        .skip(paging.skipped());
    let page: Vec<Value> = found
        .by_ref()
        .take(paging.per_page)
        .map(|stone| entry(world, stone))
        .collect();
    let more = found.next().is_some();
    drop(found);
    drop(store);

    if page.is_empty() {
        return Ok(Answer::empty(if since.is_some() { 304 } else { 204 }));
    }
    let info = paging.info(page.len(), more);
    Ok(Answer::json(200, &json!({"data": page, "info": info})))
}

fn label(stone: &Tombstone) -> (&'static str, i64) {
    if stone.kept.is_some() {
        ("recycle", BIN_KEEPS)
    } else {
        ("permanent", PERMANENT_KEEPS)
    }
}

/// A permanent deletion carries nulls for what is no longer known.
fn entry(world: &World, stone: &Tombstone) -> Value {
    let kept = stone.kept.as_ref();
    json!({
        "id": stone.id.to_string(),
        "display_name": kept.map(|record| record.name.to_string()),
        "type": label(stone).0,
        "deleted_by": kept.map(|_| user(stone.by, false)),
        "created_by": kept.map(|record| user(record.created_by, false)),
        "deleted_time": time(stone.deleted, world.zone()),
    })
}
