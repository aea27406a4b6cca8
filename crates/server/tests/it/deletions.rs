//! Only a certain deletion ends somebody's access (I6), and a record that comes back brings it
//! back.

use std::{collections::BTreeMap, time::Duration};

use mzi_simulators::{
    faults::{Effect, Fault, Matcher},
    moodle::Enrolment,
};
use serde_json::{Value, json};

use crate::harness::{
    Backend, Bridge, World, a_class, enrol, eventually, on_each_database, register,
};

on_each_database!(
    a_deletion_that_is_only_claimed_ends_nothing,
    a_record_that_cannot_be_seen_any_more_ends_nothing_and_is_named,
    a_withdrawal_suspends_and_a_return_from_the_recycle_bin_gives_access_back,
    an_access_that_was_there_before_the_bridge_is_not_ended_by_it,
    one_impossible_seat_does_not_keep_the_others_out,
);

const QUICK: Duration = Duration::from_secs(30);

/// A student in a class, on both sides.
async fn seated(world: &World, bridge: &Bridge) -> (String, Enrolment) {
    let class = a_class(&world.zoho, "PROG-A");
    let student = register(&world.zoho, 1);
    let enrolment = enrol(&world.zoho, &student, &class);
    bridge.notify("BTEC_Enrollments", &enrolment).await;
    let seat = eventually(|| async { world.moodle.enrolments().into_iter().next() });
    let seat = seat.await.expect("nobody was seated");
    bridge.settles(QUICK).await;
    (enrolment, seat)
}

async fn report_deletion(bridge: &Bridge, enrolment: &str) {
    let body = json!({"zoho_id": enrolment, "module": "BTEC_Enrollments", "operation": "delete"});
    let answer = bridge.post("/api/v1/webhooks/enrollments", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
}

fn is_suspended(world: &World, seat: &Enrolment) -> bool {
    let seat = world.moodle.enrolment(seat.course_id, seat.user_id);
    seat.expect("the seat itself is gone").suspended
}

async fn becomes(world: &World, seat: &Enrolment, suspended: bool) {
    let became = eventually(|| async { (is_suspended(world, seat) == suspended).then_some(()) });
    assert!(
        became.await.is_some(),
        "suspended did not become {suspended}"
    );
}

async fn a_deletion_that_is_only_claimed_ends_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let (enrolment, seat) = seated(&world, &bridge).await;
    let reads = world.zoho.calls().total;

    report_deletion(&bridge, &enrolment).await;
    eventually(|| async { (world.zoho.calls().total > reads).then_some(()) })
        .await
        .expect("the claim was not looked into");
    bridge.settles(QUICK).await;

    assert!(!is_suspended(&world, &seat));
    let gone = "SELECT COUNT(*) FROM enrollments WHERE deleted_at IS NOT NULL";
    assert_eq!(world.database.count(gone).await, 0);
}

async fn a_record_that_cannot_be_seen_any_more_ends_nothing_and_is_named(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let key = world.api_key().await;
    let (enrolment, seat) = seated(&world, &bridge).await;

    // What an API user sees of a record that was hidden from them: nothing, and no deletion.
    let nothing = Effect::Status {
        code: 204,
        headers: BTreeMap::new(),
        body: Value::Null,
    };
    let when = Matcher {
        method: Some("GET".into()),
        ..Matcher::target("/BTEC_Enrollments")
    };
    world.zoho.fault(Fault {
        when,
        effect: nothing,
    });
    let answer = bridge.notify("BTEC_Enrollments", &enrolment).await;
    assert!(answer.status < 300, "{}", answer.text);
    let issue = bridge.issue(&key, "record_vanished").await;
    assert_eq!(issue["zoho_id"], enrolment.as_str());
    assert!(!is_suspended(&world, &seat));

    world.zoho.clear_faults();
    bridge.notify("BTEC_Enrollments", &enrolment).await;
    bridge.resolved(&key, "record_vanished", QUICK).await;
    assert!(!is_suspended(&world, &seat));
}

