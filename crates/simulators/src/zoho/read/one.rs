//! `GET /{module}/{id}`: one record with its sub-forms (`zoho.md` §3.2).

use super::{render::full, whole::whole};
use crate::{
    locked,
    serve::{Answer, Request},
    zoho::{options::MissingRecord, refusal::Refusal, schema::FieldNo, world::World},
};

/// Answers a read of one record.
pub(in crate::zoho) fn answer(
    world: &World,
    request: &Request,
    module: &str,
    id: &str,
) -> Result<Answer, Refusal> {
    let store = locked(&world.store);
    store.table(module).ok_or_else(Refusal::invalid_module)?;
    let id: u64 = id.parse().map_err(|_not_an_id| Refusal::invalid_id())?;
    let found = whole(&store, module, id);
    drop(store);

    let Some(found) = found else {
        return match world.options.missing_record {
            MissingRecord::NoContent => Ok(Answer::empty(204)),
            MissingRecord::InvalidData => Err(Refusal::invalid_id()),
        };
    };
    if super::list::modified_since(request)?.is_some_and(|since| found.record.modified < since) {
        return Ok(Answer::empty(304));
    }
    let only: Option<Vec<FieldNo>> = request.query_value("fields").map(|names| {
        names
            .split(',')
            .filter_map(|name| found.schema.number(name.trim()))
            .collect()
    });
    let mut body = b"{\"data\":[".to_vec();
    body.extend(full(&found, only.as_deref(), world.zone()));
    body.extend_from_slice(b"]}");
    Ok(Answer::json_bytes(200, body))
}
