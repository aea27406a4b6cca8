//! Insert, update and upsert.

use serde_json::{Map, Value, json};

use super::{
    body::Body,
    results::{Results, saved},
};
use crate::{
    joined, locked,
    serve::{Answer, Request},
    zoho::{
        refusal::Refusal,
        schema::{FieldNo, Schema},
        store::{Change, Editor, Store},
        world::World,
    },
};

/// `POST /{module}`.
pub(in crate::zoho) fn insert(
    world: &World,
    request: &Request,
    module: &str,
) -> Result<Answer, Refusal> {
    each(world, request, module, 201, |saving, record| {
        saving.insert(record)
    })
}

/// `PUT /{module}`, or `PUT /{module}/{id}` when `id` is given.
pub(in crate::zoho) fn update(
    world: &World,
    request: &Request,
    module: &str,
    id: Option<&str>,
) -> Result<Answer, Refusal> {
    each(world, request, module, 200, |saving, record| {
        let id = match id {
            Some(id) => Some(id.to_owned()),
            None => record
                .get("id")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned),
        };
        saving.update(id.as_deref(), record)
    })
}

/// `POST /{module}/upsert`.
pub(in crate::zoho) fn upsert(
    world: &World,
    request: &Request,
    module: &str,
) -> Result<Answer, Refusal> {
    each(world, request, module, 200, |saving, record| {
        saving.upsert(record)
    })
}

/// Saves item by item, so that a later item sees what an earlier one wrote.
fn each(
    world: &World,
    request: &Request,
    module: &str,
    success: u16,
    save: impl Fn(&mut Saving<'_>, &Map<String, Value>) -> Result<Value, Refusal>,
) -> Result<Answer, Refusal> {
    let body = Body::of(request)?;
    let mut store = locked(&world.store);
    store.table(module).ok_or_else(Refusal::invalid_module)?;
    let mut results = Results::default();
    let mut changes = Vec::new();
    for (position, record) in body.records.iter().enumerate() {
        let mut saving = Saving {
            world,
            store: &mut store,
            module,
            body: &body,
            path: format!("$.data[{position}]"),
            changes: &mut changes,
        };
        results.push(save(&mut saving, record));
    }
    world.announce(&store, &changes);
    drop(store);
    Ok(results.answer(world, success))
}

struct Saving<'a> {
    world: &'a World,
    store: &'a mut Store,
    module: &'a str,
    body: &'a Body,
    path: String,
    changes: &'a mut Vec<Change>,
}

impl Saving<'_> {
    fn insert(&mut self, record: &Map<String, Value>) -> Result<Value, Refusal> {
        let draft = self.store.draft(self.module, &self.path, None, record)?;
        let stamp = (Editor::Integration, self.world.now());
        let id = self.store.insert(self.module, draft, stamp, self.changes);
        Ok(self.saved(id, "record added"))
    }

    fn update(&mut self, id: Option<&str>, record: &Map<String, Value>) -> Result<Value, Refusal> {
        let id_path = json!({"api_name": "id", "json_path": format!("{}.id", self.path)});
        let Some(id) = id else {
            let refusal = Refusal::new(400, "MANDATORY_NOT_FOUND", "required field not found");
            return Err(refusal.with(id_path));
        };
        let id: Option<u64> = id.parse().ok();
        let table = self
            .store
            .table(self.module)
            .ok_or_else(Refusal::invalid_module)?;
        let Some(existing) = id.and_then(|id| table.record(id)) else {
            return Err(Refusal::invalid_id().with(id_path));
        };
        let (id, modified) = (existing.id, existing.modified);
        if self
            .body
            .unmodified_since
            .is_some_and(|since| modified > since)
        {
            let message = "the record was modified after the given time";
            return Err(Refusal::new(412, "ALREADY_MODIFIED", message).with(id_path));
        }
        let draft = self
            .store
            .draft(self.module, &self.path, Some(id), record)?;
        let stamp = (Editor::Integration, self.world.now());
        self.store
            .update(self.module, id, draft, stamp, self.changes);
        Ok(self.saved(id, "record updated"))
    }

    fn upsert(&mut self, record: &Map<String, Value>) -> Result<Value, Refusal> {
        let found = self.existing(record)?;
        let (item, action, field) = match found {
            Some((id, field)) => (self.update(Some(&id.to_string()), record)?, "update", field),
            None => (self.insert(record)?, "insert", None),
        };
        Ok(joined(
            item,
            json!({"action": action, "duplicate_field": field}),
        ))
    }

    /// The record an upsert updates, and the field that found it.
    fn existing(
        &self,
        record: &Map<String, Value>,
    ) -> Result<Option<(u64, Option<String>)>, Refusal> {
        if let Some(id) = record.get("id").and_then(Value::as_str) {
            return Ok(id.parse().ok().map(|id| (id, None)));
        }
        let schema = self.store.table(self.module).map(|table| &table.schema);
        let schema = schema.ok_or_else(Refusal::invalid_module)?;
        let keys = self.keys(schema);
        // The values of the keys alone are read here; the whole item is checked when it is saved.
        let only_keys: Map<String, Value> = keys
            .iter()
            .filter_map(|number| schema.field(*number))
            .filter_map(|field| record.get_key_value(&field.api_name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let unchecked = self.store.key_values(self.module, &only_keys);
        let found = keys.into_iter().find_map(|number| {
            let id = self.store.duplicate_of(self.module, number, &unchecked)?;
            Some((id, schema.field(number).map(|field| field.api_name.clone())))
        });
        Ok(found)
    }

    /// The fields that find an existing record: the named ones first, then the unique ones.
    /// A name that is no key is passed over (`zoho.md` §4.3).
    fn keys(&self, schema: &Schema) -> Vec<FieldNo> {
        let named = self
            .body
            .duplicate_check_fields
            .iter()
            .filter_map(|name| schema.number(name));
        let mut keys: Vec<FieldNo> = named
            .filter(|number| schema.is_duplicate_key(*number))
            .collect();
        for (number, field) in (0..).zip(&schema.fields) {
            let system =
                self.body.duplicate_check_fields.is_empty() && schema.is_duplicate_key(number);
            if (field.unique || system) && !field.removed && !keys.contains(&number) {
                keys.push(number);
            }
        }
        keys
    }

    fn saved(&self, id: u64, message: &str) -> Value {
        let record = self
            .store
            .table(self.module)
            .and_then(|table| table.record(id));
        record.map_or(Value::Null, |record| saved(self.world, record, message))
    }
}
