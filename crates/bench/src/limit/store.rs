//! One writer thread; whatever has arrived meanwhile shares its next commit.

use std::{
    path::Path,
    sync::mpsc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use diesel::{
    connection::SimpleConnection,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use tokio::sync::oneshot;

/// The most requests that share a commit.
const MOST_PER_COMMIT: usize = 512;

const SETTINGS: &str =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS events (
        id TEXT NOT NULL PRIMARY KEY, identity TEXT NOT NULL UNIQUE, module TEXT NOT NULL,
        operation TEXT NOT NULL, payload TEXT NOT NULL, received_at BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS work (
        zoho_id TEXT NOT NULL PRIMARY KEY, wanted BIGINT NOT NULL, due_at BIGINT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS people (user_id INTEGER NOT NULL PRIMARY KEY, profile TEXT NOT NULL);";

diesel::table! {
    events (id) {
        id -> Text,
        identity -> Text,
        module -> Text,
        operation -> Text,
        payload -> Text,
        received_at -> BigInt,
    }
}

diesel::table! {
    people (user_id) {
        user_id -> BigInt,
        profile -> Text,
    }
}

/// What is to be stored.
pub struct Event {
    pub identity: String,
    pub module: String,
    pub operation: String,
    pub ids: Vec<String>,
    pub payload: String,
}

/// What became of it, durably.
#[derive(Debug)]
pub struct Stored {
    pub event_id: String,
    pub fresh: bool,
}

struct Request {
    event: Event,
    answer: oneshot::Sender<Stored>,
}

/// Hands events to the writer thread.
#[derive(Clone)]
pub struct Writer(mpsc::Sender<Request>);

/// Makes the tables, and people to read about.
pub fn prepare(database: &Path, count: i64) -> Result<()> {
    let mut db = connect(database)?;
    db.batch_execute(TABLES)?;
    db.immediate_transaction(|db| {
        for user in 0..count {
            let row = (people::user_id.eq(user), people::profile.eq(profile(user)));
            diesel::insert_or_ignore_into(people::table)
                .values(row)
                .execute(db)?;
        }
        QueryResult::Ok(())
    })?;
    Ok(())
}

/// A connection as durable as the bridge's.
pub fn connect(database: &Path) -> Result<SqliteConnection> {
    let mut db = SqliteConnection::establish(&database.to_string_lossy())?;
    db.batch_execute(SETTINGS)?;
    Ok(db)
}

/// The stored answer about one person. Without a bound `LIMIT`, as `first` would add it: SQLite
/// plans a statement anew whenever that parameter is bound (`sqlite3ExprIsInteger`).
pub fn read(db: &mut SqliteConnection, user: i64) -> QueryResult<Option<String>> {
    people::table
        .find(user)
        .select(people::profile)
        .get_result(db)
        .optional()
}

impl Writer {
    /// Starts the thread; it ends when every handle is gone.
    pub fn start(database: &Path) -> Result<Self> {
        let db = connect(database)?;
        let (sender, requests) = mpsc::channel();
        std::thread::spawn(move || write(db, &requests));
        Ok(Self(sender))
    }

    /// Answers once the event would survive a crash; nothing when it could not be stored.
    pub async fn store(&self, event: Event) -> Option<Stored> {
        let (answer, stored) = oneshot::channel();
        self.0.send(Request { event, answer }).ok()?;
        stored.await.ok()
    }
}

fn write(mut db: SqliteConnection, requests: &mpsc::Receiver<Request>) {
    let mut serial = nanoseconds_now();
    while let Ok(first) = requests.recv() {
        let mut group = vec![first];
        group.extend(requests.try_iter().take(MOST_PER_COMMIT - 1));
        let written = db.immediate_transaction(|db| {
            group
                .iter()
                .map(|request| insert(db, &request.event, &mut serial))
                .collect()
        });
        // A group that could not be written is dropped with its senders: its clients are told 503.
        let written: Vec<Stored> = written.unwrap_or_else(|_: diesel::result::Error| Vec::new());
        for (request, stored) in group.into_iter().zip(written) {
            let _gone = request.answer.send(stored).is_err();
        }
    }
}

fn insert(db: &mut SqliteConnection, event: &Event, serial: &mut u128) -> QueryResult<Stored> {
    *serial += 1;
    let event_id = format!("{serial:032x}");
    let now = i64::try_from(nanoseconds_now() / 1_000).unwrap_or(i64::MAX);
    let row = (
        events::id.eq(&event_id),
        events::identity.eq(&event.identity),
        events::module.eq(&event.module),
        events::operation.eq(&event.operation),
        events::payload.eq(&event.payload),
        events::received_at.eq(now),
    );
    let inserted = diesel::insert_into(events::table)
        .values(row)
        .on_conflict(events::identity)
        .do_nothing()
        .execute(db)?;
    if inserted == 0 {
        let known = events::table
            .filter(events::identity.eq(&event.identity))
            .select(events::id);
        return Ok(Stored {
            event_id: known.get_result(db)?,
            fresh: false,
        });
    }
    for id in &event.ids {
        Mark { id, now }.execute(db)?;
    }
    Ok(Stored {
        event_id,
        fresh: true,
    })
}

/// The work upsert. By hand, because diesel prepares every `ON CONFLICT DO UPDATE` anew.
struct Mark<'a> {
    id: &'a str,
    now: i64,
}

impl QueryId for Mark<'_> {
    type QueryId = Mark<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for Mark<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("INSERT INTO work (zoho_id, wanted, due_at) VALUES (");
        out.push_bind_param::<Text, _>(self.id)?;
        out.push_sql(", 1, ");
        out.push_bind_param::<BigInt, _>(&self.now)?;
        out.push_sql(") ON CONFLICT (zoho_id) DO UPDATE SET ");
        out.push_sql("wanted = wanted + 1, due_at = excluded.due_at");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Mark<'_> {}

/// About as long as a real profile.
fn profile(user: i64) -> String {
    let filler = "invented ".repeat(70);
    format!("{{\"data\":{{\"user\":\"{user}\",\"text\":\"{filler}\"}},\"stale\":false}}")
}

fn nanoseconds_now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(identity: &str) -> Event {
        Event {
            identity: identity.to_owned(),
            module: "BTEC_Students".to_owned(),
            operation: "update".to_owned(),
            ids: vec!["9001".to_owned()],
            payload: "{}".to_owned(),
        }
    }

    /// Events, and how often each record was marked.
    fn counts(database: &Path) -> (i64, Vec<i64>) {
        let mut db = connect(database).unwrap();
        let events = events::table.count().get_result(&mut db).unwrap();
        let wanted = diesel::select(diesel::dsl::sql::<BigInt>("wanted FROM work"));
        (events, wanted.load(&mut db).unwrap())
    }

    #[tokio::test]
    async fn an_event_is_stored_once_and_marks_its_record_once_each_time_it_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("limit.db");
        prepare(&database, 0).unwrap();
        let writer = Writer::start(&database).unwrap();

        let first = writer.store(event("a")).await.unwrap();
        let again = writer.store(event("a")).await.unwrap();
        let other = writer.store(event("b")).await.unwrap();

        assert!(first.fresh && !again.fresh && other.fresh);
        assert_eq!(first.event_id, again.event_id);
        assert_eq!(counts(&database), (2, vec![2]));
    }

    #[test]
    fn people_are_found_by_their_key() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("limit.db");
        prepare(&database, 3).unwrap();
        let mut db = connect(&database).unwrap();
        assert!(
            read(&mut db, 2)
                .unwrap()
                .unwrap()
                .contains("\"user\":\"2\"")
        );
        assert_eq!(read(&mut db, 3).unwrap(), None);
    }
}
