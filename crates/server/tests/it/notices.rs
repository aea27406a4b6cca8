//! Notices come often, late, twice, in the wrong order, or not at all.

use std::time::Duration;

use futures_util::future::join_all;
use mzi_simulators::faults::{Effect, Fault};
use serde_json::{Value, json};

use crate::harness::{
    Backend, WEBHOOK_SECRET, World, a_class, channel_token, enrol, eventually, on_each_database,
    register,
};

on_each_database!(
    ten_copies_of_every_notification_have_one_effect,
    a_named_event_is_one_event_also_after_a_restart,
    a_reordered_pair_of_changes_ends_with_the_newest,
    a_dropped_notice_is_made_good_by_a_later_one,
    the_second_of_two_edits_in_one_second_is_not_lost,
    an_enrolment_may_arrive_before_everything_it_points_to,
);

const QUICK: Duration = Duration::from_secs(30);

async fn history(world: &World, id: &str) -> Vec<String> {
    let sql = format!("SELECT kind FROM record_history WHERE zoho_id = '{id}' ORDER BY id");
    world
        .database
        .rows(&sql)
        .await
        .into_iter()
        .map(|mut row| row.remove(0))
        .collect()
}

async fn name_arrives(world: &World, student: &str, name: &str) {
    let arrived = eventually(|| async {
        let users = world.moodle.users();
        users
            .into_iter()
            .find(|user| user.idnumber == student && user.firstname == name)
    });
    assert!(arrived.await.is_some(), "{name} did not reach Moodle");
}

async fn ten_copies_of_every_notification_have_one_effect(backend: Backend) {
    let world = World::new(backend).await.with_channels();
    let bridge = world.start().await;
    eventually(|| async { (world.zoho.channels().len() >= 10).then_some(()) })
        .await
        .unwrap();
    world
        .zoho
        .fault(Fault::always(Effect::DuplicateNotifications { times: 10 }));

    let student = register(&world.zoho, 1);
    name_arrives(&world, &student, "Lina").await;
    world
        .zoho
        .update("BTEC_Students", &student, &json!({"First_Name": "Lena"}))
        .unwrap();
    name_arrives(&world, &student, "Lena").await;
    world.zoho.settle().await;
    bridge.settles(QUICK).await;

    let own = "operation <> 'unknown' AND module = 'BTEC_Students'";
    let events = format!("SELECT COUNT(*) FROM integration_events_log WHERE {own}");
    // One for each change of ours and one for our own write-back's echo.
    assert_eq!(world.database.count(&events).await, 3);
    let kinds = history(&world, &student).await;
    assert_eq!(
        kinds.iter().filter(|kind| *kind == "created").count(),
        1,
        "{kinds:?}"
    );
    assert!(kinds.len() <= 3, "{kinds:?}");
    assert_eq!(world.moodle.calls().of("core_user_create_users"), 1);
    assert_eq!(world.moodle.calls().of("core_user_update_users"), 1);
}

async fn a_named_event_is_one_event_also_after_a_restart(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let student = register(&world.zoho, 1);
    let body = json!({"event_id": "evt-1", "zoho_id": student, "module": "BTEC_Students"});
    let at_once = (0..10).map(|_| bridge.post("/api/v1/webhooks/students", &body));
    let answers = join_all(at_once).await;
    let fresh: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 202)
        .collect();
    assert_eq!(fresh.len(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.json["event_id"] == fresh[0].json["event_id"])
    );
    name_arrives(&world, &student, "Lina").await;
    bridge.settles(QUICK).await;
    let reads = world.zoho.calls().of("records.list");
    bridge.kill();

    let bridge = world.start().await;
    let again = bridge.post("/api/v1/webhooks/students", &body).await;
    assert_eq!(
        (again.status, &again.json["event_id"]),
        (200, &fresh[0].json["event_id"])
    );
    bridge.settles(QUICK).await;
    assert_eq!(
        world.zoho.calls().of("records.list"),
        reads,
        "a repeat cost a call"
    );
}

