//! The records of the simulated organisation.
//!
//! One mutex guards it all, so every operation under it is short: reads hand out shared records
//! and are written as JSON after the lock is released.

mod apply;
mod change;
mod draft;
mod links;
mod record;
mod rows;
mod seed;
mod table;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(crate) use change::{Change, Operation};
pub(crate) use draft::Draft;
pub(crate) use record::{Editor, Record};
pub(crate) use seed::seeded;
pub(crate) use table::{Key, Order, Table, Tombstone};
pub(crate) use value::{Stored, instant};

use super::{catalogue, schema::Schema};

/// Names of the records that lookups lead to, by id.
pub(crate) type Names = HashMap<u64, Arc<str>>;

/// Every module's records.
#[derive(Debug)]
pub(crate) struct Store {
    tables: BTreeMap<String, Table>,
    /// Module names in the order the organisation lists them.
    order: Vec<String>,
    next_id: u64,
}

impl Store {
    pub(crate) fn empty() -> Self {
        let schemas = catalogue::schemas();
        let order = schemas
            .iter()
            .map(|schema| schema.api_name.clone())
            .collect();
        let tables = schemas
            .into_iter()
            .map(|schema| (schema.api_name.clone(), Table::new(schema)))
            .collect();
        // Above every id of invented data, so that newer records have higher ids, as in Zoho.
        Self {
            tables,
            order,
            next_id: 901_000_000_000_001,
        }
    }

    pub(crate) fn table(&self, module: &str) -> Option<&Table> {
        self.tables.get(module)
    }

    pub(crate) fn table_mut(&mut self, module: &str) -> Option<&mut Table> {
        self.tables.get_mut(module)
    }

    pub(crate) fn schemas(&self) -> impl Iterator<Item = &Arc<Schema>> {
        self.order
            .iter()
            .filter_map(|name| self.tables.get(name))
            .map(|table| &table.schema)
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The name of a record, if it lives.
    fn name_of(&self, module: &str, id: u64) -> Option<&Arc<str>> {
        self.tables
            .get(module)?
            .record(id)
            .map(|record| &record.name)
    }
}
