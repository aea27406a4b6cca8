//! The tables, one definition for both back ends.
//!
//! A test introspects both and compares; another compares the business tables with
//! `mzi_domain::columns`.

#[macro_use]
mod described;

#[macro_use]
pub(crate) mod business;
pub(crate) mod system;

pub use self::described::{ColumnShape, TableShape};

/// Every table.
pub fn tables() -> Vec<TableShape> {
    let mut tables = system::tables();
    tables.extend(business::tables());
    tables
}
