//! Applies checked writes.

use std::sync::Arc;

use super::{
    Change, Draft, Operation, Store, Tombstone,
    links::LinkDraft,
    record::{Editor, Record},
    rows::row_module,
    value::{Stored, target_module},
};
use crate::zoho::schema::{FieldNo, Schema, Target};

/// What is written and when, in seconds since the epoch.
pub(crate) type Stamp = (Editor, i64);

type Values = Vec<(FieldNo, Option<Stored>)>;

impl Store {
    /// Inserts a checked record.
    pub(crate) fn insert(
        &mut self,
        module: &str,
        draft: Draft,
        (by, now): Stamp,
        changes: &mut Vec<Change>,
    ) -> u64 {
        let id = self.new_id();
        self.put_new(module, id, draft.values, (by, now, now));
        self.apply_sub_forms(module, id, draft.rows, (by, now));
        changes.push(self.change(module, id, Operation::Insert, Vec::new()));
        self.apply_links(module, id, draft.links, (by, now), changes);
        id
    }

    /// Updates a record with a checked draft.
    pub(crate) fn update(
        &mut self,
        module: &str,
        id: u64,
        draft: Draft,
        (by, now): Stamp,
        changes: &mut Vec<Change>,
    ) {
        let affected = self.affected(module, id, &draft);
        self.put_changed(module, id, draft.values, (by, now));
        self.apply_sub_forms(module, id, draft.rows, (by, now));
        changes.push(self.change(module, id, Operation::Update, affected));
        self.apply_links(module, id, draft.links, (by, now), changes);
    }

    /// Moves a record to the recycle bin; false if there is none.
    pub(crate) fn delete(
        &mut self,
        module: &str,
        id: u64,
        (by, now): Stamp,
        changes: &mut Vec<Change>,
    ) -> bool {
        let change = self.change(module, id, Operation::Delete, Vec::new());
        let Some(table) = self.table_mut(module) else {
            return false;
        };
        let Some(record) = table.take(id) else {
            return false;
        };
        let schema = Arc::clone(&table.schema);
        table.tombstones_mut().push(Tombstone {
            id,
            deleted: now,
            by,
            kept: Some(Arc::clone(&record)),
        });
        // The rows stay beside the record in the bin, out of every list.
        for (number, rows) in &record.rows {
            let Some(row_module) = schema.field(*number).and_then(row_module) else {
                continue;
            };
            let Some(table) = self.table_mut(&row_module) else {
                continue;
            };
            for row in rows {
                if let Some(kept) = table.take(*row) {
                    table.tombstones_mut().push(Tombstone {
                        id: *row,
                        deleted: now,
                        by,
                        kept: Some(kept),
                    });
                }
            }
        }
        changes.push(change);
        true
    }

    /// Takes a record back out of the recycle bin, with its rows; false if it is not there.
    pub(crate) fn restore(&mut self, module: &str, id: u64, changes: &mut Vec<Change>) -> bool {
        let Some(record) = self.unbury(module, id) else {
            return false;
        };
        let Some(table) = self.table(module) else {
            return false;
        };
        let schema = Arc::clone(&table.schema);
        for (number, rows) in &record.rows {
            let Some(row_module) = schema.field(*number).and_then(row_module) else {
                continue;
            };
            for row in rows {
                self.unbury(&row_module, *row);
            }
        }
        changes.push(self.change(module, id, Operation::Insert, Vec::new()));
        true
    }

    fn unbury(&mut self, module: &str, id: u64) -> Option<Arc<Record>> {
        let table = self.table_mut(module)?;
        let found = |stone: &Tombstone| stone.id == id && stone.kept.is_some();
        let at = table.tombstones().iter().position(found)?;
        let kept = table.tombstones_mut().remove(at).kept?;
        Some(table.put(Arc::unwrap_or_clone(kept)))
    }

    /// Empties one record out of the recycle bin for good; false if it is not there.
    pub(crate) fn purge(&mut self, module: &str, id: u64) -> bool {
        let Some(table) = self.table_mut(module) else {
            return false;
        };
        let stone = table
            .tombstones_mut()
            .iter_mut()
            .find(|stone| stone.id == id);
        stone.is_some_and(|stone| stone.kept.take().is_some())
    }

    /// Stores a new record.
    pub(super) fn put_new(
        &mut self,
        module: &str,
        id: u64,
        values: Values,
        stamp: (Editor, i64, i64),
    ) {
        let record = self.new_record(module, id, values, stamp);
        if let Some(table) = self.table_mut(module) {
            table.put(record);
        }
    }

