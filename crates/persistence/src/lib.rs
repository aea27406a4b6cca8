//! The bridge's stores on SQLite and PostgreSQL, one code path by diesel.
//!
//! [`Db`] owns the connections: on SQLite one writer that commits many callers' changes with one
//! fsync, and a pool of readers; on PostgreSQL a pool. [`SqlStore`] implements the store ports on
//! it. Queries live here and nowhere else; rows are private to the file that reads them.

#[macro_use]
mod connection;
mod db;
mod error;
mod migrate;
mod moment;
#[macro_use]
mod statements;
#[macro_use]
mod schema;
mod seal;
mod store;
mod text;
mod url;

pub use connection::AnyConnection;
pub use db::{Db, Options};
pub use error::{Failure, OpenError};
pub use schema::{ColumnShape, TableShape, tables};
pub use seal::{SealError, SealKey};
pub use store::SqlStore;
