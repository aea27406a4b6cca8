//! One side is down, slow or full for a while, and notices go on arriving.

use std::{collections::BTreeMap, time::Duration};

use mzi_simulators::{
    faults::{Effect, Fault, Matcher},
    moodle::SiteMode,
};
use serde_json::{Value, json};

use crate::harness::{
    Backend, Bridge, World, a_class, enrol, on_each_database, register, side_by_side, within,
};

// A side that is down is probed every half minute, so each of these takes about one.
side_by_side!(
    every_outage_ends_with_everything_where_it_belongs:
    zoho_refuses_connections_while_notices_arrive,
    zoho_answers_with_errors_while_notices_arrive,
    zoho_limits_the_rate_while_notices_arrive,
    zoho_cuts_its_answers_short,
    moodle_refuses_connections_while_notices_arrive,
    moodle_is_in_maintenance_while_notices_arrive,
    moodle_is_in_maintenance_from_the_command_line_while_notices_arrive,
    moodle_limits_the_rate_while_notices_arrive,
);

on_each_database!(a_function_taken_out_of_the_service_is_named_and_stops_only_what_needs_it);

const STUDENTS: usize = 20;
const TWO_MINUTES: Duration = Duration::from_secs(120);

/// What goes wrong, and how it ends.
struct Trouble<'a> {
    begins: &'a dyn Fn(&World),
    ends: &'a dyn Fn(&World),
    upstream: &'static str,
    /// Most calls the suffering side gets while it is down.
    calls: u64,
}

/// Half of the students before the trouble, half in the middle of it.
async fn survives(backend: Backend, trouble: Trouble<'_>) -> World {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let class = a_class(&world.zoho, "PROG-A");
    let enrolments: Vec<String> = (0..STUDENTS)
        .map(|number| enrol(&world.zoho, &register(&world.zoho, number), &class))
        .collect();
    let (early, late) = enrolments.split_at(STUDENTS / 2);
    accepted(&bridge, early).await;
    all_seated(&world, early.len()).await;

    (trouble.begins)(&world);
    world.zoho.clear_calls();
    world.moodle.clear_calls();
    accepted(&bridge, late).await;
    let down = within(TWO_MINUTES, || async {
        let status = bridge.health().await["checks"][trouble.upstream]["status"].clone();
        (status == "degraded").then_some(())
    });
    assert!(
        down.await.is_some(),
        "health does not tell that {} is down",
        trouble.upstream
    );
    assert_eq!(bridge.get("/health/ready").await.status, 200);
    let calls = match trouble.upstream {
        "zoho" => world.zoho.calls(),
        _ => world.moodle.calls(),
    };
    assert!(calls.total <= trouble.calls, "{:?}", calls.by_operation);

    (trouble.ends)(&world);
    all_seated(&world, STUDENTS).await;
    bridge.settles(TWO_MINUTES).await;
    let burnt = "SELECT COUNT(*) FROM work_items WHERE attempts > 0";
    assert_eq!(
        world.database.count(burnt).await,
        0,
        "attempts were burnt by the outage"
    );
    let others = "SELECT code FROM issues WHERE code <> 'teacher_without_account'";
    assert!(world.database.rows(others).await.is_empty());
    world
}

async fn accepted(bridge: &Bridge, enrolments: &[String]) {
    for id in enrolments {
        let answer = bridge.notify("BTEC_Enrollments", id).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    }
}

async fn all_seated(world: &World, count: usize) {
    let seated = within(TWO_MINUTES, || async {
        (world.moodle.enrolments().len() >= count).then_some(())
    });
    assert!(
        seated.await.is_some(),
        "{} of {count} seats",
        world.moodle.enrolments().len()
    );
}

fn status(code: u16, body: Value) -> Effect {
    Effect::Status {
        code,
        headers: BTreeMap::new(),
        body,
    }
}

async fn zoho_suffers(backend: Backend, effect: Effect) {
    let trouble = Trouble {
        begins: &|world| world.zoho.fault(Fault::always(effect.clone())),
        ends: &|world| world.zoho.clear_faults(),
        upstream: "zoho",
        calls: 20,
    };
    survives(backend, trouble).await;
}

