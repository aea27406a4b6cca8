//! What is opened, what is refused, and what is left alone.

use std::{fs, path::Path};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use mzi_persistence::{AnyConnection, Db, OpenError, Options};
use tempfile::TempDir;

use crate::support::{load_texts, sqlite_in, texts};

fn open(url: &str) -> Result<Db, OpenError> {
    Db::open(url, &Options::default())
}

fn refusal(url: &str) -> OpenError {
    match open(url) {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error,
    }
}

fn with_sqlite(path: &Path, statements: &str) {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    conn.batch_execute(statements).unwrap();
}

/// Name and content of everything in a folder.
fn everything(folder: &TempDir) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_missing_file_is_made_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (url, path) = sqlite_in(&folder);
    drop(open(&url).unwrap());
    assert!(path.is_file());
    let db = open(&url).unwrap();
    assert_eq!(db.migrate().unwrap().len(), 1);
    drop(db);
    assert_eq!(open(&url).unwrap().pending().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_promises_rest_on_settings_that_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&sqlite_in(&folder).0).unwrap();
    let written = db
        .write(|conn| {
            let read = |conn: &mut AnyConnection, name: &str| {
                let query = format!("SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}");
                load_texts(conn, &query)
            };
            let names = [
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "journal_size_limit",
            ];
            Ok(names.map(|name| read(conn, name).remove(0)))
        })
        .await;
    assert_eq!(written.unwrap(), ["wal", "2", "1", "67108864"]);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&sqlite_in(&folder).0).unwrap();
    db.migrate().unwrap();
    let outcome = db
        .read(|conn| Ok(conn.batch_execute("DELETE FROM settings")?))
        .await;
    assert!(outcome.is_err());
}

#[test]
fn a_predecessors_database_is_left_untouched_byte_for_byte() {
    for journal in ["DELETE", "WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let (url, path) = sqlite_in(&folder);
        with_sqlite(
            &path,
            &format!(
                "PRAGMA journal_mode = {journal}; \
                 CREATE TABLE students (id INTEGER PRIMARY KEY, zoho_id TEXT); \
                 INSERT INTO students (zoho_id) VALUES ('900000000000101');"
            ),
        );
        let before = everything(&folder);

        let error = refusal(&url);

        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains("DATABASE_URL"), "{error}");
        assert_eq!(everything(&folder), before, "{journal}");
    }
}

#[test]
fn a_predecessor_that_was_killed_keeps_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let (url, path) = sqlite_in(&folder);
    let elsewhere = tempfile::tempdir().unwrap();
    let living = elsewhere.path().join("living.db");
    let mut conn = SqliteConnection::establish(&living.to_string_lossy()).unwrap();
    conn.batch_execute("PRAGMA journal_mode = WAL; CREATE TABLE students (id INTEGER);")
        .unwrap();
    fs::copy(&living, &path).unwrap();
    let log = |path: &Path| {
        path.with_file_name(format!(
            "{}-wal",
            path.file_name().unwrap().to_string_lossy()
        ))
    };
    fs::copy(log(&living), log(&path)).unwrap();
    let before = everything(&folder);

    let error = refusal(&url);

    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(everything(&folder), before);
}

#[test]
fn an_empty_database_of_another_tool_becomes_ours() {
    let folder = tempfile::tempdir().unwrap();
    let (url, path) = sqlite_in(&folder);
    with_sqlite(&path, "PRAGMA user_version = 1;");
    assert_eq!(open(&url).unwrap().migrate().unwrap().len(), 1);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    let mut damaged = b"SQLite format 3\0".to_vec();
    damaged.resize(8_192, 0xAA);
    for content in [
        b"not a database, but long enough to have a header".to_vec(),
        damaged,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (url, path) = sqlite_in(&folder);
        fs::write(&path, &content).unwrap();

        let error = refusal(&url);

        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn our_own_file_is_refused_when_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (url, path) = sqlite_in(&folder);
    open(&url).unwrap().migrate().unwrap();
    let mut content = fs::read(&path).unwrap();
    // The schema's root page follows the hundred bytes of the header.
    content[100..1_000].fill(0xAA);
    fs::write(&path, &content).unwrap();

    let error = refusal(&url);

    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("backup"), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (url, path) = sqlite_in(&folder);
    open(&url).unwrap().migrate().unwrap();
    with_sqlite(
        &path,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')",
    );
    let error = refusal(&url);
    assert!(matches!(error, OpenError::Newer { .. }), "{error}");
    assert!(error.to_string().contains("29990101000000"), "{error}");
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:///{}/nowhere/mzi.db", folder.path().display());
    let error = refusal(&url).to_string();
    assert!(
        error.contains("nowhere") && error.contains("no such folder"),
        "{error}"
    );
}

#[tokio::test]
async fn one_process_owns_the_file_until_it_closes() {
    let folder = tempfile::tempdir().unwrap();
    let (url, _) = sqlite_in(&folder);
    let first = open(&url).unwrap();
    let second = open(&url).unwrap();
    assert!(first.is_sole_owner());
    assert!(!second.is_sole_owner());
    drop((first, second));
    assert!(open(&url).unwrap().is_sole_owner());
}

#[tokio::test]
async fn a_path_of_odd_characters_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:///{}/a b#c%20d 'الملف'.db", folder.path().display());
    let db = open(&url).unwrap();
    db.migrate().unwrap();
    let tables = texts(
        &db,
        "SELECT name AS value FROM sqlite_master WHERE name = 'students'",
    );
    assert_eq!(tables.await, ["students"]);
    let foreign = folder.path().join("b c#d%20e.db");
    with_sqlite(&foreign, "CREATE TABLE t (x)");
    let error = refusal(&format!("sqlite:///{}", foreign.display()));
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
}

#[cfg(feature = "postgres")]
#[test]
fn an_unreachable_server_is_said_to_be_one_without_its_password() {
    let error = refusal("postgres://ana:hunter2@127.0.0.1:1/mzi").to_string();
    assert!(error.contains("cannot connect"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}
