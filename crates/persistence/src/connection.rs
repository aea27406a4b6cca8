//! One connection type for both back ends, and how a connection is made fit.

use std::time::Duration;

use diesel::{
    Connection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection, r2d2::ManageConnection, sql_types::Text,
};

use crate::{error::OpenError, url::Target};

/// A connection to whichever database the URL names.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// SQLite.
    Sqlite(SqliteConnection),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
}

/// Repeats an expression for each concrete connection: upsert, returning and locking have no form
/// that serves both, and the hot path is quicker without the detour.
macro_rules! on_backend {
    ($conn:expr, $c:ident => $query:expr) => {
        match $conn {
            $crate::AnyConnection::Sqlite($c) => $query,
            #[cfg(feature = "postgres")]
            $crate::AnyConnection::Postgres($c) => $query,
        }
    };
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reads and writes.
    Write,
    /// Reads only; on SQLite the connection refuses anything else.
    Read,
}

/// Makes connections.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    pub target: Target,
    pub busy_timeout: Duration,
}

impl Connector {
    /// A new connection with every setting our promises rest on.
    pub fn connect_for(&self, purpose: Purpose) -> Result<AnyConnection, OpenError> {
        match &self.target {
            Target::Sqlite(path) => {
                let mut conn = open_file(&path.to_string_lossy())?;
                prepare(&mut conn, self.busy_timeout, purpose)?;
                Ok(AnyConnection::Sqlite(conn))
            }
            #[cfg(feature = "postgres")]
            Target::Postgres(url) => {
                let mut conn = diesel::PgConnection::establish(url).map_err(connect_error)?;
                // Timestamps without a zone are UTC, whatever the server's zone is.
                conn.batch_execute("SET TIME ZONE 'UTC'")
                    .map_err(connect_error)?;
                Ok(AnyConnection::Postgres(conn))
            }
        }
    }
}

impl ManageConnection for Connector {
    type Connection = AnyConnection;
    type Error = OpenError;

    fn connect(&self) -> Result<AnyConnection, OpenError> {
        self.connect_for(Purpose::Read)
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), OpenError> {
        conn.batch_execute("SELECT 1").map_err(connect_error)
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        std::thread::panicking() || diesel::r2d2::R2D2Connection::is_broken(conn)
    }
}

/// Opens a SQLite file or `file:` URI as it is, without any setting.
pub(crate) fn open_file(path: &str) -> Result<SqliteConnection, OpenError> {
    SqliteConnection::establish(path).map_err(connect_error)
}

pub(crate) fn connect_error(error: impl std::fmt::Display) -> OpenError {
    OpenError::Connect {
        reason: error.to_string(),
    }
}

/// The value a pragma answers, if it answers one.
pub(crate) fn pragma(conn: &mut SqliteConnection, name: &str) -> QueryResult<Option<String>> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Text)]
        value: String,
    }
    // The name is one of ours: pragmas take no bound values.
    let query = format!("SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}");
    let answers: Vec<Answer> = diesel::sql_query(query).load(conn)?;
    Ok(answers.into_iter().next().map(|answer| answer.value))
}

/// House rules §9 and reliability §3.4.
fn prepare(
    conn: &mut SqliteConnection,
    busy_timeout: Duration,
    purpose: Purpose,
) -> Result<(), OpenError> {
    let wait = busy_timeout.as_millis();
    conn.batch_execute(&format!("PRAGMA busy_timeout = {wait}"))
        .map_err(connect_error)?;
    conn.batch_execute("PRAGMA foreign_keys = ON")
        .map_err(connect_error)?;
    match purpose {
        Purpose::Read => conn
            .batch_execute("PRAGMA query_only = ON")
            .map_err(connect_error),
        Purpose::Write => {
            conn.batch_execute(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA journal_size_limit = 67108864;",
            )
            .map_err(connect_error)?;
            require(conn, "journal_mode", "wal")?;
            require(conn, "synchronous", "2")
        }
    }
}

fn require(
    conn: &mut SqliteConnection,
    setting: &'static str,
    wanted: &str,
) -> Result<(), OpenError> {
    let found = pragma(conn, setting).map_err(connect_error)?;
    let found = found.unwrap_or_default();
    if found != wanted {
        return Err(OpenError::Setting { setting, found });
    }
    Ok(())
}
