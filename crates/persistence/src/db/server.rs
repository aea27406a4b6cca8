//! PostgreSQL: one transaction a write, and locks that tell which owners of leases live.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use diesel::{
    Connection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_types::{BigInt, Bool},
};
use mzi_ports::StoreError;
use sha2::{Digest, Sha256};

use super::lock;
use crate::{
    connection::{AnyConnection, Connector, Purpose},
    error::{Failure, unavailable},
};

/// How often a transaction that others got in the way of is run.
const TRIES: usize = 4;
/// How long the locks' connection is trusted without a look.
const TRUST: Duration = Duration::from_secs(5);

/// Runs a closure in a transaction of its own, again if another transaction was in the way.
pub(super) fn transaction<T>(
    conn: &mut AnyConnection,
    run: &mut impl FnMut(&mut AnyConnection) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    let mut tries = 1;
    loop {
        match conn.transaction(&mut *run) {
            Ok(value) => return Ok(value),
            Err(failure) if failure.is_conflict() && tries < TRIES => tries += 1,
            Err(failure) => return Err(failure.into_store_error()),
        }
    }
}

/// The owners of leases that live in this process, each with a session advisory lock on a
/// connection that is used for nothing else: the server lets go of it when the process ends.
pub(super) struct Owners {
    connector: Connector,
    session: Mutex<Session>,
}

#[derive(Default)]
struct Session {
    conn: Option<AnyConnection>,
    looked_at: Option<Instant>,
    owners: BTreeSet<String>,
}

impl Owners {
    pub fn new(connector: Connector) -> Self {
        Self {
            connector,
            session: Mutex::default(),
        }
    }

    /// Makes sure that `owner`'s lock is held by this process.
    pub fn register(&self, owner: &str) -> Result<(), Failure> {
        let mut session = lock(&self.session);
        self.revive(&mut session)?;
        if session.owners.contains(owner) {
            return Ok(());
        }
        let Some(conn) = session.conn.as_mut() else {
            return Err(unavailable("the connection was lost").into());
        };
        take(conn, owner)?;
        session.owners.insert(owner.to_owned());
        Ok(())
    }

    /// Whether nobody holds `owner`'s lock.
    pub fn is_gone(&self, conn: &mut AnyConnection, owner: &str) -> Result<bool, Failure> {
        if lock(&self.session).owners.contains(owner) {
            return Ok(false);
        }
        let key = lock_key(owner);
        let is_free = ask(conn, "SELECT pg_try_advisory_lock($1) AS answer", key)?;
        if is_free {
            ask(conn, "SELECT pg_advisory_unlock($1) AS answer", key)?;
        }
        Ok(is_free)
    }

    /// A connection that has died took its locks along: all are taken again on a new one.
    fn revive(&self, session: &mut MutexGuard<'_, Session>) -> Result<(), Failure> {
        if session.looked_at.is_some_and(|at| at.elapsed() < TRUST) {
            return Ok(());
        }
        let alive = session
            .conn
            .as_mut()
            .is_some_and(|conn| conn.batch_execute("SELECT 1").is_ok());
        if !alive {
            session.conn = None;
            let mut conn = self
                .connector
                .connect_for(Purpose::Write)
                .map_err(|_unreachable| unavailable("the connection was lost"))?;
            conn.batch_execute("SET lock_timeout = '5s'")?;
            for owner in &session.owners {
                take(&mut conn, owner)?;
            }
            session.conn = Some(conn);
        }
        session.looked_at = Some(Instant::now());
        Ok(())
    }
}

fn take(conn: &mut AnyConnection, owner: &str) -> Result<(), Failure> {
    // Waits: the process before us may be just about to end.
    let taken = ask(
        conn,
        "SELECT true AS answer FROM (SELECT pg_advisory_lock($1)) AS taken",
        lock_key(owner),
    );
    match taken {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::internal(
            "another living process uses the same owner id",
        )),
    }
}

fn ask(conn: &mut AnyConnection, question: &'static str, key: i64) -> Result<bool, Failure> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        answer: bool,
    }
    let question = diesel::sql_query(question).bind::<BigInt, _>(key);
    let row: Row = on_backend!(conn, c => question.get_result(c))?;
    Ok(row.answer)
}

fn lock_key(owner: &str) -> i64 {
    let digest = Sha256::digest(format!("mzi owner {owner}"));
    let mut bytes = [0; 8];
    for (byte, from) in bytes.iter_mut().zip(digest) {
        *byte = from;
    }
    i64::from_be_bytes(bytes)
}
