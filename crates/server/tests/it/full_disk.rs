//! No room is left: notices are refused with 503, reads go on, and room mends it without a restart.
//!
//! The room is a limit on the size of any one file (`ulimit -f`), which needs no rights and no
//! file system of its own; `prlimit` lifts it while the bridge runs. SQLite meets it as an error
//! of writing, at the same places at which it would meet a full disk.

#![cfg(target_os = "linux")]

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Backend, Bridge, World, eventually, register};

/// In blocks of 512 bytes: a little more than an empty database with its log.
const LIMIT: &str = "2600";
/// Becomes a page or two of the write-ahead log, and a few hundred of the file.
const LARGE: usize = 150_000;
const PATH: &str = "/api/v1/webhooks/students";

/// Starts the bridge under a limit. Without the trap the signal of the limit would end it.
fn under_a_limit(world: &World) -> Bridge {
    let script = format!("trap '' XFSZ; ulimit -S -f {LIMIT}; exec \"$0\" serve");
    let command = world.under(
        Command::new("/bin/sh"),
        &["-c", &script, env!("CARGO_BIN_EXE_mzi")],
    );
    Bridge::spawn(command, &world.log_file(), world.port.number)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_notices_lets_reads_through_and_heals_without_a_restart() {
    let mut world = World::new(Backend::Sqlite).await;
    world.set("LOG_LEVEL", "warn");
    world.start().await.stop().await;
    let bridge = under_a_limit(&world);
    bridge.is_ready().await;
    let student = register(&world.zoho, 1);
    assert_eq!(bridge.notify("BTEC_Students", &student).await.status, 202);
    let user = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == student)
    });
    let user = user.await.expect("no user").id;
    bridge.settles(Duration::from_secs(20)).await;

    let mut acknowledged = Vec::new();
    for note in [LARGE, LARGE / 10, 0] {
        acknowledged.extend(fill(&bridge, note).await);
    }
    assert!(!acknowledged.is_empty());
    let refused = bridge.post(PATH, &a_notice("refused", LARGE)).await;
    assert_eq!(
        (refused.status, refused.code()),
        (503, "not_stored"),
        "{}",
        refused.text
    );
    assert!(refused.retry_after.is_some());
    let profile = bridge
        .student(&world, user, "/api/v1/student/profile")
        .await;
    assert_eq!(profile.status, 200, "{}", profile.text);
    assert_eq!(bridge.get("/health/live").await.status, 200);
    // Asking for health writes a little, too: it may take a few questions to fill the last page.
    let unwell = eventually(|| async {
        let health = bridge.get("/health").await;
        (health.status == 503).then_some(health.json)
    });
    let unwell = unwell.await.expect("health does not tell");
    assert_eq!(unwell["checks"]["database"]["status"], "failed");

    let pid = bridge.pid().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited"])
        .status();
    assert!(lifted.expect("prlimit of util-linux").success());
    let begun = Instant::now();
    eventually(|| async {
        let answer = bridge.post(PATH, &a_notice("after", LARGE)).await;
        (answer.status == 202).then_some(())
    })
    .await
    .expect("it did not heal");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        begun.elapsed()
    );
    eventually(|| async { (bridge.get("/health/ready").await.status == 200).then_some(()) })
        .await
        .expect("it is not ready again");

    let kept = world
        .database
        .rows("SELECT event_id FROM integration_events_log")
        .await;
    acknowledged.retain(|id| !kept.iter().any(|row| row[0] == *id));
    assert!(
        acknowledged.is_empty(),
        "acknowledged and lost: {acknowledged:?}"
    );
}

/// Sends notices of this size until one is refused; answers the ids of those that were not.
async fn fill(bridge: &Bridge, note: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0..2_000 {
        let answer = bridge
            .post(PATH, &a_notice(&format!("{note}-{number}"), note))
            .await;
        match answer.status {
            202 => acknowledged.push(answer.json["event_id"].as_str().unwrap().to_owned()),
            503 => return acknowledged,
            other => panic!("{other}: {}", answer.text),
        }
    }
    panic!("the disk did not become full");
}

/// A notice of its own, with much that is nobody's business.
fn a_notice(name: &str, note: usize) -> Value {
    json!({"zoho_id": "900000000000404", "event_id": name, "Note": "x".repeat(note)})
}
