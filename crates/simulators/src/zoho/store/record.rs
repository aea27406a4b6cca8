//! One record.

use std::sync::Arc;

use super::value::Stored;
use crate::zoho::schema::FieldNo;

/// Who wrote a record last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Editor {
    /// The user the API's tokens belong to.
    Integration,
    /// A person working in Zoho, played by the control interface.
    Registrar,
}

/// A record; only fields with a value take room.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub id: u64,
    /// Seconds since the epoch: Zoho's times have no finer grain.
    pub created: i64,
    pub modified: i64,
    pub created_by: Editor,
    pub modified_by: Editor,
    /// What lookups to this record show.
    pub name: Arc<str>,
    /// By rising field number.
    pub values: Vec<(FieldNo, Stored)>,
    /// The ids of the rows of each sub-form, in order.
    pub rows: Vec<(FieldNo, Vec<u64>)>,
}

impl Record {
    pub(crate) fn value(&self, field: FieldNo) -> Option<&Stored> {
        let at = self
            .values
            .binary_search_by_key(&field, |(number, _)| *number)
            .ok()?;
        self.values.get(at).map(|(_, value)| value)
    }

    pub(super) fn set(&mut self, field: FieldNo, value: Option<Stored>) {
        match (
            self.values
                .binary_search_by_key(&field, |(number, _)| *number),
            value,
        ) {
            (Ok(at), Some(value)) => {
                if let Some(slot) = self.values.get_mut(at) {
                    slot.1 = value;
                }
            }
            (Ok(at), None) => {
                self.values.remove(at);
            }
            (Err(at), Some(value)) => self.values.insert(at, (field, value)),
            (Err(_), None) => {}
        }
    }

    pub(crate) fn rows_of(&self, field: FieldNo) -> &[u64] {
        self.rows
            .iter()
            .find(|(number, _)| *number == field)
            .map_or(&[], |(_, ids)| ids)
    }

    pub(super) fn set_rows(&mut self, field: FieldNo, ids: Vec<u64>) {
        self.rows.retain(|(number, _)| *number != field);
        if !ids.is_empty() {
            self.rows.push((field, ids));
        }
    }
}
