//! What a SQLite file is before we touch it, and who may run workers on it.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use diesel::{
    QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_types::BigInt,
};

use crate::{
    connection::{connect_error, open_file},
    error::OpenError,
};

/// Marks a file as ours in its header (`PRAGMA application_id`, offset 68): "mziB".
const APPLICATION_ID: [u8; 4] = *b"mziB";
const APPLICATION_ID_AT: usize = 68;
const HEADER: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Makes sure that the file is ours or becomes ours, without changing a byte of anybody else's.
pub(super) fn adopt(path: &Path) -> Result<(), OpenError> {
    let header = read_header(path)?;
    if header.is_empty() {
        return begin(path);
    }
    if !header.starts_with(MAGIC) || header.len() < HEADER {
        return Err(damaged(path, "it does not begin like one"));
    }
    let mark = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + APPLICATION_ID.len());
    if mark == Some(&APPLICATION_ID) {
        return Ok(());
    }
    let held = look(path)?;
    if held.ours > 0 || (held.tables == 0 && !has_log(path)) {
        return begin(path);
    }
    Err(OpenError::Foreign {
        path: path.to_owned(),
    })
}

/// The lock that makes this process the only one that may run workers; held until dropped.
///
/// Nothing if another process has it.
pub(super) fn try_own(path: &Path) -> Result<Option<File>, OpenError> {
    let lock_path = beside(path, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path);
    let file = file.map_err(|error| file_error(&lock_path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(file_error(&lock_path, &error)),
    }
}

/// The path with something appended to its last part.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn read_header(path: &Path) -> Result<Vec<u8>, OpenError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file_error(path, &error)),
    };
    let mut header = Vec::with_capacity(HEADER);
    let limit = u64::try_from(HEADER).unwrap_or(u64::MAX);
    match file.take(limit).read_to_end(&mut header) {
        Ok(_) => Ok(header),
        Err(error) => Err(file_error(path, &error)),
    }
}

/// Marks the file as ours. This comes before the write-ahead log is switched on, so that the mark
/// is in the file itself from the first moment.
fn begin(path: &Path) -> Result<(), OpenError> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent
        && !parent.is_dir()
    {
        return Err(OpenError::File {
            path: parent.to_owned(),
            reason: "there is no such folder".into(),
        });
    }
    let mut conn = open_file(&path.to_string_lossy())?;
    let id = u32::from_be_bytes(APPLICATION_ID);
    // Somebody else may be making the same file just now.
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = 5000; PRAGMA application_id = {id}"
    ))
    .map_err(connect_error)
}

struct Held {
    tables: i64,
    ours: i64,
}

/// Counts the tables of a file we did not mark, reading nothing but the file itself.
fn look(path: &Path) -> Result<Held, OpenError> {
    let mut conn = open_file(&immutable_uri(path))?;
    let tables = count(&mut conn, "type = 'table' AND name NOT LIKE 'sqlite_%'");
    let ours = count(&mut conn, "name = '__diesel_schema_migrations'");
    match (tables, ours) {
        (Ok(tables), Ok(ours)) => Ok(Held { tables, ours }),
        (Err(error), _) | (_, Err(error)) => Err(damaged(path, &error.to_string())),
    }
}

fn count(conn: &mut SqliteConnection, which: &'static str) -> diesel::QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let query = format!("SELECT COUNT(*) AS n FROM sqlite_master WHERE {which}");
    let count: Count = diesel::sql_query(query).get_result(conn)?;
    Ok(count.n)
}

/// `immutable` keeps SQLite from making a lock, a journal or shared memory.
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    uri
}

/// Whether a log lies beside the file: then the tables may be in there.
fn has_log(path: &Path) -> bool {
    let log = std::fs::metadata(beside(path, "-wal"));
    log.is_ok_and(|log| log.len() > 0)
}

fn damaged(path: &Path, reason: &str) -> OpenError {
    OpenError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn file_error(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::File {
        path: path.to_owned(),
        reason: error.kind().to_string(),
    }
}
