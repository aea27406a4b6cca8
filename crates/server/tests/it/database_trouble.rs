//! The database itself is held up, cut off or damaged.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use crate::harness::{Backend, World, eventually, register};

const PATH: &str = "/api/v1/webhooks/students";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_locked_by_somebody_else_costs_503_and_nothing_acknowledged() {
    let world = World::new(Backend::Sqlite).await;
    let bridge = world.start().await;
    let locker = Connection::open(world.folder.path().join("mzi.db")).unwrap();
    locker.execute_batch("BEGIN IMMEDIATE").unwrap();

    let begun = Instant::now();
    let refused = bridge
        .post(PATH, &json!({"zoho_id": "1", "event_id": "while-locked"}))
        .await;
    assert_eq!(
        (refused.status, refused.code()),
        (503, "not_stored"),
        "{}",
        refused.text
    );
    assert!(
        begun.elapsed() < Duration::from_secs(12),
        "{:?}",
        begun.elapsed()
    );
    assert!(refused.retry_after.is_some());
    assert_eq!(bridge.get("/health/live").await.status, 200);

    locker.execute_batch("ROLLBACK").unwrap();
    let student = register(&world.zoho, 1);
    eventually(|| async {
        (bridge.notify("BTEC_Students", &student).await.status < 300).then_some(())
    })
    .await
    .expect("it does not take notices again");
    let arrived = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == student)
    });
    assert!(arrived.await.is_some());
    let kept = "SELECT COUNT(*) FROM integration_events_log WHERE identity LIKE '%while-locked%'";
    assert_eq!(
        world.database.count(kept).await,
        0,
        "it was refused and kept"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_cut_short_is_refused_with_the_way_out() {
    let world = World::new(Backend::Sqlite).await;
    world.start().await.stop().await;
    let path = world.folder.path().join("mzi.db");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 3]).unwrap();

    let refused = world.run(&["serve"]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("backup"), "{}", refused.err);
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_drops_every_connection_again_and_again_loses_nothing() {
    use std::sync::Arc;

    if Backend::Postgres.is_left_out() {
        return;
    }
    let world = Arc::new(World::new(Backend::Postgres).await);
    let bridge = world.start().await;
    let students: Vec<String> = (0..200)
        .map(|number| register(&world.zoho, number))
        .collect();
    let cutting = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            loop {
                world.database.cut_off_everybody().await;
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        })
    };
    for student in &students {
        // A sender tries again until it is taken in.
        eventually(|| async {
            let answer = bridge.notify("BTEC_Students", student).await;
            assert!([200, 202, 503].contains(&answer.status), "{}", answer.text);
            (answer.status < 300).then_some(())
        })
        .await
        .expect("nothing is taken in");
    }
    cutting.abort();
    // A claim whose answer was cut off is taken over when its lease of 90 seconds has ended.
    bridge.settles(Duration::from_secs(150)).await;
    let users = world.moodle.users();
    for student in &students {
        let held = users
            .iter()
            .filter(|user| user.idnumber == *student)
            .count();
        assert_eq!(held, 1, "{student}");
    }
}