async fn moodle_suffers(backend: Backend, effect: Effect) {
    let trouble = Trouble {
        begins: &|world| world.moodle.fault(Fault::always(effect.clone())),
        ends: &|world| world.moodle.clear_faults(),
        upstream: "moodle",
        calls: 30,
    };
    survives(backend, trouble).await;
}

async fn zoho_refuses_connections_while_notices_arrive(backend: Backend) {
    zoho_suffers(backend, Effect::ResetBefore).await;
}

async fn zoho_answers_with_errors_while_notices_arrive(backend: Backend) {
    zoho_suffers(backend, status(503, json!("<html>unavailable</html>"))).await;
}

async fn zoho_limits_the_rate_while_notices_arrive(backend: Backend) {
    zoho_suffers(
        backend,
        Effect::RateLimit {
            retry_after: Some(2),
        },
    )
    .await;
}

async fn moodle_refuses_connections_while_notices_arrive(backend: Backend) {
    moodle_suffers(backend, Effect::ResetBefore).await;
}

async fn moodle_limits_the_rate_while_notices_arrive(backend: Backend) {
    moodle_suffers(
        backend,
        Effect::RateLimit {
            retry_after: Some(2),
        },
    )
    .await;
}

async fn moodle_is_in(backend: Backend, mode: SiteMode) {
    let trouble = Trouble {
        begins: &|world| world.moodle.set_mode(mode),
        ends: &|world| world.moodle.set_mode(SiteMode::Open),
        upstream: "moodle",
        calls: 30,
    };
    survives(backend, trouble).await;
}

async fn moodle_is_in_maintenance_while_notices_arrive(backend: Backend) {
    moodle_is_in(backend, SiteMode::Maintenance).await;
}

async fn moodle_is_in_maintenance_from_the_command_line_while_notices_arrive(backend: Backend) {
    moodle_is_in(backend, SiteMode::CliMaintenance).await;
}

async fn zoho_cuts_its_answers_short(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let class = a_class(&world.zoho, "PROG-A");
    let enrolments: Vec<String> = (0..STUDENTS)
        .map(|number| enrol(&world.zoho, &register(&world.zoho, number), &class))
        .collect();
    accepted(&bridge, &enrolments).await;
    all_seated(&world, STUDENTS).await;
    bridge.settles(TWO_MINUTES).await;

    let when = Matcher {
        method: Some("GET".into()),
        times: Some(4),
        ..Matcher::default()
    };
    world.zoho.fault(Fault {
        when,
        effect: Effect::Truncate { bytes: 40 },
    });
    for id in &enrolments {
        let answer = bridge.notify("BTEC_Enrollments", id).await;
        assert!(answer.status < 300, "{}", answer.text);
    }
    bridge.settles(TWO_MINUTES).await;
    let seats = world.moodle.enrolments();
    assert!(
        seats.iter().all(|seat| !seat.suspended),
        "half an answer ended somebody's access"
    );
    let gone = "SELECT COUNT(*) FROM enrollments WHERE deleted_at IS NOT NULL";
    assert_eq!(world.database.count(gone).await, 0);
}

async fn a_function_taken_out_of_the_service_is_named_and_stops_only_what_needs_it(
    backend: Backend,
) {
    let world = World::new(backend).await;
    world.moodle.set_function("core_user_create_users", false);
    let bridge = world.start().await;
    let key = world.api_key().await;
    let class = a_class(&world.zoho, "PROG-A");
    let student = register(&world.zoho, 1);
    let enrolment = enrol(&world.zoho, &student, &class);
    bridge.notify("BTEC_Enrollments", &enrolment).await;

    let issue = bridge.issue(&key, "not_allowed").await;
    assert!(
        issue["message"]
            .as_str()
            .unwrap()
            .contains("core_user_create_users"),
        "{issue}"
    );
    let course = within(TWO_MINUTES, || async {
        world
            .moodle
            .courses()
            .into_iter()
            .find(|course| course.idnumber.contains(&class))
    });
    assert!(course.await.is_some(), "the class did not become a course");

    world.moodle.set_function("core_user_create_users", true);
    bridge.notify("BTEC_Students", &student).await;
    all_seated(&world, 1).await;
    bridge.resolved(&key, "not_allowed", TWO_MINUTES).await;
}
