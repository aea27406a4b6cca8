//! Deleting records (`zoho.md` §4.5).

use serde_json::{Value, json};

use super::{body::MAX_RECORDS, results::Results};
use crate::{
    locked,
    serve::{Answer, Request},
    zoho::{refusal::Refusal, store::Editor, world::World},
};

/// `DELETE /{module}?ids=…`.
pub(in crate::zoho) fn many(
    world: &World,
    request: &Request,
    module: &str,
) -> Result<Answer, Refusal> {
    let ids = request
        .query_value("ids")
        .ok_or_else(|| Refusal::missing_param("ids"))?;
    let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
    if ids.len() > MAX_RECORDS {
        return Err(Refusal::new(400, "LIMIT_EXCEEDED", "Record count exceeded")
            .with(json!({"param": "ids", "limit": MAX_RECORDS})));
    }
    delete(world, module, &ids)
}

/// `DELETE /{module}/{id}`.
pub(in crate::zoho) fn one(world: &World, module: &str, id: &str) -> Result<Answer, Refusal> {
    delete(world, module, &[id])
}

fn delete(world: &World, module: &str, ids: &[&str]) -> Result<Answer, Refusal> {
    let mut store = locked(&world.store);
    store.table(module).ok_or_else(Refusal::invalid_module)?;
    let stamp = (Editor::Integration, world.now());
    let mut results = Results::default();
    let mut changes = Vec::new();
    for id in ids {
        let known = id
            .parse()
            .is_ok_and(|id| store.delete(module, id, stamp, &mut changes));
        results.push(if known {
            Ok(deleted(id))
        } else {
            Err(unknown(id))
        });
    }
    world.announce(&store, &changes);
    drop(store);
    Ok(results.answer(world, 200))
}

fn deleted(id: &str) -> Value {
    json!({"code": "SUCCESS", "status": "success", "message": "record deleted", "details": {"id": id}})
}

fn unknown(id: &str) -> Refusal {
    Refusal::invalid_id().with(json!({"id": id}))
}