async fn a_withdrawal_suspends_and_a_return_from_the_recycle_bin_gives_access_back(
    backend: Backend,
) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let (enrolment, seat) = seated(&world, &bridge).await;

    world.zoho.delete("BTEC_Enrollments", &enrolment).unwrap();
    report_deletion(&bridge, &enrolment).await;
    becomes(&world, &seat, true).await;

    world.zoho.restore("BTEC_Enrollments", &enrolment).unwrap();
    bridge.notify("BTEC_Enrollments", &enrolment).await;
    becomes(&world, &seat, false).await;
    bridge.settles(QUICK).await;
    let kinds =
        format!("SELECT kind FROM record_history WHERE zoho_id = '{enrolment}' ORDER BY id");
    let kinds = world.database.rows(&kinds).await.concat();
    assert_eq!(
        (kinds[0].as_str(), kinds.last().unwrap().as_str()),
        ("created", "revived")
    );
}

async fn an_access_that_was_there_before_the_bridge_is_not_ended_by_it(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let key = world.api_key().await;
    let class = a_class(&world.zoho, "PROG-A");
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;
    bridge.notify("BTEC_Classes", &class).await;
    let (user, course) = eventually(|| async {
        let users = world.moodle.users();
        let user = users.into_iter().find(|user| user.idnumber == student)?.id;
        let courses = world.moodle.courses();
        let course = courses
            .into_iter()
            .find(|course| course.idnumber.ends_with(&class))?
            .id;
        Some((user, course))
    })
    .await
    .expect("no user or no course");
    world.moodle.enrol_student(course, user);

    let enrolment = enrol(&world.zoho, &student, &class);
    bridge.notify("BTEC_Enrollments", &enrolment).await;
    eventually(|| async {
        let record = world.zoho.record("BTEC_Enrollments", &enrolment)?;
        record.get("Moodle_Course_ID")?.as_str().map(str::to_owned)
    })
    .await
    .expect("the seat was not recognised");
    world.zoho.delete("BTEC_Enrollments", &enrolment).unwrap();
    report_deletion(&bridge, &enrolment).await;

    let issue = bridge.issue(&key, "seat_not_ours").await;
    assert_eq!(issue["zoho_id"], enrolment.as_str());
    assert!(!world.moodle.enrolment(course, user).unwrap().suspended);
}

async fn one_impossible_seat_does_not_keep_the_others_out(backend: Backend) {
    let mut world = World::new(backend).await;
    // Held back, so that all of them go into one call later.
    world.set("SETUP_COMPLETED_STEPS", "backend,zoho,moodle");
    let bridge = world.start().await;
    let class = a_class(&world.zoho, "PROG-A");
    let students: Vec<String> = (0..20)
        .map(|number| register(&world.zoho, number))
        .collect();
    for student in &students {
        bridge.notify("BTEC_Students", student).await;
    }
    bridge.notify("BTEC_Classes", &class).await;
    assert_eq!(bridge.stop().await, Some(0));
    world.set("SETUP_COMPLETED_STEPS", crate::harness::ALL_STEPS);
    let bridge = world.start().await;
    let key = world.api_key().await;
    let user_of = |student: &String| {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == *student)
    };
    let all = eventually(|| async {
        students
            .iter()
            .all(|id| user_of(id).is_some())
            .then_some(())
    });
    all.await.expect("not all became users");
    bridge.settles(QUICK).await;

    // One of them is deleted in Moodle behind the bridge's back; Moodle refuses the whole call.
    assert!(world.moodle.delete_user(user_of(&students[7]).unwrap().id));
    for student in &students {
        let enrolment = enrol(&world.zoho, student, &class);
        bridge.notify("BTEC_Enrollments", &enrolment).await;
    }
    let seated = eventually(|| async { (world.moodle.enrolments().len() >= 19).then_some(()) });
    assert!(
        seated.await.is_some(),
        "{} of 19",
        world.moodle.enrolments().len()
    );
    let named = eventually(|| async {
        let issues = bridge.issues(&key).await;
        issues
            .into_iter()
            .find(|issue| issue["operation"] == "seat")
    });
    assert!(
        named.await.is_some(),
        "nobody is told of the impossible one"
    );
}
