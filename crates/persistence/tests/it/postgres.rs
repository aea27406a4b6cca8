//! The store contract on PostgreSQL. `MZI_TEST_POSTGRES_URL` names a server on which databases may
//! be made, one a test; without it these tests fail, unless `MZI_TEST_ONLY=sqlite` asks for that.

use std::{
    future::{Ready, ready},
    sync::atomic::{AtomicU32, Ordering},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    sql_types::BigInt,
};

use crate::support::OnUrl;

/// A database of one test's own, dropped with it.
pub struct OwnDatabase {
    server: String,
    name: String,
}

impl OwnDatabase {
    /// Makes an empty database, unless PostgreSQL is not to be tested.
    pub fn create() -> Option<(Self, String)> {
        static NEXT: AtomicU32 = AtomicU32::new(0);

        let server = server_url()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mzi_test_{}_{number}", std::process::id());
        execute(&server, &format!("CREATE DATABASE {name}"));
        let url = url_of(&server, &name);
        Some((Self { server, name }, url))
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        execute(&self.server, &drop);
    }
}

/// Waits until the server has noticed that a test's former connections are gone.
pub fn wait_until_alone(url: &str) {
    #[derive(QueryableByName)]
    struct Others {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    if !url.starts_with("postgres") {
        return;
    }
    let mut conn = PgConnection::establish(url).unwrap();
    loop {
        let others: Others = diesel::sql_query(
            "SELECT COUNT(*) AS n FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .get_result(&mut conn)
        .unwrap();
        if others.n == 0 {
            return;
        }
        conn.batch_execute("SELECT pg_sleep(0.01)").unwrap();
    }
}

fn open() -> Ready<Option<OnUrl<OwnDatabase>>> {
    ready(OwnDatabase::create().map(|(own, url)| OnUrl::open(url, own)))
}

mzi_ports::store_contract!(open);

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no settings to take the server's address from"
)]
fn server_url() -> Option<String> {
    if let Ok(url) = std::env::var("MZI_TEST_POSTGRES_URL") {
        return Some(url);
    }
    let only = std::env::var("MZI_TEST_ONLY");
    assert!(
        only.as_deref() == Ok("sqlite"),
        "set MZI_TEST_POSTGRES_URL to a PostgreSQL server on which databases may be created, \
         or MZI_TEST_ONLY=sqlite to leave PostgreSQL untested"
    );
    None
}

fn url_of(server: &str, database: &str) -> String {
    let (address, options) = server.split_once('?').unwrap_or((server, ""));
    let (scheme, rest) = address.split_once("://").unwrap();
    let host = rest.split('/').next().unwrap();
    let separator = if options.is_empty() { "" } else { "?" };
    format!("{scheme}://{host}/{database}{separator}{options}")
}

fn execute(url: &str, statement: &str) {
    let mut conn = PgConnection::establish(url).unwrap();
    conn.batch_execute(statement).unwrap();
}
