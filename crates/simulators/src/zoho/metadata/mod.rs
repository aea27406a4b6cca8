//! `/settings/modules` and `/settings/fields` (`zoho.md` §2).
//!
//! Every key that Zoho's published schema requires is there; the values of keys that the bridge
//! has no use for are the plainest ones that fit.

mod field;
mod module;

use std::sync::Arc;

use serde_json::json;

use super::{refusal::Refusal, schema::Schema, store::Store, world::World};
use crate::{
    locked,
    serve::{Answer, Request},
};

/// `GET /settings/modules`.
pub(super) fn modules(world: &World, request: &Request) -> Answer {
    // Modules are all visible here, so any other status alone finds none.
    let status = request
        .query_value("status")
        .unwrap_or_else(|| "visible".to_owned());
    if !status.split(',').any(|status| status.trim() == "visible") {
        return Answer::empty(204);
    }
    let store = locked(&world.store);
    let modules: Vec<_> = (1_i64..)
        .zip(store.schemas())
        .map(|(number, schema)| module::json(&store, schema, number))
        .collect();
    drop(store);
    Answer::json(200, &json!({"modules": modules}))
}

/// `GET /settings/modules/{api_name or id}`.
pub(super) fn module(world: &World, name: &str) -> Result<Answer, Refusal> {
    let store = locked(&world.store);
    let found = (1_i64..)
        .zip(store.schemas())
        .find(|(_, schema)| schema.api_name == name || schema.id.to_string() == name)
        .map(|(number, schema)| module::json(&store, schema, number));
    drop(store);
    let found = found.ok_or_else(Refusal::invalid_module)?;
    Ok(Answer::json(200, &json!({"modules": [found]})))
}

/// `GET /settings/fields?module=…`.
pub(super) fn fields(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let (schemas, schema) = of_request(world, request)?;
    let shown = |removed: bool| {
        let fields = (1_i64..)
            .zip(&schema.fields)
            .filter(|(_, field)| field.removed == removed);
        fields
            .map(|(number, each)| field::json(&schemas, &schema, each, number))
            .collect::<Vec<_>>()
    };
    let fields = match request.query_value("type").as_deref() {
        None | Some("used") => shown(false),
        Some("unused") => shown(true),
        Some("all") => [shown(false), shown(true)].concat(),
        Some(_) => return Err(Refusal::invalid_data().with(json!({"param_name": "type"}))),
    };
    Ok(match fields.is_empty() {
        true => Answer::empty(204),
        false => Answer::json(200, &json!({"fields": fields})),
    })
}

/// `GET /settings/fields/{id}?module=…`.
pub(super) fn field(world: &World, request: &Request, id: &str) -> Result<Answer, Refusal> {
    let (schemas, schema) = of_request(world, request)?;
    let found = (1_i64..)
        .zip(&schema.fields)
        .find(|(_, field)| field.id.to_string() == id);
    Ok(match found {
        None => Answer::empty(204),
        Some((number, found)) => Answer::json(
            200,
            &json!({"fields": [field::json(&schemas, &schema, found, number)]}),
        ),
    })
}

/// All schemas, and the one of the `module` parameter.
fn of_request(
    world: &World,
    request: &Request,
) -> Result<(Vec<Arc<Schema>>, Arc<Schema>), Refusal> {
    let name = request
        .query_value("module")
        .ok_or_else(|| Refusal::missing_param("module").with(json!({"param_name": "module"})))?;
    let store: &Store = &locked(&world.store);
    let schemas: Vec<Arc<Schema>> = store.schemas().cloned().collect();
    let found = schemas
        .iter()
        .find(|schema| schema.api_name == name)
        .cloned();
    let found =
        found.ok_or_else(|| Refusal::invalid_module().with(json!({"api_name": "module"})))?;
    Ok((schemas, found))
}

/// A module as other metadata refers to it.
fn minified(schema: &Schema) -> serde_json::Value {
    json!({"api_name": schema.api_name, "id": schema.id.to_string()})
}
