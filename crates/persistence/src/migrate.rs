//! Migrations, embedded in the binary (`migrations/README.md`).

use diesel::{
    QueryableByName, RunQueryDsl,
    migration::{Migration, MigrationSource},
    sql_types::{BigInt, Text},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{
    connection::{AnyConnection, connect_error},
    error::OpenError,
};

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Keeps two processes from migrating at once; any constant will do as long as it stays.
#[cfg(feature = "postgres")]
const LOCK: i64 = 0x006d_7a69_6d69_6772;

/// Runs what is missing: on SQLite all of it or nothing, on PostgreSQL one after the other.
pub(crate) fn run(conn: &mut AnyConnection) -> Result<Vec<String>, OpenError> {
    refuse_newer(conn)?;
    match conn {
        AnyConnection::Sqlite(conn) => {
            conn.immediate_transaction(|conn| names(conn.run_pending_migrations(SQLITE)))
        }
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => {
            under_lock(conn, |conn| names(conn.run_pending_migrations(POSTGRES)))
        }
    }
}

/// Undoes everything.
pub(crate) fn revert_all(conn: &mut AnyConnection) -> Result<Vec<String>, OpenError> {
    match conn {
        AnyConnection::Sqlite(conn) => {
            conn.immediate_transaction(|conn| names(conn.revert_all_migrations(SQLITE)))
        }
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(conn) => {
            under_lock(conn, |conn| names(conn.revert_all_migrations(POSTGRES)))
        }
    }
}

/// What is missing.
pub(crate) fn pending(conn: &mut AnyConnection) -> Result<Vec<String>, OpenError> {
    let applied = applied(conn)?;
    let mut known = known(conn)?;
    known.retain(|version| !applied.contains(version));
    Ok(known)
}

/// A database that knows migrations we do not was written by a newer bridge.
pub(crate) fn refuse_newer(conn: &mut AnyConnection) -> Result<(), OpenError> {
    let known = known(conn)?;
    let mut applied = applied(conn)?;
    applied.sort();
    match applied.into_iter().find(|version| !known.contains(version)) {
        Some(version) => Err(OpenError::Newer { version }),
        None => Ok(()),
    }
}

/// The versions this binary carries, oldest first.
fn known(conn: &AnyConnection) -> Result<Vec<String>, OpenError> {
    let mut versions = match conn {
        AnyConnection::Sqlite(_) => {
            let migrations: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> =
                SQLITE.migrations().map_err(migration_error)?;
            versions(&migrations)
        }
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => {
            let migrations: Vec<Box<dyn Migration<diesel::pg::Pg>>> =
                POSTGRES.migrations().map_err(migration_error)?;
            versions(&migrations)
        }
    };
    versions.sort();
    Ok(versions)
}

fn versions<B: diesel::backend::Backend>(migrations: &[Box<dyn Migration<B>>]) -> Vec<String> {
    let names = migrations.iter().map(|migration| migration.name());
    names.map(|name| name.version().to_string()).collect()
}

/// The versions the database has; none if it has no table of them yet.
fn applied(conn: &mut AnyConnection) -> Result<Vec<String>, OpenError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let tables = match conn {
        AnyConnection::Sqlite(_) => {
            "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
        }
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => {
            "SELECT COUNT(*) AS n FROM pg_tables WHERE tablename = '__diesel_schema_migrations' \
             AND schemaname = current_schema()"
        }
    };
    let found: Count =
        on_backend!(conn, c => diesel::sql_query(tables).get_result(c)).map_err(connect_error)?;
    if found.n == 0 {
        return Ok(Vec::new());
    }
    let query = "SELECT version FROM __diesel_schema_migrations";
    let versions: Vec<Version> =
        on_backend!(conn, c => diesel::sql_query(query).load(c)).map_err(connect_error)?;
    Ok(versions.into_iter().map(|row| row.version).collect())
}

#[cfg(feature = "postgres")]
fn under_lock(
    conn: &mut diesel::PgConnection,
    run: impl FnOnce(&mut diesel::PgConnection) -> Result<Vec<String>, OpenError>,
) -> Result<Vec<String>, OpenError> {
    let call = |conn: &mut diesel::PgConnection, statement: &'static str| {
        diesel::sql_query(statement)
            .bind::<BigInt, _>(LOCK)
            .execute(conn)
    };
    call(conn, "SELECT pg_advisory_lock($1)")?;
    let answer = run(conn);
    call(conn, "SELECT pg_advisory_unlock($1)")?;
    answer
}

fn names(
    result: Result<
        Vec<diesel::migration::MigrationVersion<'_>>,
        Box<dyn std::error::Error + Send + Sync>,
    >,
) -> Result<Vec<String>, OpenError> {
    match result {
        Ok(versions) => Ok(versions.iter().map(ToString::to_string).collect()),
        Err(error) => Err(migration_error(error)),
    }
}

impl From<diesel::result::Error> for OpenError {
    fn from(error: diesel::result::Error) -> Self {
        migration_error(error)
    }
}

fn migration_error(error: impl ToString) -> OpenError {
    OpenError::Migration {
        reason: error.to_string(),
    }
}
