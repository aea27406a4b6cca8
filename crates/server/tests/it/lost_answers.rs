//! The other side acts, and its answer is lost: look, never blindly repeat.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use mzi_simulators::faults::{Effect, Fault, Matcher};

use crate::harness::{Backend, World, a_class, enrol, on_each_database, register, within};

on_each_database!(
    answers_lost_after_the_act_make_no_second_user_and_no_second_seat,
    a_lost_answer_to_a_written_back_id_is_written_once_more_and_agrees,
);

const STUDENTS: usize = 40;
/// Every outage may cost half a minute of the breaker's patience.
const PATIENCE: Duration = Duration::from_secs(150);

fn often_lost(function: &str, seed: u64) -> Fault {
    let when = Matcher {
        probability: Some(0.3),
        seed,
        ..Matcher::target(function)
    };
    Fault {
        when,
        effect: Effect::ResetAfter,
    }
}

async fn answers_lost_after_the_act_make_no_second_user_and_no_second_seat(backend: Backend) {
    let world = World::new(backend).await;
    let functions = [
        "core_user_create_users",
        "core_user_update_users",
        "core_course_create_courses",
        "enrol_manual_enrol_users",
    ];
    for (seed, function) in (1..).zip(functions) {
        world.moodle.fault(often_lost(function, seed));
    }
    let bridge = world.start().await;
    let class = a_class(&world.zoho, "PROG-A");
    let enrolments: Vec<String> = (0..STUDENTS)
        .map(|number| enrol(&world.zoho, &register(&world.zoho, number), &class))
        .collect();
    join_all(
        enrolments
            .iter()
            .map(|id| bridge.notify("BTEC_Enrollments", id)),
    )
    .await;

    let all = within(PATIENCE, || async {
        (world.moodle.enrolments().len() >= STUDENTS).then_some(())
    });
    assert!(
        all.await.is_some(),
        "{} of {STUDENTS} enrolled",
        world.moodle.enrolments().len()
    );
    world.moodle.clear_faults();
    bridge.settles(PATIENCE).await;

    let students: BTreeSet<String> = world.zoho.ids("BTEC_Students").into_iter().collect();
    let users = world.moodle.users();
    let ours: Vec<_> = users
        .iter()
        .filter(|user| students.contains(&user.idnumber))
        .collect();
    let names: BTreeSet<_> = ours.iter().map(|user| &user.idnumber).collect();
    assert_eq!((ours.len(), names.len()), (STUDENTS, STUDENTS));
    let courses = world.moodle.courses();
    let of_class = courses
        .iter()
        .filter(|course| course.idnumber.ends_with(&class));
    assert_eq!(of_class.count(), 1);
    let seats = world.moodle.enrolments();
    assert!(seats.len() == STUDENTS && seats.iter().all(|seat| !seat.suspended));
    // An account we made ourselves stays ours, although we never saw the answer.
    let foreign =
        "SELECT COUNT(*) FROM outbox WHERE lane = 'seat' AND confirmed LIKE '%\"ours\":false%'";
    assert_eq!(world.database.count(foreign).await, 0);
}

async fn a_lost_answer_to_a_written_back_id_is_written_once_more_and_agrees(backend: Backend) {
    let world = World::new(backend).await;
    let when = Matcher {
        method: Some("PUT".into()),
        times: Some(2),
        ..Matcher::default()
    };
    world.zoho.fault(Fault {
        when,
        effect: Effect::ResetAfter,
    });
    let bridge = world.start().await;
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;

    let written = within(PATIENCE, || async {
        let record = world.zoho.record("BTEC_Students", &student)?;
        record.get("Student_Moodle_ID")?.as_str().map(str::to_owned)
    });
    let written = written.await;
    let user = world
        .moodle
        .users()
        .into_iter()
        .find(|user| user.idnumber == student);
    assert_eq!(written, user.map(|user| user.id.to_string()));
    bridge.settles(PATIENCE).await;
}
