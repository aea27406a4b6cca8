//! What a start refuses, and what it leaves alone.

use std::{collections::BTreeMap, net::TcpListener, path::Path, time::Duration};

use futures_util::future::join_all;
use rusqlite::Connection;

use crate::harness::{Backend, World, on_each_database, register};

on_each_database!(
    migrations_run_once_and_a_start_without_them_refuses,
    migrations_asked_for_four_times_at_once_run_once,
    a_first_start_killed_at_any_moment_leaves_a_database_that_starts,
);

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

/// A table as the predecessor made it, in the file it used by default.
fn a_predecessors_database(path: &Path) {
    let old = Connection::open(path).unwrap();
    old.execute_batch(
        "CREATE TABLE students (id VARCHAR PRIMARY KEY, zoho_id VARCHAR, display_name VARCHAR);
         CREATE TABLE classes (id VARCHAR PRIMARY KEY, zoho_id VARCHAR);
         INSERT INTO students VALUES ('1', '900000000000101', 'Lina');",
    )
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_predecessors_database_is_refused_and_left_untouched() {
    let mut world = World::new(Backend::Sqlite).await;
    world.set("DATABASE_URL", "sqlite:///./moodle_zoho_local.db");
    a_predecessors_database(&world.folder.path().join("moodle_zoho_local.db"));
    let before = files(world.folder.path());

    for arguments in [
        &["serve"][..],
        &["migrate"][..],
        &["doctor"][..],
        &["serve", "--no-migrate"][..],
    ] {
        let refused = world.run(arguments).await;
        assert_eq!(refused.code, Some(1), "{arguments:?}");
        assert!(refused.err.contains("another program"), "{}", refused.err);
        assert!(refused.err.contains("left untouched"), "{}", refused.err);
        assert_eq!(
            files(world.folder.path()),
            before,
            "{arguments:?} changed a file"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_bridge_on_the_same_file_refuses_and_the_first_goes_on() {
    let mut world = World::new(Backend::Sqlite).await;
    let first = world.start().await;
    world.set("BIND_ADDR", "127.0.0.1:0");
    let second = world.run(&["serve"]).await;
    assert_eq!(second.code, Some(1));
    assert!(
        second
            .err
            .contains("another mzi process is serving this database"),
        "{}",
        second.err
    );
    let student = register(&world.zoho, 1);
    assert_eq!(first.notify("BTEC_Students", &student).await.status, 202);
    first.kill();

    // The dead one's claim on the file dies with it.
    world.set("BIND_ADDR", format!("127.0.0.1:{}", world.port.number));
    world.start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_address_is_one_readable_line() {
    let mut world = World::new(Backend::Sqlite).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    world.set("BIND_ADDR", &address);
    let refused = world.run(&["serve"]).await;
    assert_eq!(refused.code, Some(1));
    let last = refused.err.trim().lines().last().unwrap();
    assert!(
        last.starts_with("mzi: ") && last.contains(&address),
        "{}",
        refused.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database_is_refused_and_left_untouched() {
    let world = World::new(Backend::Sqlite).await;
    let path = world.folder.path().join("mzi.db");
    for content in [
        &b"this is a letter, not a database, and it is longer than a header would be: \
        it goes on and on and on"[..],
        &b"SQLite format 3\0 but not really"[..],
    ] {
        std::fs::write(&path, content).unwrap();
        let refused = world.run(&["serve"]).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains("mzi.db"), "{}", refused.err);
        assert!(refused.err.contains("backup"), "{}", refused.err);
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_do_not_fit_are_named_before_anything_starts() {
    for (name, value) in [
        ("MOODLE_PLUGIN_SECRET", "too short"),
        ("BIND_ADDR", "8001"),
        ("ORG_TIMEZONE", "Amman"),
        ("ZOHO_REGION", "mars"),
        ("MOODLE_BASE_URL", "not a url"),
    ] {
        let mut world = World::new(Backend::Sqlite).await;
        world.unset("ZOHO_ACCOUNTS_URL");
        world.set(name, value);
        let refused = world.run(&["serve"]).await;
        assert_eq!(refused.code, Some(1), "{name}");
        assert!(refused.err.contains(name), "{name}: {}", refused.err);
    }
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_one_readable_line_without_the_password() {
    let mut world = World::new(Backend::Sqlite).await;
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    world.set(
        "DATABASE_URL",
        format!("postgres://mzi:canary-password@{nobody}/mzi"),
    );
    let refused = world.run(&["serve"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("mzi: "), "{}", refused.err);
    assert!(!refused.err.contains("canary-password"), "{}", refused.err);
}

async fn migrations_run_once_and_a_start_without_them_refuses(backend: Backend) {
    let world = World::new(backend).await;
    let refused = world.run(&["serve", "--no-migrate"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("mzi migrate"), "{}", refused.err);

    let first = world.run(&["migrate"]).await;
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert!(first.out.contains("applied "), "{}", first.out);
    let second = world.run(&["migrate"]).await;
    assert_eq!(second.code, Some(0), "{}", second.err);
    assert!(!second.out.contains("applied "), "{}", second.out);
    let command = world.command(&["serve", "--no-migrate"]);
    let bridge = crate::harness::Bridge::spawn(command, &world.log_file(), world.port.number);
    bridge.is_ready().await;
}

async fn migrations_asked_for_four_times_at_once_run_once(backend: Backend) {
    let world = World::new(backend).await;
    let all = join_all((0..4).map(|_| world.run(&["migrate"]))).await;
    let applied = all
        .iter()
        .filter(|one| one.out.contains("applied "))
        .count();
    let errors: Vec<_> = all.iter().filter(|one| one.code != Some(0)).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(applied, 1);
    world.start().await;
}

async fn a_first_start_killed_at_any_moment_leaves_a_database_that_starts(backend: Backend) {
    let world = World::new(backend).await;
    for milliseconds in (0..80).step_by(4) {
        let bridge = world.spawn();
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        bridge.kill();
    }
    let bridge = world.start().await;
    let student = register(&world.zoho, 1);
    assert_eq!(bridge.notify("BTEC_Students", &student).await.status, 202);
}
