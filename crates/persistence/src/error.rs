//! How opening fails, and how a query's failure becomes a [`StoreError`].

use std::path::PathBuf;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use mzi_ports::StoreError;

/// Why a database could not be opened, in a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names a database we do not know.
    #[error(
        "DATABASE_URL begins with '{scheme}', which is not a database this bridge knows; \
         use sqlite:///relative/path, sqlite:////absolute/path or postgres://host/name"
    )]
    UnknownScheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// A SQLite URL without a path, or one in memory.
    #[error(
        "DATABASE_URL names no file; a database in memory would lose every event on exit, so use \
         sqlite:///relative/path or sqlite:////absolute/path"
    )]
    NoFile,
    /// A PostgreSQL URL in a build without PostgreSQL.
    #[error(
        "DATABASE_URL names a PostgreSQL database, but this build has no PostgreSQL support; \
         build with the cargo feature 'postgres' (cargo build --features postgres), or use \
         sqlite:///path"
    )]
    PostgresNotBuiltIn,
    /// The file belongs to another program, most likely to the predecessor.
    #[error(
        "{} is a SQLite database of another program, most likely of the bridge this one replaces; \
         it was left untouched. Point DATABASE_URL at another file, for example \
         sqlite:///./mzi.db, or move that one away; records are read from Zoho again",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is no database, or no longer one.
    #[error(
        "{} is not a readable SQLite database ({reason}); restore it from a backup, or point \
         DATABASE_URL at another file",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer bridge has been here.
    #[error(
        "the database was written by a newer version of the bridge (migration {version}); run \
         that version, or restore the backup made before the upgrade"
    )]
    Newer {
        /// The first migration we do not know.
        version: String,
    },
    /// SQLite before 3.51.3 can corrupt a write-ahead log.
    #[error("SQLite {found} is linked, but 3.51.3 or later is needed; build with the bundled one")]
    OldSqlite {
        /// The linked version.
        found: String,
    },
    /// A setting the promises rest on did not take effect.
    #[error("SQLite did not accept {setting}: it answers '{found}'")]
    Setting {
        /// The pragma.
        setting: &'static str,
        /// What it reads back as.
        found: String,
    },
    /// The file or its folder cannot be used.
    #[error("cannot use {}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The database cannot be reached.
    #[error("cannot connect to the database: {reason}")]
    Connect {
        /// What was seen.
        reason: String,
    },
    /// A migration failed; nothing of it remains.
    #[error("a migration failed and was undone: {reason}")]
    Migration {
        /// What was seen.
        reason: String,
    },
}

/// Why a closure given to [`Db`](crate::Db) failed.
#[derive(Debug)]
pub enum Failure {
    /// The database said no.
    Database(DieselError),
    /// The store said no.
    Store(StoreError),
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// A row of `table` that cannot be understood.
    pub fn corrupt(table: &'static str, reason: impl Into<String>) -> Self {
        Self::Store(StoreError::Corrupt {
            table,
            reason: reason.into(),
        })
    }

    /// A rule of the store's own that was broken.
    pub fn internal(reason: impl Into<String>) -> Self {
        Self::Store(StoreError::Internal {
            reason: reason.into(),
        })
    }

    /// Whether the same transaction may succeed if it is simply run again: it met another one, or
    /// the other one was quicker and will be seen this time.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_conflict(&self) -> bool {
        let Self::Database(DieselError::DatabaseError(kind, info)) = self else {
            return false;
        };
        matches!(
            kind,
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::UniqueViolation
        ) || info.message().contains("deadlock detected")
    }

    /// Whether the database itself is unwell, so that nothing else would go through now either.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Database(error) => outage(error).is_some(),
            Self::Store(error) => matches!(error, StoreError::Unavailable { .. }),
        }
    }

    /// The failure as the ports know it: no path, no query, no value.
    pub(crate) fn into_store_error(self) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Database(error) => error,
        };
        if let Some(reason) = outage(&error) {
            return unavailable(reason);
        }
        match error {
            DieselError::DeserializationError(reason) => StoreError::Corrupt {
                table: "unknown",
                reason: reason.to_string(),
            },
            DieselError::DatabaseError(kind, info) => StoreError::Internal {
                reason: match info.constraint_name() {
                    Some(name) => format!("{kind:?} of {name}"),
                    None => format!("{kind:?}: {}", first_line(info.message())),
                },
            },
            other => StoreError::Internal {
                reason: other.to_string(),
            },
        }
    }
}

pub(crate) fn unavailable(reason: impl Into<String>) -> StoreError {
    StoreError::Unavailable {
        reason: reason.into(),
    }
}

/// What SQLite says (`sqlite3_errstr`) and PostgreSQL's server and library messages, with the
/// words we answer instead.
const OUTAGES: &[(&str, &str)] = &[
    ("database or disk is full", "the disk is full"),
    ("database is locked", "another process holds the database"),
    (
        "database table is locked",
        "another process holds the database",
    ),
    (
        "attempt to write a readonly database",
        "the database is read-only",
    ),
    ("disk I/O error", "the disk fails"),
    (
        "unable to open database file",
        "the database file cannot be opened",
    ),
    (
        "database disk image is malformed",
        "the database file is damaged",
    ),
    ("file is not a database", "the database file is damaged"),
    ("out of memory", "memory is short"),
    ("No space left on device", "the disk is full"),
    ("could not extend file", "the disk is full"),
    ("server closed the connection", "the connection was lost"),
    ("connection to server", "the connection was lost"),
    ("no connection to the server", "the connection was lost"),
    ("terminating connection", "the connection was lost"),
    (
        "the database system is",
        "the database is starting or stopping",
    ),
    (
        "too many connections",
        "the database takes no more connections",
    ),
    ("too many clients", "the database takes no more connections"),
    ("read-only transaction", "the database is read-only"),
];

fn outage(error: &DieselError) -> Option<&'static str> {
    match error {
        DieselError::BrokenTransactionManager => Some("the connection was lost"),
        DieselError::DatabaseError(kind, info) => match kind {
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Some("the connection was lost")
            }
            DatabaseErrorKind::ReadOnlyTransaction => Some("the database is read-only"),
            DatabaseErrorKind::SerializationFailure => Some("other transactions were in the way"),
            DatabaseErrorKind::Unknown => outage_message(info.message()),
            _ => None,
        },
        _ => None,
    }
}

fn outage_message(message: &str) -> Option<&'static str> {
    if message.contains("deadlock detected") {
        return Some("other transactions were in the way");
    }
    let known = OUTAGES.iter().find(|(seen, _)| message.contains(seen));
    known.map(|(_, words)| *words)
}

/// Later lines of a PostgreSQL message may show the values of a row.
fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}
