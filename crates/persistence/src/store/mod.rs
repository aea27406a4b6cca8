//! The store ports on a [`Db`].

mod claims;
mod commit;
mod inbox;
mod issues;
mod keys;
mod ledger;
mod records;
mod settings;
mod settle;
mod states;
mod views;
mod work;

use std::sync::Arc;

use mzi_ports::IdSource;

use crate::{Db, SealKey};

/// Every store port on one database. Cheap to clone.
#[derive(Clone)]
pub struct SqlStore {
    db: Db,
    key: Arc<SealKey>,
    ids: Arc<dyn IdSource>,
}

impl SqlStore {
    /// Stores on `db`, seals secrets with `key`, takes new ids from `ids`.
    pub fn new(db: Db, key: SealKey, ids: Arc<dyn IdSource>) -> Self {
        Self {
            db,
            key: Arc::new(key),
            ids,
        }
    }

    /// The database underneath.
    pub fn db(&self) -> &Db {
        &self.db
    }
}
