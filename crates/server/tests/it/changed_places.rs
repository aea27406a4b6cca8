//! I8: ids belong to a place. When the same credentials lead elsewhere, writing stops.

use std::time::Duration;

use crate::harness::{Backend, World, eventually, on_each_database, register};

on_each_database!(
    another_moodle_site_stops_all_writing_until_a_person_accepts_it,
    another_zoho_organisation_stops_everything_until_it_is_the_stored_one_again,
);

async fn another_moodle_site_stops_all_writing_until_a_person_accepts_it(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let first = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &first).await;
    let arrived = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == first)
    });
    arrived.await.expect("the first student did not arrive");
    bridge.settles(Duration::from_secs(30)).await;
    assert_eq!(bridge.stop().await, Some(0));

    world.moodle.set_site_url("https://moved.example");
    world.moodle.clear_calls();
    let bridge = world.start().await;
    let key = world.api_key().await;
    let second = register(&world.zoho, 2);
    bridge.notify("BTEC_Students", &second).await;
    let issue = bridge.issue(&key, "place_changed").await;
    let message = issue["message"].as_str().unwrap();
    assert!(message.contains("https://moved.example"), "{message}");
    assert!(message.contains(world.moodle.base_url()), "{message}");
    // Reading goes on, writing does not, on either side.
    let read = format!("SELECT COUNT(*) FROM students WHERE zoho_id = '{second}'");
    eventually(|| async { (world.database.count(&read).await == 1).then_some(()) })
        .await
        .expect("the student was not read");
    let calls = world.moodle.calls();
    assert_eq!(
        calls.total,
        calls.of("core_webservice_get_site_info"),
        "{:?}",
        calls.by_operation
    );
    assert_eq!(
        bridge.health().await["checks"]["moodle"]["status"],
        "failed"
    );
    let shown = world.run(&["connection", "show"]).await;
    assert_eq!(shown.code, Some(1), "{}", shown.out);

    let accepted = world.run(&["connection", "accept", "moodle"]).await;
    assert_eq!(accepted.code, Some(0), "{}", accepted.err);
    let arrived = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == second)
    });
    assert!(
        arrived.await.is_some(),
        "writing did not go on after the acceptance"
    );
    bridge
        .resolved(&key, "place_changed", Duration::from_secs(30))
        .await;
}

async fn another_zoho_organisation_stops_everything_until_it_is_the_stored_one_again(
    backend: Backend,
) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let first = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &first).await;
    eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == first)
    })
    .await
    .expect("the first student did not arrive");
    bridge.settles(Duration::from_secs(30)).await;
    bridge.kill();

    world.zoho.set_org_id("700000999");
    let bridge = world.start().await;
    let key = world.api_key().await;
    let issue = bridge.issue(&key, "place_changed").await;
    assert!(
        issue["message"].as_str().unwrap().contains("700000999"),
        "{issue}"
    );
    world.zoho.clear_calls();
    let users = world.moodle.users().len();
    let second = register(&world.zoho, 2);
    assert_eq!(bridge.notify("BTEC_Students", &second).await.status, 202);
    // Records of another organisation are not even read: their ids mean something else.
    let pending = eventually(|| async {
        (bridge.health().await["queue"]["pending"].as_i64()? > 0).then_some(())
    });
    pending.await.expect("the notice is not kept");
    assert_eq!(world.zoho.calls().of("records.list"), 0);
    assert_eq!(world.moodle.users().len(), users);

    // It was the wrong account: pointed back, everything goes on by itself.
    world.zoho.set_org_id("700000001");
    let looked = world.run(&["connection", "show"]).await;
    assert_eq!(looked.code, Some(0), "{}", looked.out);
    let arrived = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == second)
    });
    assert!(
        arrived.await.is_some(),
        "nothing went on after the way back"
    );
    bridge
        .resolved(&key, "place_changed", Duration::from_secs(30))
        .await;
}
