//! Changes made by a person working in Zoho, played by the Rust handle and the control interface.

use serde_json::{Map, Value};

use super::{
    field_change::FieldChange,
    read::{full, whole},
    refusal::Refusal,
    store::{Change, Editor, Store},
    world::World,
};
use crate::locked;

impl World {
    pub(super) fn insert(&self, module: &str, fields: &Value) -> Result<String, Refusal> {
        let fields = object(fields)?;
        self.change(|store, now, changes| {
            let draft = store.draft(module, "$", None, fields)?;
            Ok(store
                .insert(module, draft, (Editor::Registrar, now), changes)
                .to_string())
        })
    }

    pub(super) fn update(&self, module: &str, id: &str, fields: &Value) -> Result<(), Refusal> {
        let fields = object(fields)?;
        let id = parsed(id)?;
        self.change(|store, now, changes| {
            let table = store.table(module).ok_or_else(Refusal::invalid_module)?;
            table.record(id).ok_or_else(Refusal::invalid_id)?;
            let draft = store.draft(module, "$", Some(id), fields)?;
            store.update(module, id, draft, (Editor::Registrar, now), changes);
            Ok(())
        })
    }

    pub(super) fn delete(&self, module: &str, id: &str) -> Result<(), Refusal> {
        let id = parsed(id)?;
        self.change(|store, now, changes| {
            known(store.delete(module, id, (Editor::Registrar, now), changes))
        })
    }

    pub(super) fn restore(&self, module: &str, id: &str) -> Result<(), Refusal> {
        let id = parsed(id)?;
        self.change(|store, _now, changes| known(store.restore(module, id, changes)))
    }

    pub(super) fn purge(&self, module: &str, id: &str) -> Result<(), Refusal> {
        let id = parsed(id)?;
        known(locked(&self.store).purge(module, id))
    }

    pub(super) fn record(&self, module: &str, id: &str) -> Option<Value> {
        let found = whole(&locked(&self.store), module, id.parse().ok()?)?;
        serde_json::from_slice(&full(&found, None, self.zone())).ok()
    }

    pub(super) fn ids(&self, module: &str) -> Vec<String> {
        let store = locked(&self.store);
        let records = store
            .table(module)
            .into_iter()
            .flat_map(|table| table.records());
        records.map(|record| record.id.to_string()).collect()
    }

    pub(super) fn alter_field(
        &self,
        module: &str,
        field: &str,
        change: &FieldChange,
    ) -> Result<(), Refusal> {
        let mut store = locked(&self.store);
        let table = store
            .table_mut(module)
            .ok_or_else(Refusal::invalid_module)?;
        let number = table
            .schema
            .number(field)
            .ok_or_else(Refusal::invalid_data)?;
        table.alter(|schema| change.apply(schema, number));
        Ok(())
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Store, i64, &mut Vec<Change>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut store = locked(&self.store);
        let mut changes = Vec::new();
        let result = change(&mut store, self.now(), &mut changes);
        self.announce(&store, &changes);
        result
    }
}

fn object(fields: &Value) -> Result<&Map<String, Value>, Refusal> {
    fields.as_object().ok_or_else(Refusal::invalid_data)
}

fn parsed(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_not_an_id| Refusal::invalid_id())
}

fn known(known: bool) -> Result<(), Refusal> {
    if known {
        Ok(())
    } else {
        Err(Refusal::invalid_id())
    }
}