async fn a_reordered_pair_of_changes_ends_with_the_newest(backend: Backend) {
    let world = World::new(backend).await.with_channels();
    let bridge = world.start().await;
    eventually(|| async { (world.zoho.channels().len() >= 10).then_some(()) })
        .await
        .unwrap();
    let student = register(&world.zoho, 1);
    name_arrives(&world, &student, "Lina").await;

    world
        .zoho
        .fault(Fault::once("BTEC_Students", Effect::ReorderNotifications));
    world
        .zoho
        .update("BTEC_Students", &student, &json!({"First_Name": "First"}))
        .unwrap();
    world
        .zoho
        .update("BTEC_Students", &student, &json!({"First_Name": "Second"}))
        .unwrap();
    name_arrives(&world, &student, "Second").await;
    world.zoho.settle().await;
    bridge.settles(QUICK).await;
    name_arrives(&world, &student, "Second").await;
}

async fn a_dropped_notice_is_made_good_by_a_later_one(backend: Backend) {
    let world = World::new(backend).await.with_channels();
    let _bridge = world.start().await;
    eventually(|| async { (world.zoho.channels().len() >= 10).then_some(()) })
        .await
        .unwrap();
    let student = register(&world.zoho, 1);
    name_arrives(&world, &student, "Lina").await;

    world.zoho.settle().await;
    world
        .zoho
        .fault(Fault::once("BTEC_Students", Effect::DropNotifications));
    world
        .zoho
        .update("BTEC_Students", &student, &json!({"First_Name": "Unheard"}))
        .unwrap();
    world
        .zoho
        .update("BTEC_Students", &student, &json!({"Last_Name": "Heard"}))
        .unwrap();
    name_arrives(&world, &student, "Unheard").await;
}

/// A notification of a channel, as Zoho sends it.
fn notification(id: &str, server_time: i64) -> Value {
    json!({
        "server_time": server_time, "module": "BTEC_Students", "ids": [id], "operation": "update",
        "channel_id": "10001", "token": channel_token(WEBHOOK_SECRET, "10001"),
    })
}

async fn the_second_of_two_edits_in_one_second_is_not_lost(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let student = register(&world.zoho, 1);
    let post = async |body: Value| bridge.post("/api/v1/webhooks/students", &body).await.status;
    assert_eq!(post(notification(&student, 1)).await, 202);
    name_arrives(&world, &student, "Lina").await;

    // An event whose identity is its Modified_Time: the second edit of the same second looks
    // like a repeat of the first.
    let modified = edit(&world, &student, "First");
    let event =
        json!({"data": [{"id": student, "Modified_Time": modified}], "module": "BTEC_Students"});
    assert_eq!(post(event.clone()).await, 202);
    name_arrives(&world, &student, "First").await;
    if edit(&world, &student, "Second") == modified {
        assert_eq!(
            post(event).await,
            200,
            "the test's premise: the same identity"
        );
    } else {
        // The clock struck between the edits: then it is simply another change.
        assert_eq!(bridge.notify("BTEC_Students", &student).await.status, 202);
    }
    name_arrives(&world, &student, "Second").await;
}

/// Edits a student; answers its `Modified_Time`.
fn edit(world: &World, student: &str, name: &str) -> Value {
    world
        .zoho
        .update("BTEC_Students", student, &json!({"First_Name": name}))
        .unwrap();
    world.zoho.record("BTEC_Students", student).unwrap()["Modified_Time"].clone()
}

async fn an_enrolment_may_arrive_before_everything_it_points_to(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let class = a_class(&world.zoho, "PROG-A");
    world
        .zoho
        .update("BTEC_Classes", &class, &json!({"Class_Status": "Planned"}))
        .unwrap();
    let student = register(&world.zoho, 1);
    let enrolment = enrol(&world.zoho, &student, &class);
    bridge.notify("BTEC_Enrollments", &enrolment).await;
    name_arrives(&world, &student, "Lina").await;
    bridge.settles(QUICK).await;
    assert!(world.moodle.enrolments().is_empty());
    let waiting = bridge.health().await["queue"]["waiting"].as_i64();
    assert!(waiting > Some(0), "the seat does not wait for its course");

    // The class begins: the seat follows without another notice about it.
    world
        .zoho
        .update("BTEC_Classes", &class, &json!({"Class_Status": "Active"}))
        .unwrap();
    bridge.notify("BTEC_Classes", &class).await;
    let seat = eventually(|| async { world.moodle.enrolments().into_iter().next() });
    assert!(seat.await.is_some(), "the seat did not follow its class");
}
