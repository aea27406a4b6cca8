//! The store contract on PostgreSQL. `MZI_TEST_POSTGRES_URL` names a server on which databases may
//! be made, one a test; without it these tests fail, unless `MZI_TEST_ONLY=sqlite` asks for that.

use std::{
    future::{Ready, ready},
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
    },
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    sql_types::BigInt,
};

use mzi_persistence::{AnyConnection, Db, Failure, Options};
use mzi_ports::{
    Inbox, Ledger, StoreError,
    inbox::Accepted,
    ledger::{Committed, Effects, Link, LinkKind, Verdict, WorkResult},
    testing::store_contract::samples::{
        account, claim_of, mark_and_claim, named, noon, read_student, zoho_id,
    },
};

use crate::support::{OnUrl, texts};

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
    eprintln!("PostgreSQL is left untested, as MZI_TEST_ONLY asks");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_living_instance_keeps_its_leases_and_a_dead_one_loses_them() {
    let Some((_own, url)) = OwnDatabase::create() else {
        return;
    };
    let subject = OnUrl::open(url.clone(), ());
    let first = subject.store.clone().unwrap();
    let other = Db::open(&url, &Options::default()).unwrap();
    let second = subject.store_on(other);
    first.mark(&[read_student(1)], noon()).await.unwrap();
    let lane = read_student(1).lane;
    assert_eq!(first.claim(&claim_of(lane, noon())).await.unwrap().len(), 1);

    assert_eq!(second.recover("worker-2", noon()).await, Ok(0));
    assert!(!second.db().is_sole_owner());

    drop((first, subject));
    // The server notices the end of a connection a moment later.
    let mut freed = 0;
    while freed == 0 {
        freed = second.recover("worker-2", noon()).await.unwrap();
    }
    assert_eq!(freed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_are_reported_once_and_replaced() {
    let Some((own, url)) = OwnDatabase::create() else {
        return;
    };
    let subject = OnUrl::open(url, own);
    let store = subject.store.clone().unwrap();
    for number in 0..3_u64 {
        let event = |try_: u64| {
            let name = format!("n{number}-{try_}");
            named(&format!("e{number}-{try_}"), &name, number)
        };
        store.accept(&event(0)).await.unwrap();
        execute(
            &subject.url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        // A pooled connection is looked at before it is handed out.
        let accepted = store.accept(&event(1)).await;
        assert_eq!(accepted, Ok(Accepted::Fresh(format!("e{number}-1"))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_dies_within_a_write_is_unavailability() {
    let Some((own, url)) = OwnDatabase::create() else {
        return;
    };
    let subject = OnUrl::open(url, own);
    let outcome = subject
        .db()
        .write(|conn| {
            conn.batch_execute("SELECT pg_terminate_backend(pg_backend_pid())")?;
            Ok(())
        })
        .await;
    let lost = StoreError::Unavailable {
        reason: "the connection was lost".into(),
    };
    assert_eq!(outcome, Err(lost));
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_lock_each_other_out_are_run_again() {
    let Some((own, url)) = OwnDatabase::create() else {
        return;
    };
    let subject = OnUrl::open(url, own);
    let store = subject.store.clone().unwrap();
    store
        .mark(&[read_student(1), read_student(2)], noon())
        .await
        .unwrap();
    let both_hold_one = Arc::new(Barrier::new(2));
    let tasks = [(1, 2), (2, 1)].map(|(first, second)| {
        let (db, meet) = (subject.db().clone(), Arc::clone(&both_hold_one));
        let mut runs = 0;
        tokio::spawn(async move {
            db.write(move |conn| {
                runs += 1;
                raise_wanted(conn, first)?;
                if runs == 1 {
                    meet.wait();
                }
                raise_wanted(conn, second)?;
                Ok(runs)
            })
            .await
        })
    });
    let mut runs = 0;
    for task in tasks {
        runs += task.await.unwrap().unwrap();
    }
    // The server ends one of the two, or both when it looks at them at the same moment.
    assert!(runs > 2, "nobody was in anybody's way");
    let wanted = "SELECT DISTINCT wanted::text AS value FROM work_items";
    assert_eq!(texts(subject.db(), wanted).await, ["3"]);
}

fn raise_wanted(conn: &mut AnyConnection, number: u64) -> Result<(), Failure> {
    let id = zoho_id(number);
    let statement = format!("UPDATE work_items SET wanted = wanted + 1 WHERE zoho_id = '{id}'");
    Ok(conn.batch_execute(&statement)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn crowds_that_mark_the_same_rows_in_any_order_do_not_collide() {
    let Some((own, url)) = OwnDatabase::create() else {
        return;
    };
    let subject = OnUrl::open(url, own);
    let store = subject.store.clone().unwrap();
    let keys: Vec<_> = (0..40).map(read_student).collect();
    let backwards: Vec<_> = keys.iter().rev().cloned().collect();
    let tasks: Vec<_> = (0..24)
        .map(|number| {
            let store = store.clone();
            let keys = if number % 2 == 0 {
                keys.clone()
            } else {
                backwards.clone()
            };
            tokio::spawn(async move { store.mark(&keys, noon()).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(()));
    }
    let wanted = "SELECT DISTINCT wanted::text AS value FROM work_items";
    assert_eq!(texts(subject.db(), wanted).await, ["24"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_records_that_race_for_a_moodle_id_leave_one_link_and_one_issue() {
    let Some((own, url)) = OwnDatabase::create() else {
        return;
    };
    let subject = OnUrl::open(url, own);
    let store = subject.store.clone().unwrap();
    for round in 1..=10_i64 {
        let base = u64::try_from(round).unwrap() * 10;
        let mut commits = Vec::new();
        for number in base..base + 4 {
            let lease = mark_and_claim(&subject, &account(number), noon()).await;
            let effects = Effects {
                link: Some(Link {
                    kind: LinkKind::User,
                    id: zoho_id(number),
                    moodle_id: round,
                }),
                ..Effects::default()
            };
            commits.push(WorkResult {
                lease,
                verdict: Verdict::Done,
                effects,
            });
        }
        let commits = commits.into_iter().map(|result| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(&[result], noon()).await })
        });
        let mut written = 0;
        for commit in commits.collect::<Vec<_>>() {
            match commit.await.unwrap().unwrap().as_slice() {
                [Committed::Written] => written += 1,
                [Committed::LinkTaken] => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(written, 1);
    }
}
