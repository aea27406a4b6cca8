//! Full disks, torn logs, panics, strangers with the lock, and crowds: on SQLite.

use std::{fs, path::Path, sync::Arc, time::Duration};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use mzi_persistence::{AnyConnection, Db, Failure, Options};
use mzi_ports::{
    Inbox, Ledger, StoreError, Views,
    inbox::Accepted,
    testing::store_contract::samples::{named, noon, read_student},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tempfile::TempDir;

use crate::support::{OnUrl, load_texts, sqlite_in, texts};

fn open() -> (OnUrl<TempDir>, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (url, path) = sqlite_in(&folder);
    (OnUrl::open(url, folder), path)
}

fn store(subject: &OnUrl<TempDir>) -> mzi_persistence::SqlStore {
    subject.store.clone().unwrap()
}

async fn count(db: &Db, table: &str) -> String {
    let query = format!("SELECT CAST(COUNT(*) AS TEXT) AS value FROM {table}");
    texts(db, &query).await.remove(0)
}

fn execute(conn: &mut AnyConnection, statement: &str) -> Result<(), Failure> {
    Ok(conn.batch_execute(statement)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_concurrent_events_are_all_counted() {
    let (subject, _) = open();
    let tasks: Vec<_> = (0..10_000_u64)
        .map(|number| {
            let store = store(&subject);
            // Every fifth repeats the one before it.
            let original = number - number % 5 / 4;
            let event = named(
                &format!("e{number}"),
                &format!("n{original}"),
                original % 700,
            );
            tokio::spawn(async move { store.accept(&event).await })
        })
        .collect();
    let (mut fresh, mut repeated) = (0, 0);
    for task in tasks {
        match task.await.unwrap().unwrap() {
            Accepted::Fresh(_) => fresh += 1,
            Accepted::Duplicate(_) => repeated += 1,
            Accepted::Coalesced(id) => panic!("{id} was coalesced"),
        }
    }
    assert_eq!((fresh, repeated), (8_000, 2_000));
    assert_eq!(count(subject.db(), "integration_events_log").await, "8000");
    let wanted = "SELECT CAST(SUM(wanted) AS TEXT) AS value FROM work_items";
    assert_eq!(texts(subject.db(), wanted).await, ["8000"]);
    assert_eq!(count(subject.db(), "work_items").await, "560");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_lets_reads_go_on_and_heals() {
    let (subject, _) = open();
    let store = store(&subject);
    store.accept(&named("e1", "n1", 1)).await.unwrap();
    let limit = |pages: u64| {
        subject
            .db()
            .write(move |conn| execute(conn, &format!("PRAGMA max_page_count = {pages}")))
    };
    // SQLite raises a limit below the present size to that size.
    limit(1).await.unwrap();
    let mut big = named("e2", "n2", 2);
    big.payload = "x".repeat(300_000);

    for _ in 0..3 {
        let refused = store.accept(&big).await;
        let full = StoreError::Unavailable {
            reason: "the disk is full".into(),
        };
        assert_eq!(refused, Err(full));
    }

    assert_eq!(count(subject.db(), "integration_events_log").await, "1");
    assert_eq!(store.queue().await.unwrap().pending, 1);
    limit(1_000_000).await.unwrap();
    assert_eq!(store.accept(&big).await, Ok(Accepted::Fresh("e2".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_says_when_nothing_can_be_written() {
    let (subject, _) = open();
    let store = store(&subject);
    assert!(store.probe().await.unwrap().writable);
    subject
        .db()
        .write(|conn| execute(conn, "PRAGMA query_only = ON"))
        .await
        .unwrap();
    assert!(!store.probe().await.unwrap().writable);
    let refused = store.accept(&named("e1", "n1", 1)).await;
    let read_only = StoreError::Unavailable {
        reason: "the database is read-only".into(),
    };
    assert_eq!(refused, Err(read_only));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_a_shared_commit_costs_only_its_own_caller() {
    let (subject, _) = open();
    let calls: Vec<_> = (0..60_u32)
        .map(|number| {
            let db = subject.db().clone();
            tokio::spawn(async move {
                db.write(move |conn| {
                    execute(
                        conn,
                        &format!(
                            "INSERT INTO settings (name, value, updated_at) \
                             VALUES ('s{number}', 'v', '2026-11-22 12:00:00')"
                        ),
                    )?;
                    match number % 3 {
                        0 => Ok(number),
                        1 => Err(Failure::from(StoreError::Internal {
                            reason: format!("call {number}"),
                        })),
                        _ => panic!("call {number} panics on purpose"),
                    }
                })
                .await
            })
        })
        .collect();
    for (number, call) in (0_u32..).zip(calls) {
        let answer = call.await.unwrap();
        match number % 3 {
            0 => assert_eq!(answer, Ok(number)),
            1 => {
                let own = StoreError::Internal {
                    reason: format!("call {number}"),
                };
                assert_eq!(answer, Err(own));
            }
            _ => assert!(matches!(answer, Err(StoreError::Internal { .. }))),
        }
    }
    let query = "SELECT name AS value FROM settings ORDER BY CAST(substr(name, 2) AS INTEGER)";
    let expected: Vec<_> = (0..60).step_by(3).map(|n| format!("s{n}")).collect();
    assert_eq!(texts(subject.db(), query).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_read_harms_nobody() {
    let (subject, _) = open();
    for _ in 0..20 {
        let outcome = subject
            .db()
            .read::<(), _>(|_| panic!("a read panics on purpose"))
            .await;
        assert!(matches!(outcome, Err(StoreError::Internal { .. })));
    }
    assert_eq!(count(subject.db(), "settings").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_its_write_whole() {
    let (subject, _) = open();
    for number in 0..200 {
        let store = store(&subject);
        let call = tokio::spawn(async move {
            let number: u64 = number;
            store
                .accept(&named(&format!("e{number}"), &format!("n{number}"), number))
                .await
        });
        tokio::task::yield_now().await;
        call.abort();
    }
    store(&subject)
        .accept(&named("last", "last", 999))
        .await
        .unwrap();
    let events = count(subject.db(), "integration_events_log").await;
    assert_eq!(count(subject.db(), "work_items").await, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_handles_on_one_file_both_write() {
    let (subject, _) = open();
    let other = Db::open(&subject.url, &Options::default()).unwrap();
    let stores = [store(&subject), subject.store_on(other)];
    let tasks: Vec<_> = (0..400_u64)
        .map(|number| {
            let store = stores[usize::try_from(number % 2).unwrap()].clone();
            // Each identity comes to both handles.
            let name = format!("n{}", number / 2);
            tokio::spawn(async move {
                store
                    .accept(&named(&format!("e{number}"), &name, number / 2))
                    .await
            })
        })
        .collect();
    let mut fresh = 0;
    for task in tasks {
        if let Accepted::Fresh(_) = task.await.unwrap().unwrap() {
            fresh += 1;
        }
    }
    assert_eq!(fresh, 200);
    assert_eq!(count(subject.db(), "integration_events_log").await, "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_the_lock_is_waited_for_and_then_reported() {
    let (subject, path) = open();
    let impatient = Options {
        patience: Duration::from_millis(50),
        ..Options::default()
    };
    let store = subject.store_on(Db::open(&subject.url, &impatient).unwrap());
    let mut stranger = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    stranger.batch_execute("BEGIN IMMEDIATE").unwrap();

    let refused = store.accept(&named("e1", "n1", 1)).await;

    let held = StoreError::Unavailable {
        reason: "another process holds the database".into(),
    };
    assert_eq!(refused, Err(held));
    assert_eq!(store.queue().await.unwrap().pending, 0);
    stranger.batch_execute("ROLLBACK").unwrap();
    assert_eq!(
        store.accept(&named("e1", "n1", 1)).await,
        Ok(Accepted::Fresh("e1".into()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_before_the_last_handle_closes_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (url, _) = sqlite_in(&folder);
    let subject = OnUrl::open(url.clone(), ());
    let store = subject.store.clone().unwrap();
    drop(subject);
    store.mark(&[read_student(1)], noon()).await.unwrap();
    drop(store);
    let db = Db::open(&url, &Options::default()).unwrap();
    assert!(db.is_sole_owner());
    assert_eq!(count(&db, "work_items").await, "1");
}

/// A power cut may tear the log anywhere after the last sync: whatever was answered before that
/// sync is there, nothing is half there, and the file is sound.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_log_costs_nothing_that_was_answered_before_it() {
    const CUTS: usize = 60;

    let (subject, path) = open();
    let mut seed = StdRng::seed_from_u64(20_261_122);
    // The log's length after each answer: what is below it is synced.
    let mut answered: Vec<u64> = Vec::new();
    let log = path.with_file_name("mzi.db-wal");
    for number in 0..80_u64 {
        let mut event = named(&format!("e{number:03}"), &format!("n{number}"), number);
        event.payload = "x".repeat(seed.random_range(0..9_000));
        store(&subject).accept(&event).await.unwrap();
        answered.push(fs::metadata(&log).unwrap().len());
    }
    let (main, torn) = (fs::read(&path).unwrap(), fs::read(&log).unwrap());
    let first = answered[0];

    for _ in 0..CUTS {
        let cut = seed.random_range(first..=u64::try_from(torn.len()).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let (url, copy) = sqlite_in(&folder);
        fs::write(&copy, &main).unwrap();
        let kept = &torn[..usize::try_from(cut).unwrap()];
        fs::write(copy.with_file_name("mzi.db-wal"), kept).unwrap();

        let db = Db::open(&url, &Options::default()).unwrap();

        let found = texts(
            &db,
            "SELECT event_id AS value FROM integration_events_log ORDER BY 1",
        )
        .await;
        let whole = answered.iter().filter(|length| **length <= cut).count();
        let expected: Vec<_> = (0..whole).map(|number| format!("e{number:03}")).collect();
        assert_eq!(found, expected, "cut at {cut}");
        let check = "SELECT quick_check AS value FROM pragma_quick_check";
        assert_eq!(texts(&db, check).await, ["ok"]);
        assert_eq!(count(&db, "work_items").await, whole.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_file() {
    use mzi_ports::SettingsStore;
    use secrecy::SecretString;

    let folder = tempfile::tempdir().unwrap();
    let (url, _) = sqlite_in(&folder);
    let subject = OnUrl::open(url, ());
    let secret = SecretString::from("canary-c0ffee-canary");
    let store = subject.store.clone().unwrap();
    store
        .put_secret("zoho.client_secret", &secret, noon())
        .await
        .unwrap();
    let folder: &Path = folder.path();
    for entry in fs::read_dir(folder).unwrap() {
        let content = fs::read(entry.unwrap().path()).unwrap();
        let canary = b"canary-c0ffee";
        assert!(!content.windows(canary.len()).any(|window| window == canary));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_or_an_altered_seal_is_reported_as_corrupt() {
    use mzi_persistence::{SealKey, SqlStore};
    use mzi_ports::{SettingsStore, TokenVault};
    use secrecy::SecretString;

    let (subject, _) = open();
    let ours = store(&subject);
    let secret = SecretString::from("canary");
    ours.put_secret("a", &secret, noon()).await.unwrap();
    let ids = Arc::new(crate::support::SortedIds::default());
    let theirs = SqlStore::new(subject.db().clone(), SealKey::from_bytes([9; 32]), ids);

    let wrong_key = theirs.find_secret("a").await;
    assert!(matches!(
        wrong_key,
        Err(StoreError::Corrupt {
            table: "settings",
            ..
        })
    ));

    // A seal that is moved to another name does not open there either.
    let moved = "INSERT INTO settings (name, sealed, updated_at) \
                 SELECT 'zoho.access_token', sealed, updated_at FROM settings WHERE name = 'a'";
    subject
        .db()
        .write(|conn| execute(conn, moved))
        .await
        .unwrap();
    assert!(matches!(ours.load().await, Err(StoreError::Corrupt { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_makes_no_sense_is_reported_as_corrupt() {
    use mzi_ports::KeyStore;

    let (subject, _) = open();
    let id = "UPDATE links SET zoho_id = 'not digits'";
    let link = "INSERT INTO links (kind, zoho_id, moodle_id, linked_at) \
                VALUES ('user', '9', 41, '2026-11-22 12:00:00')";
    let key = "INSERT INTO api_keys (id, name, secret_hash, role, created_at) \
               VALUES ('k', 'n', hex(zeroblob(32)), 'admin', 'yesterday')";
    subject
        .db()
        .write(move |conn| {
            execute(conn, link)?;
            execute(conn, key)?;
            execute(conn, id)
        })
        .await
        .unwrap();
    let listed = KeyStore::list(&store(&subject)).await;
    assert!(
        matches!(listed, Err(StoreError::Corrupt { .. })),
        "{listed:?}"
    );
    let query =
        |conn: &mut AnyConnection| Ok(load_texts(conn, "SELECT zoho_id AS value FROM links"));
    assert_eq!(subject.db().read(query).await.unwrap(), ["not digits"]);
}
