//! Records and fields of the control interface.

use hyper::Method;
use serde_json::{Value, json};

use super::{super::field_change::FieldChange, parsed};
use crate::{
    serve::{Answer, Request},
    zoho::{refusal::Refusal, world::World},
};

/// `records/{module}[/{id}[/restore|purge]]`.
pub(super) fn answer(world: &World, request: &Request, rest: &[&str]) -> Result<Answer, Refusal> {
    match (&request.method, rest) {
        (&Method::GET, [module]) => Ok(Answer::json(
            200,
            &json!({"count": world.ids(module).len(), "ids": world.ids(module)}),
        )),
        (&Method::POST, [module]) => {
            let id = world.insert(module, &parsed::<Value>(request)?)?;
            Ok(Answer::json(201, &json!({"id": id})))
        }
        (&Method::GET, [module, id]) => {
            let record = world.record(module, id).ok_or_else(Refusal::invalid_id)?;
            Ok(Answer::json(200, &record))
        }
        (&Method::PUT, [module, id]) => done(world.update(module, id, &parsed::<Value>(request)?)),
        (&Method::DELETE, [module, id]) => done(world.delete(module, id)),
        (&Method::POST, [module, id, "restore"]) => done(world.restore(module, id)),
        (&Method::POST, [module, id, "purge"]) => done(world.purge(module, id)),
        _ => Err(Refusal::invalid_url()),
    }
}

/// `fields/{module}/{field}`.
pub(super) fn alter_field(
    world: &World,
    request: &Request,
    module: &str,
    field: &str,
) -> Result<Answer, Refusal> {
    match request.method {
        Method::PATCH => done(world.alter_field(module, field, &parsed::<FieldChange>(request)?)),
        _ => Err(Refusal::invalid_method()),
    }
}

fn done(outcome: Result<(), Refusal>) -> Result<Answer, Refusal> {
    outcome.map(|()| Answer::empty(204))
}