    /// Makes a new record and numbers its autonumber fields.
    pub(super) fn new_record(
        &mut self,
        module: &str,
        id: u64,
        values: Values,
        (by, created, modified): (Editor, i64, i64),
    ) -> Record {
        let mut record = Record {
            id,
            created,
            modified,
            created_by: by,
            modified_by: by,
            name: Arc::from(""),
            values: Vec::new(),
            rows: Vec::new(),
        };
        for (number, value) in values {
            record.set(number, value);
        }
        if let Some(table) = self.table_mut(module) {
            for number in table.autonumbers() {
                if record.value(number).is_none() {
                    let next = table.next_number(number);
                    record.set(number, Some(Stored::Text(next)));
                }
            }
            record.name = name(&table.schema, &record);
        }
        record
    }

    pub(super) fn put_changed(&mut self, module: &str, id: u64, values: Values, (by, now): Stamp) {
        let Some(table) = self.table_mut(module) else {
            return;
        };
        let Some(record) = table.take(id) else { return };
        let mut record = Arc::unwrap_or_clone(record);
        for (number, value) in values {
            record.set(number, value);
        }
        record.name = name(&table.schema, &record);
        record.modified = now;
        record.modified_by = by;
        table.put(record);
    }

    fn apply_sub_forms(
        &mut self,
        module: &str,
        id: u64,
        drafts: Vec<(FieldNo, Vec<super::rows::RowDraft>)>,
        stamp: Stamp,
    ) {
        for (number, drafts) in drafts {
            let Some(table) = self.table(module) else {
                return;
            };
            let Some(row_module) = table.schema.field(number).and_then(row_module) else {
                continue;
            };
            let known = table
                .record(id)
                .map(|record| record.rows_of(number).to_vec());
            let ids = self.apply_rows(&row_module, id, known.unwrap_or_default(), drafts, stamp);
            let Some(table) = self.table_mut(module) else {
                return;
            };
            let Some(record) = table.take(id) else { return };
            let mut record = Arc::unwrap_or_clone(record);
            record.set_rows(number, ids);
            table.put(record);
        }
    }

    fn apply_links(
        &mut self,
        module: &str,
        id: u64,
        drafts: Vec<(FieldNo, Vec<LinkDraft>)>,
        stamp: Stamp,
        changes: &mut Vec<Change>,
    ) {
        for (number, drafts) in drafts {
            let field = self
                .table(module)
                .and_then(|table| table.schema.field(number))
                .cloned();
            let Some(field) = field else { continue };
            for draft in drafts {
                match (draft, &field.target) {
                    (LinkDraft::Remove(link), Target::Links(links)) => {
                        self.delete(&links.module, link, stamp, changes);
                    }
                    (LinkDraft::Add(other), _) => {
                        let Some((module, fields)) = Self::link_record(&field, id, other) else {
                            continue;
                        };
                        // A link to nothing is left out; the record itself is saved.
                        if let Ok(draft) = self.draft(&module, "$", None, &fields) {
                            self.insert(&module, draft, stamp, changes);
                        }
                    }
                    (LinkDraft::Remove(_), _) => {}
                }
            }
        }
    }

    fn affected(&self, module: &str, id: u64, draft: &Draft) -> Vec<String> {
        let Some(table) = self.table(module) else {
            return Vec::new();
        };
        let Some(before) = table.record(id) else {
            return Vec::new();
        };
        let changed = draft
            .values
            .iter()
            .filter(|(number, value)| before.value(*number) != value.as_ref());
        let sub_forms = draft
            .rows
            .iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(number, _)| number);
        let links = draft.links.iter().map(|(number, _)| number);
        let numbers = changed
            .map(|(number, _)| number)
            .chain(sub_forms)
            .chain(links);
        let named = numbers.filter_map(|number| table.schema.field(*number));
        named.map(|field| field.api_name.clone()).collect()
    }

    fn change(&self, module: &str, id: u64, operation: Operation, affected: Vec<String>) -> Change {
        let related = self.table(module).and_then(|table| {
            let record = table.record(id)?;
            let lookups = record.values.iter().filter_map(|(number, value)| {
                let target = target_module(table.schema.field(*number)?)?;
                Some((target.to_owned(), value.reference_of()?))
            });
            Some(lookups.collect())
        });
        let related = related.unwrap_or_default();
        Change {
            module: module.to_owned(),
            id,
            operation,
            affected,
            related,
        }
    }
}

/// What lookups to a record show.
fn name(schema: &Schema, record: &Record) -> Arc<str> {
    match schema.display.and_then(|display| record.value(display)) {
        Some(Stored::Text(text)) => Arc::from(text.as_str()),
        _ => Arc::from(""),
    }
}
