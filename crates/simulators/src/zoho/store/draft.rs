//! Checks what is to be written before anything changes: an item is applied whole or not at all.

use serde_json::{Map, Value, json};

use super::{
    Store,
    links::LinkDraft,
    rows::RowDraft,
    value::{Stored, Unfit, target_module},
};
use crate::zoho::{
    refusal::Refusal,
    schema::{DataType, Field, FieldNo, Schema, Source},
};

/// A checked write of one record.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// Written fields; none clears.
    pub values: Vec<(FieldNo, Option<Stored>)>,
    pub(super) rows: Vec<(FieldNo, Vec<RowDraft>)>,
    pub(super) links: Vec<(FieldNo, Vec<LinkDraft>)>,
}

impl Draft {
    pub(super) fn value(&self, field: FieldNo) -> Option<&Option<Stored>> {
        self.values
            .iter()
            .find(|(number, _)| *number == field)
            .map(|(_, value)| value)
    }
}

/// Where in the request's body an item stands, for `json_path`.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub module: &'a str,
    pub path: &'a str,
    /// The record that is updated; none on insert.
    pub existing: Option<u64>,
}

impl Store {
    /// Checks a record to insert, or to update when `existing` says which.
    pub(crate) fn draft(
        &self,
        module: &str,
        path: &str,
        existing: Option<u64>,
        written: &Map<String, Value>,
    ) -> Result<Draft, Refusal> {
        let table = self.table(module).ok_or_else(Refusal::invalid_module)?;
        let at = At {
            module,
            path,
            existing,
        };
        let mut draft = Draft::default();
        for (name, value) in written {
            // Unknown names and `$` keys are ignored, as Zoho does.
            let Some((number, field)) = table.schema.field_named(name) else {
                continue;
            };
            match field.source {
                Source::Written => {
                    let stored = self.checked(at, field, value)?;
                    let stored = self.appended(at, number, stored, written.get("$append_values"));
                    draft.values.push((number, stored));
                }
                Source::Rows => draft
                    .rows
                    .push((number, self.draft_rows(at, number, field, value)?)),
                Source::Links => draft
                    .links
                    .push((number, self.draft_links(at, field, value)?)),
                _ => {}
            }
        }
        require_mandatory(&table.schema, at, &draft)?;
        self.refuse_duplicates(at, &draft)?;
        Ok(draft)
    }

    fn checked(&self, at: At<'_>, field: &Field, value: &Value) -> Result<Option<Stored>, Refusal> {
        let json_path = format!("{}.{}", at.path, field.api_name);
        let refused = |unfit: Unfit| {
            let refusal = match unfit {
                Unfit::NoSuchRecord => Refusal::invalid_id(),
                Unfit::WrongType | Unfit::TooLong => Refusal::invalid_data(),
            };
            refusal.with(unfit.details(field, &json_path))
        };
        let stored = Stored::parse(field, value).map_err(refused)?;
        if let (Some(Stored::Reference(id)), Some(target)) = (&stored, target_module(field))
            && self.name_of(target, *id).is_none()
        {
            return Err(refused(Unfit::NoSuchRecord));
        }
        Ok(stored)
    }

    /// `$append_values` adds to a multi-select picklist instead of replacing it.
    fn appended(
        &self,
        at: At<'_>,
        number: FieldNo,
        stored: Option<Stored>,
        append: Option<&Value>,
    ) -> Option<Stored> {
        let table = self.table(at.module)?;
        let name = &table.schema.field(number)?.api_name;
        let wanted = append
            .and_then(|append| append.get(name))
            .and_then(Value::as_bool);
        let before = at
            .existing
            .and_then(|id| table.record(id))
            .and_then(|old| old.value(number));
        match (wanted, before, stored) {
            (Some(true), Some(Stored::Texts(before)), Some(Stored::Texts(new))) => {
                let mut all = before.clone();
                all.extend(new.into_iter().filter(|text| !before.contains(text)));
                Some(Stored::Texts(all))
            }
            (_, _, stored) => stored,
        }
    }

    fn refuse_duplicates(&self, at: At<'_>, draft: &Draft) -> Result<(), Refusal> {
        let Some(table) = self.table(at.module) else {
            return Ok(());
        };
        for (number, value) in &draft.values {
            let (Some(field), Some(value)) = (table.schema.field(*number), value) else {
                continue;
            };
            if !field.unique {
                continue;
            }
            let taken = table
                .with_key(*number, &value.folded())
                .find(|id| Some(*id) != at.existing);
            if let Some(id) = taken {
                return Err(duplicate(&table.schema, field, id, at.path));
            }
        }
        Ok(())
    }

    /// The values of an upsert's key fields; what does not fit finds nothing.
    pub(crate) fn key_values(&self, module: &str, written: &Map<String, Value>) -> Draft {
        let mut draft = Draft::default();
        let Some(table) = self.table(module) else {
            return draft;
        };
        for (name, value) in written {
            if let Some((number, field)) = table.schema.field_named(name)
                && let Ok(stored) = Stored::parse(field, value)
            {
                draft.values.push((number, stored));
            }
        }
        draft
    }

    /// The record that already has the draft's value in a key field.
    pub(crate) fn duplicate_of(&self, module: &str, field: FieldNo, draft: &Draft) -> Option<u64> {
        let value = draft.value(field)?.as_ref()?;
        self.table(module)?.with_key(field, &value.folded()).next()
    }
}

fn require_mandatory(schema: &Schema, at: At<'_>, draft: &Draft) -> Result<(), Refusal> {
    let fields = (0..).zip(&schema.fields);
    for (number, field) in fields.filter(|(_, field)| field.mandatory && !field.removed) {
        let missing = match draft.value(number) {
            None => at.existing.is_none(),
            Some(value) => value.is_none(),
        };
        if missing && field.data_type != DataType::AutoNumber {
            let json_path = format!("{}.{}", at.path, field.api_name);
            let refusal = Refusal::new(400, "MANDATORY_NOT_FOUND", "required field not found");
            return Err(refusal.with(json!({"api_name": field.api_name, "json_path": json_path})));
        }
    }
    Ok(())
}

fn duplicate(schema: &Schema, field: &Field, id: u64, path: &str) -> Refusal {
    Refusal::new(400, "DUPLICATE_DATA", "duplicate data").with(json!({
        "api_name": field.api_name,
        "json_path": format!("{path}.{}", field.api_name),
        "duplicate_record": {
            "id": id.to_string(),
            "module": {"api_name": schema.api_name, "id": schema.id.to_string()},
        },
    }))
}
