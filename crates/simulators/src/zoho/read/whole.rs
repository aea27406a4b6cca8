//! Takes records out of the store with all that goes with them, so that they are written as JSON
//! after its lock is released.

use std::sync::Arc;

use crate::zoho::{
    schema::{Field, FieldNo, Schema, Source, Target},
    store::{Names, Record, Store, Stored},
};

/// A record with everything a single read shows, taken out of the store.
pub(in crate::zoho) struct Whole {
    pub schema: Arc<Schema>,
    pub record: Arc<Record>,
    pub names: Names,
    pub(super) rows: Vec<(FieldNo, Arc<Schema>, Vec<Arc<Record>>)>,
    pub(super) links: Vec<(FieldNo, Vec<Link>)>,
}

/// One record of a linking module, as the linked record shows it.
pub(super) struct Link {
    pub id: u64,
    pub field: String,
    pub other: u64,
}

/// Takes a record out of the store with its rows, links and the names its lookups show.
pub(in crate::zoho) fn whole(store: &Store, module: &str, id: u64) -> Option<Whole> {
    let table = store.table(module)?;
    let record = Arc::clone(table.record(id)?);
    let schema = Arc::clone(&table.schema);
    let mut names = Names::new();
    collect_names(store, &schema, std::slice::from_ref(&record), &mut names);
    let mut rows = Vec::new();
    let mut links = Vec::new();
    for (number, field) in (0..)
        .zip(&schema.fields)
        .filter(|(_, field)| !field.removed)
    {
        match &field.target {
            Target::Module(row_module) if field.source == Source::Rows => {
                let Some(table) = store.table(row_module) else {
                    continue;
                };
                let ids = record.rows_of(number).iter();
                let found: Vec<_> = ids.filter_map(|id| table.record(*id)).cloned().collect();
                collect_names(store, &table.schema, &found, &mut names);
                rows.push((number, Arc::clone(&table.schema), found));
            }
            Target::Links(_) => links.push((number, linked(store, field, id, &mut names))),
            _ => {}
        }
    }
    Some(Whole {
        schema,
        record,
        names,
        rows,
        links,
    })
}

fn linked(store: &Store, field: &Field, id: u64, names: &mut Names) -> Vec<Link> {
    let Target::Links(links) = &field.target else {
        return Vec::new();
    };
    let Some(table) = store.table(&links.module) else {
        return Vec::new();
    };
    let (Some(own), Some(other)) = (
        table.schema.number(&links.own),
        table.schema.number(&links.other),
    ) else {
        return Vec::new();
    };
    let records: Vec<_> = table.referring(own, id).cloned().collect();
    collect_names(store, &table.schema, &records, names);
    let link = |record: &Arc<Record>| match record.value(other) {
        Some(Stored::Reference(target)) => Some(Link {
            id: record.id,
            field: links.other.clone(),
            other: *target,
        }),
        _ => None,
    };
    records.iter().filter_map(link).collect()
}

/// Adds the names of the living records that these records' lookups lead to.
pub(super) fn collect_names(
    store: &Store,
    schema: &Schema,
    records: &[Arc<Record>],
    names: &mut Names,
) {
    for (number, value) in records.iter().flat_map(|record| &record.values) {
        let Stored::Reference(id) = value else {
            continue;
        };
        if names.contains_key(id) {
            continue;
        }
        let Some(Target::Module(module)) = schema.field(*number).map(|field| &field.target) else {
            continue;
        };
        if let Some(record) = store.table(module).and_then(|table| table.record(*id)) {
            names.insert(*id, Arc::clone(&record.name));
        }
    }
}
