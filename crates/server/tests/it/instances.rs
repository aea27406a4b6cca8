//! Several bridges on one PostgreSQL database: they share the work, and one's end is not the
//! other's.

use std::{collections::BTreeSet, time::Duration};

use mzi_simulators::{
    faults::{Effect, Fault},
    moodle::MoodleSimulator,
};

use crate::harness::{Backend, Bridge, World, a_class, enrol, register, within};

const STUDENTS: usize = 60;
const PATIENCE: Duration = Duration::from_secs(90);

/// A second bridge beside the first, on a port of its own.
async fn beside(world: &mut World) -> (Bridge, crate::harness::Port) {
    let port = crate::harness::Port::claim();
    let first = format!("127.0.0.1:{}", world.port.number);
    world.set("BIND_ADDR", format!("127.0.0.1:{}", port.number));
    let bridge = Bridge::spawn(world.command(&["serve"]), &world.log_file(), port.number);
    world.set("BIND_ADDR", first);
    bridge.is_ready().await;
    (bridge, port)
}

fn ours(moodle: &MoodleSimulator, students: &BTreeSet<String>) -> Vec<String> {
    let users = moodle.users().into_iter().map(|user| user.idnumber);
    users
        .filter(|idnumber| students.contains(idnumber))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bridges_share_one_database_and_the_end_of_one_stops_nothing() {
    if Backend::Postgres.is_left_out() {
        return;
    }
    let mut world = World::new(Backend::Postgres).await;
    world
        .moodle
        .fault(Fault::always(Effect::Latency { ms: 30 }));
    // Two creates of the same person at once would make two people, as on a real site.
    world
        .moodle
        .set_race_window(Some(Duration::from_millis(20)));
    let first = world.start().await;
    let (second, _port) = beside(&mut world).await;
    let class = a_class(&world.zoho, "PROG-A");
    let enrolments: Vec<String> = (0..STUDENTS)
        .map(|number| enrol(&world.zoho, &register(&world.zoho, number), &class))
        .collect();
    let students: BTreeSet<String> = world.zoho.ids("BTEC_Students").into_iter().collect();
    for id in &enrolments {
        // Both are told of everything.
        assert!(first.notify("BTEC_Enrollments", id).await.status < 300);
        assert!(second.notify("BTEC_Enrollments", id).await.status < 300);
    }
    within(PATIENCE, || async {
        (ours(&world.moodle, &students).len() > 5).then_some(())
    })
    .await
    .expect("nothing arrives");
    first.kill();

    let seated = within(PATIENCE, || async {
        (world.moodle.enrolments().len() >= STUDENTS).then_some(())
    });
    assert!(
        seated.await.is_some(),
        "{} seats",
        world.moodle.enrolments().len()
    );
    second.settles(PATIENCE).await;
    let ours = ours(&world.moodle, &students);
    assert_eq!(ours.len(), STUDENTS);
    assert_eq!(ours.into_iter().collect::<BTreeSet<_>>(), students);
    let owners = "SELECT COUNT(*) FROM work_items WHERE state = 'leased'";
    assert_eq!(world.database.count(owners).await, 0);
    let tokens = world.zoho.calls().of("oauth.token");
    assert!(tokens <= 2, "{tokens} access tokens for two bridges");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_event_sent_to_two_bridges_at_once_is_one_event() {
    if Backend::Postgres.is_left_out() {
        return;
    }
    let mut world = World::new(Backend::Postgres).await;
    let first = world.start().await;
    let (second, _port) = beside(&mut world).await;
    let student = register(&world.zoho, 1);
    for number in 0..20 {
        let body = serde_json::json!({"event_id": format!("evt-{number}"), "zoho_id": student});
        let path = "/api/v1/webhooks/students";
        let (one, other) = tokio::join!(first.post(path, &body), second.post(path, &body));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 202]);
        assert_eq!(one.json["event_id"], other.json["event_id"]);
    }
    assert_eq!(
        world
            .database
            .count("SELECT COUNT(*) FROM integration_events_log")
            .await,
        20
    );
}
