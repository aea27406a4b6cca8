//! The schema in code, the domain's columns and both databases say the same.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    QueryableByName, RunQueryDsl,
    sql_types::{Bool, Text},
};
use mzi_domain::{Entity, columns::Kind};
use mzi_persistence::{AnyConnection, Db, Options, TableShape, tables};

use crate::support::sqlite_in;

/// Table, then column, then type and whether it may be null.
type Schema = BTreeMap<String, BTreeMap<String, (String, bool)>>;

const SYSTEM_COLUMNS: [&str; 9] = [
    "connection_id",
    "zoho_id",
    "public_ref",
    "zoho_modified_at",
    "content_hash",
    "mapping_version",
    "deleted_at",
    "created_at",
    "updated_at",
];

fn in_code() -> Schema {
    let sql_type = |diesel: &str| match diesel {
        "Text" => "TEXT",
        "BigInt" => "BIGINT",
        "Integer" => "INTEGER",
        "Bool" => "BOOLEAN",
        "Date" => "DATE",
        "Timestamp" => "TIMESTAMP",
        other => panic!("no SQL type is known for {other}"),
    };
    let columns = |table: &TableShape| {
        let columns = table.columns.iter();
        columns
            .map(|column| {
                let shape = (sql_type(&column.sql_type).to_owned(), column.nullable);
                (column.name.to_owned(), shape)
            })
            .collect()
    };
    tables()
        .iter()
        .map(|table| (table.name.to_owned(), columns(table)))
        .collect()
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    column_type: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

async fn in_database(db: &Db) -> Schema {
    let rows = db
        .read(|conn| {
            let rows: Vec<Found> = match conn {
                AnyConnection::Sqlite(c) => diesel::sql_query(
                    "SELECT m.name AS table_name, c.name AS column_name, c.type AS column_type, \
                     c.\"notnull\" = 0 AS nullable \
                     FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' \
                     AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'",
                )
                .load(c)?,
                #[cfg(feature = "postgres")]
                AnyConnection::Postgres(c) => diesel::sql_query(
                    "SELECT table_name::text, column_name::text, \
                     UPPER(replace(data_type, ' without time zone', ''))::text AS column_type, \
                     is_nullable = 'YES' AS nullable \
                     FROM information_schema.columns WHERE table_schema = current_schema() \
                     AND table_name NOT LIKE '\\_\\_%'",
                )
                .load(c)?,
            };
            Ok(rows)
        })
        .await
        .unwrap();
    let mut schema = Schema::new();
    for row in rows {
        // SQLite's own numbering column must be called INTEGER; it holds 64 bits all the same.
        let is_number = row.table_name == "record_history" && row.column_name == "id";
        let column_type = if is_number {
            "BIGINT".into()
        } else {
            row.column_type
        };
        let table = schema.entry(row.table_name).or_default();
        table.insert(row.column_name, (column_type, row.nullable));
    }
    schema
}

fn migrated(url: &str) -> Db {
    let db = Db::open(url, &Options::default()).unwrap();
    db.migrate().unwrap();
    db
}

#[test]
fn every_business_table_has_the_columns_of_its_entity() {
    let shapes: BTreeMap<_, _> = tables()
        .into_iter()
        .map(|table| (table.name, table.columns))
        .collect();
    for entity in Entity::ALL {
        let table = shapes
            .get(entity.key())
            .unwrap_or_else(|| panic!("{entity}"));
        let mapped: BTreeSet<_> = table
            .iter()
            .filter(|column| !SYSTEM_COLUMNS.contains(&column.name))
            .map(|column| (column.name, column.sql_type.as_str()))
            .collect();
        let wanted: BTreeSet<_> = entity
            .columns()
            .iter()
            .map(|column| {
                let sql_type = match column.kind {
                    Kind::Text => "Text",
                    Kind::Integer | Kind::Money => "BigInt",
                    Kind::Boolean => "Bool",
                    Kind::Date => "Date",
                    Kind::Instant => "Timestamp",
                };
                (column.name, sql_type)
            })
            .collect();
        assert_eq!(mapped, wanted, "{entity}");
        let names: BTreeSet<_> = table.iter().map(|column| column.name).collect();
        for column in SYSTEM_COLUMNS {
            assert!(names.contains(column), "{entity}.{column}");
        }
    }
}

#[test]
fn the_tables_the_guide_names_exist() {
    let names: BTreeSet<_> = tables().iter().map(|table| table.name).collect();
    for name in [
        "students",
        "registrations",
        "classes",
        "enrollments",
        "grades",
        "payments",
        "integration_events_log",
        "sync_runs",
        "field_mappings",
    ] {
        assert!(names.contains(name), "{name}");
    }
}

#[tokio::test]
async fn sqlite_has_the_schema_of_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let db = migrated(&sqlite_in(&folder).0);
    assert_eq!(in_database(&db).await, in_code());
}

#[tokio::test]
async fn sqlite_migrations_go_up_down_and_up() {
    let folder = tempfile::tempdir().unwrap();
    up_down_up(&sqlite_in(&folder).0).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_has_the_schema_of_the_code() {
    let Some((_own, url)) = crate::postgres::OwnDatabase::create() else {
        return;
    };
    let db = migrated(&url);
    assert_eq!(in_database(&db).await, in_code());
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_migrations_go_up_down_and_up() {
    let Some((_own, url)) = crate::postgres::OwnDatabase::create() else {
        return;
    };
    up_down_up(&url).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_migrate_at_once_do_not_collide() {
    let Some((_own, url)) = crate::postgres::OwnDatabase::create() else {
        return;
    };
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || {
                let db = Db::open(&url, &Options::default()).unwrap();
                db.migrate().unwrap().len()
            })
        })
        .collect();
    let run: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert_eq!(run, 1);
}

async fn up_down_up(url: &str) {
    let db = Db::open(url, &Options::default()).unwrap();
    let all = db.pending().unwrap();
    assert!(!all.is_empty());
    assert_eq!(db.migrate().unwrap(), all);
    assert_eq!(db.pending().unwrap(), Vec::<String>::new());
    let first = in_database(&db).await;

    db.revert_all().unwrap();

    assert_eq!(in_database(&db).await, Schema::new());
    assert_eq!(db.pending().unwrap(), all);
    assert_eq!(db.migrate().unwrap(), all);
    assert_eq!(in_database(&db).await, first);
}

#[test]
fn both_back_ends_have_migrations_of_the_same_names() {
    let names = |backend: &str| {
        let folder = format!("{}/../../migrations/{backend}", env!("CARGO_MANIFEST_DIR"));
        let entries = std::fs::read_dir(folder).unwrap();
        let names: BTreeSet<_> = entries
            .map(|entry| entry.unwrap().path())
            .inspect(|path| {
                assert!(path.join("up.sql").is_file() && path.join("down.sql").is_file());
            })
            .map(|path| path.file_name().unwrap().to_owned())
            .collect();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
