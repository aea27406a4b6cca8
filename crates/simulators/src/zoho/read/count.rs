//! `GET /{module}/actions/count` (`zoho.md` §3.7).

use serde_json::json;

use super::search::{matching, wanted};
use crate::{
    locked,
    serve::{Answer, Request},
    zoho::{refusal::Refusal, world::World},
};

/// Answers with a number of records.
pub(in crate::zoho) fn answer(
    world: &World,
    request: &Request,
    module: &str,
) -> Result<Answer, Refusal> {
    let store = locked(&world.store);
    let table = store.table(module).ok_or_else(Refusal::invalid_module)?;
    let count = match wanted(request, &table.schema)? {
        Some(wanted) => matching(world, table, &wanted).count(),
        None => table.len(),
    };
    Ok(Answer::json(200, &json!({"count": count})))
}
