//! Writing sub-forms (`zoho.md` §4.4): rows without an id are appended, rows with one are changed,
//! `_delete` removes a row, an empty list removes all.

use serde_json::{Value, json};

use super::{Draft, Store, draft::At, record::Editor, value::Stored};
use crate::zoho::{
    refusal::Refusal,
    schema::{Field, FieldNo, Target},
};

/// The most rows of one sub-form.
const MAX_ROWS: usize = 100;

/// What happens to one row.
#[derive(Debug)]
pub(super) enum RowDraft {
    Add(Draft),
    Change(u64, Draft),
    Remove(u64),
}

impl Store {
    pub(super) fn draft_rows(
        &self,
        at: At<'_>,
        number: FieldNo,
        field: &Field,
        written: &Value,
    ) -> Result<Vec<RowDraft>, Refusal> {
        let table = self.table(at.module);
        let parent = at.existing.and_then(|id| table?.record(id));
        let known = parent.map_or(&[][..], |parent| parent.rows_of(number));
        let json_path = format!("{}.{}", at.path, field.api_name);
        let rows = match written {
            Value::Null => &[][..],
            Value::Array(rows) => rows,
            _ => {
                let details = json!({
                    "api_name": field.api_name, "json_path": json_path, "expected_data_type": "jsonarray",
                });
                return Err(Refusal::invalid_data().with(details));
            }
        };
        if rows.is_empty() {
            return Ok(known.iter().copied().map(RowDraft::Remove).collect());
        }
        let Target::Module(module) = &field.target else {
            return Ok(Vec::new());
        };
        let drafts = (0..).zip(rows).map(|(position, row)| {
            self.draft_row(module, &format!("{json_path}[{position}]"), known, row)
        });
        let drafts = drafts.collect::<Result<Vec<_>, Refusal>>()?;
        let added = drafts
            .iter()
            .filter(|row| matches!(row, RowDraft::Add(_)))
            .count();
        if known.len() + added > MAX_ROWS {
            let message = "Record insertion limit has been exceeded.";
            return Err(Refusal::new(400, "LIMIT_EXCEEDED", message).with(
                json!({"api_name": field.api_name, "json_path": json_path, "limit": MAX_ROWS}),
            ));
        }
        Ok(drafts)
    }

    fn draft_row(
        &self,
        module: &str,
        path: &str,
        known: &[u64],
        row: &Value,
    ) -> Result<RowDraft, Refusal> {
        let Value::Object(fields) = row else {
            let details = json!({"json_path": path, "expected_data_type": "jsonobject"});
            return Err(Refusal::invalid_data().with(details));
        };
        let Some(id) = fields.get("id").filter(|id| !id.is_null()) else {
            return Ok(RowDraft::Add(self.draft(module, path, None, fields)?));
        };
        let known_id = super::value::reference(id).filter(|id| known.contains(id));
        let Some(id) = known_id else {
            return Err(Refusal::invalid_id()
                .with(json!({"api_name": "id", "json_path": format!("{path}.id")})));
        };
        if fields.contains_key("_delete") {
            return Ok(RowDraft::Remove(id));
        }
        Ok(RowDraft::Change(
            id,
            self.draft(module, path, Some(id), fields)?,
        ))
    }

    /// Applies drafts to the rows of one sub-form and returns the ids that are left, in order.
    pub(super) fn apply_rows(
        &mut self,
        module: &str,
        parent: u64,
        mut ids: Vec<u64>,
        drafts: Vec<RowDraft>,
        (by, now): (Editor, i64),
    ) -> Vec<u64> {
        for draft in drafts {
            match draft {
                RowDraft::Add(mut draft) => {
                    if let Some(field) = self
                        .table(module)
                        .and_then(|table| table.schema.number("Parent_Id"))
                    {
                        draft.values.push((field, Some(Stored::Reference(parent))));
                    }
                    let id = self.new_id();
                    self.put_new(module, id, draft.values, (by, now, now));
                    ids.push(id);
                }
                RowDraft::Change(id, draft) => {
                    self.put_changed(module, id, draft.values, (by, now))
                }
                RowDraft::Remove(id) => {
                    ids.retain(|known| *known != id);
                    if let Some(table) = self.table_mut(module) {
                        table.take(id);
                    }
                }
            }
        }
        ids
    }
}

/// The target module of a sub-form's field.
pub(super) fn row_module(field: &Field) -> Option<String> {
    if let Target::Module(module) = &field.target {
        Some(module.clone())
    } else {
        None
    }
}
