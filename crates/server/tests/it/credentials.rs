//! Credentials are revoked and given back: everything waits, nothing is lost, nobody is flooded.

use std::time::Duration;

use mzi_simulators::{
    faults::{Effect, Fault},
    zoho::{Throttle, ZohoOptions},
};

use crate::harness::{
    Backend, Bridge, World, a_class, enrol, on_each_database, register, side_by_side, within,
};

// Refused credentials are tried once a minute, so each of these takes a minute.
side_by_side!(
    refused_credentials_heal_by_themselves:
    a_moodle_token_that_is_revoked_and_restored_costs_nothing_but_time,
    a_zoho_refresh_token_that_is_revoked_and_restored_costs_nothing_but_time,
    throttled_token_requests_with_status_400_make_no_storm,
    throttled_token_requests_with_status_200_make_no_storm,
);

on_each_database!(
    a_credential_mended_by_a_restart_closes_its_issue,
    a_restart_spends_no_refresh,
);

const STUDENTS: usize = 12;
const MINUTE_AND_A_HALF: Duration = Duration::from_secs(90);

async fn notify_all(bridge: &Bridge, enrolments: &[String]) {
    for id in enrolments {
        let answer = bridge.notify("BTEC_Enrollments", id).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    }
}

fn enrolments(world: &World) -> Vec<String> {
    let class = a_class(&world.zoho, "PROG-A");
    (0..STUDENTS)
        .map(|number| enrol(&world.zoho, &register(&world.zoho, number), &class))
        .collect()
}

async fn seats_reach(world: &World, count: usize, patience: Duration) {
    let reached = within(patience, || async {
        (world.moodle.enrolments().len() >= count).then_some(())
    });
    let reached = reached.await.is_some();
    assert!(
        reached,
        "{} of {count} seats",
        world.moodle.enrolments().len()
    );
}

async fn is_one_open_issue(world: &World, upstream: &str) {
    let sql = "SELECT subject, count FROM issues WHERE resolved_at IS NULL \
               AND code = 'connection_refused_credentials'";
    let open = world.database.rows(sql).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(open[0][0].contains(upstream), "{open:?}");
}

async fn a_moodle_token_that_is_revoked_and_restored_costs_nothing_but_time(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let key = world.api_key().await;
    let enrolments = enrolments(&world);
    let (early, late) = enrolments.split_at(STUDENTS / 2);
    notify_all(&bridge, early).await;
    seats_reach(&world, early.len(), MINUTE_AND_A_HALF).await;

    world.moodle.fault(Fault::always(Effect::TokenRevoked));
    world.moodle.clear_calls();
    notify_all(&bridge, late).await;
    bridge.issue(&key, "connection_refused_credentials").await;
    is_one_open_issue(&world, "moodle").await;
    assert_eq!(
        bridge.health().await["checks"]["moodle"]["status"],
        "failed"
    );
    assert_eq!(bridge.health().await["status"], "degraded");
    assert!(
        world.moodle.calls().total <= 12,
        "{:?}",
        world.moodle.calls().by_operation
    );

    world.moodle.clear_faults();
    seats_reach(&world, STUDENTS, MINUTE_AND_A_HALF).await;
    bridge
        .resolved(&key, "connection_refused_credentials", MINUTE_AND_A_HALF)
        .await;
    assert_eq!(bridge.health().await["checks"]["moodle"]["status"], "ok");
}

async fn a_zoho_refresh_token_that_is_revoked_and_restored_costs_nothing_but_time(
    backend: Backend,
) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let key = world.api_key().await;
    let enrolments = enrolments(&world);
    let (early, late) = enrolments.split_at(STUDENTS / 2);
    notify_all(&bridge, early).await;
    seats_reach(&world, early.len(), MINUTE_AND_A_HALF).await;
    bridge.settles(MINUTE_AND_A_HALF).await;

    assert!(world.zoho.revoke_token(world.zoho.refresh_token()));
    world.zoho.clear_calls();
    notify_all(&bridge, late).await;
    bridge.issue(&key, "connection_refused_credentials").await;
    is_one_open_issue(&world, "zoho").await;
    assert_eq!(bridge.health().await["checks"]["zoho"]["status"], "failed");

    world.zoho.allow_refresh_token(world.zoho.refresh_token());
    seats_reach(&world, STUDENTS, MINUTE_AND_A_HALF).await;
    bridge
        .resolved(&key, "connection_refused_credentials", MINUTE_AND_A_HALF)
        .await;
    let refreshes = world.zoho.calls().of("oauth.token");
    assert!(refreshes <= 3, "{refreshes} refreshes in a good minute");
}

async fn throttled_token_requests_with_status_400_make_no_storm(backend: Backend) {
    throttled(backend, Throttle::BadRequest).await;
}

async fn throttled_token_requests_with_status_200_make_no_storm(backend: Backend) {
    throttled(backend, Throttle::AccessDenied).await;
}

async fn throttled(backend: Backend, throttle: Throttle) {
    let one = ZohoOptions {
        students: 0,
        tokens_per_ten_minutes: Some(1),
        throttle,
        ..ZohoOptions::default()
    };
    let world = World::with(backend, one).await;
    let bridge = world.start().await;
    let enrolments = enrolments(&world);
    let (early, late) = enrolments.split_at(STUDENTS / 2);
    notify_all(&bridge, early).await;
    seats_reach(&world, early.len(), MINUTE_AND_A_HALF).await;
    bridge.settles(MINUTE_AND_A_HALF).await;

    // The token ends early and no other is given for ten minutes, of which nine pass at once.
    world.zoho.end_access_tokens();
    world.zoho.clear_calls();
    notify_all(&bridge, late).await;
    within(Duration::from_secs(30), || async {
        (world.zoho.calls().of("oauth.token") >= 1).then_some(())
    })
    .await
    .expect("no token was asked for");
    world.zoho.advance(chrono::TimeDelta::minutes(11));
    seats_reach(&world, STUDENTS, MINUTE_AND_A_HALF).await;
    let refreshes = world.zoho.calls().of("oauth.token");
    assert!(refreshes <= 3, "{refreshes} refreshes in a good minute");
    assert!(!world.log().contains("panicked"));
}

async fn a_credential_mended_by_a_restart_closes_its_issue(backend: Backend) {
    let mut world = World::new(backend).await;
    let right = world.moodle.token().to_owned();
    world.set("MOODLE_TOKEN", "22222222222222222222222222222222");
    let bridge = world.start().await;
    let key = world.api_key().await;
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;
    bridge.issue(&key, "connection_refused_credentials").await;
    assert_eq!(bridge.stop().await, Some(0));

    world.set("MOODLE_TOKEN", right);
    let bridge = world.start().await;
    let arrived = within(Duration::from_secs(30), || async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == student)
    });
    assert!(arrived.await.is_some(), "the student did not arrive");
    bridge
        .resolved(
            &key,
            "connection_refused_credentials",
            Duration::from_secs(30),
        )
        .await;
}

async fn a_restart_spends_no_refresh(backend: Backend) {
    let world = World::new(backend).await;
    for number in 1..=5 {
        let bridge = world.start().await;
        let student = register(&world.zoho, number);
        bridge.notify("BTEC_Students", &student).await;
        let arrived = within(Duration::from_secs(30), || async {
            world
                .moodle
                .users()
                .into_iter()
                .find(|user| user.idnumber == student)
        });
        assert!(arrived.await.is_some());
        bridge.kill();
    }
    assert_eq!(world.zoho.calls().of("oauth.token"), 1);
}
