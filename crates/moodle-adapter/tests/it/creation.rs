//! Creating people and courses exactly once, and what it costs.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt, future::join, stream};
use mzi_domain::MoodleUserId;
use mzi_ports::{
    Lms, LmsError,
    lms::{NewUser, refusal},
};
use mzi_simulators::{
    faults::{Effect, Fault, Matcher},
    moodle::{Content, MoodleOptions, MoodleVersion, User},
};

use crate::{
    recorded::{Recorded, VERSIONS, json},
    samples::{checked_student, course, course_id, student, user_id},
    world::{Simulated, client, settings, simulated, simulated_with},
};

const CREATE: &str = "core_user_create_users";

async fn bare() -> Simulated {
    simulated_with(MoodleOptions {
        content: Content::Bare,
        ..MoodleOptions::default()
    })
    .await
}

/// Users with our ID numbers.
fn ours(world: &Simulated) -> Vec<String> {
    let users = world.site.users().into_iter();
    let ours = users.filter(|user| !user.idnumber.is_empty());
    ours.map(|user| user.idnumber).collect()
}

fn code<T: std::fmt::Debug>(outcome: Result<T, LmsError>) -> String {
    match outcome.unwrap_err() {
        LmsError::Rejected { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_user_the_caller_looked_for_costs_one_call() {
    let world = bare().await;
    for number in 0..10 {
        world
            .lms
            .create_user(&checked_student(number))
            .await
            .unwrap();
    }
    assert_eq!(world.site.calls().total, 10);
}

#[tokio::test]
async fn a_user_nobody_looked_for_costs_four_calls_and_one_if_it_exists() {
    let world = bare().await;
    world.lms.create_user(&student(1)).await.unwrap();
    assert_eq!(world.site.calls().total, 4);
    world.site.clear_calls();
    world.lms.create_user(&student(1)).await.unwrap();
    assert_eq!(world.site.calls().total, 1);
}

#[tokio::test]
async fn moodle_makes_the_password_and_everything_else_is_sent() {
    let site = Recorded::empty().await;
    site.answer(CREATE, json(r#"[{"id":57,"username":"student7"}]"#))
        .await;
    let id = site.lms.create_user(&checked_student(7)).await;
    assert_eq!(id, Ok(user_id(57)));
    let bodies = site.bodies().await;
    let pairs = form_urlencoded::parse(bodies[0].as_bytes()).into_owned();
    let user: Vec<(String, String)> = pairs.filter(|(key, _)| key.starts_with("users")).collect();
    let expected = [
        ("users[0][username]", "student7"),
        ("users[0][firstname]", "Nadia"),
        ("users[0][lastname]", "Newman"),
        ("users[0][email]", "student7@students.college.example"),
        ("users[0][idnumber]", "900000000000007"),
        ("users[0][auth]", "manual"),
        ("users[0][createpassword]", "1"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(user, expected);
}

#[tokio::test]
async fn one_look_makes_good_for_a_lost_answer() {
    let world = bare().await;
    world.site.fault(Fault::once(CREATE, Effect::ResetAfter));
    world.lms.create_user(&checked_student(1)).await.unwrap();
    assert_eq!(ours(&world), ["900000000000001"]);
    assert_eq!(world.site.calls().total, 2);
}

/// reliability.md §4, fault 9: the answer to 30 % of the creations is lost after the commit.
#[tokio::test]
async fn five_hundred_creations_with_lost_answers_make_five_hundred_users() {
    let world = bare().await;
    world.site.fault(Fault {
        when: Matcher {
            probability: Some(0.3),
            seed: 7,
            ..Matcher::target(CREATE)
        },
        effect: Effect::ResetAfter,
    });
    let students: Vec<NewUser> = (0..500).map(checked_student).collect();
    let creations = students.iter().map(|student| created(&world, student));
    let ids: BTreeSet<MoodleUserId> = stream::iter(creations).buffer_unordered(8).collect().await;
    assert_eq!(ids.len(), 500);
    let idnumbers = ours(&world);
    assert_eq!(idnumbers.len(), 500);
    assert_eq!(BTreeSet::from_iter(idnumbers).len(), 500);
    let lost = world.site.calls().of("core_user_get_users_by_field");
    assert!(lost > 100, "only {lost} answers were lost");
}

/// Creates a user as a worker would: again, and looking, until it is there.
async fn created(world: &Simulated, student: &NewUser) -> MoodleUserId {
    let mut outcome = world.lms.create_user(student).await;
    let again = NewUser {
        checked: false,
        ..student.clone()
    };
    while let Err(error) = outcome {
        assert!(
            matches!(error, LmsError::UnknownOutcome { .. }),
            "{error:?}"
        );
        outcome = world.lms.create_user(&again).await;
    }
    outcome.unwrap()
}

#[tokio::test]
async fn a_creation_that_outlasts_our_patience_is_found_afterwards() {
    // Moodle sends its mail inside the call, after the commit: a slow mail server delays the answer.
    let site = Recorded::empty().await;
    let slow = json(r#"[{"id":57,"username":"student7"}]"#).set_delay(Duration::from_secs(5));
    site.answer(CREATE, slow).await;
    let settings = settings(&site.server.uri(), crate::recorded::TOKEN);
    let lms = client(settings.with_timeout(Duration::from_millis(200)));
    let unseen = lms.create_user(&checked_student(7)).await.unwrap_err();
    assert!(
        matches!(unseen, LmsError::UnknownOutcome { .. }),
        "{unseen:?}"
    );

    site.server.reset().await;
    let found = r#"[{"id":57,"username":"student7","idnumber":"900000000000007"}]"#;
    site.answer("core_user_get_users_by_field", json(found))
        .await;
    assert_eq!(lms.create_user(&student(7)).await, Ok(user_id(57)));
    assert_eq!(site.calls(CREATE).await, 0);
}

#[tokio::test]
async fn an_outage_of_the_look_leaves_the_doubt_as_it_is() {
    let world = bare().await;
    world.site.fault(Fault::once(CREATE, Effect::ResetAfter));
    world.site.fault(Fault::always(Effect::ResetBefore));
    let error = world
        .lms
        .create_user(&checked_student(1))
        .await
        .unwrap_err();
    assert!(
        matches!(error, LmsError::UnknownOutcome { .. }),
        "{error:?}"
    );
    world.site.clear_faults();
    world.lms.create_user(&student(1)).await.unwrap();
    assert_eq!(ours(&world).len(), 1);
}

/// Two processes race for one person, as after a lease that was lost and taken over.
#[tokio::test]
async fn the_loser_of_a_race_between_processes_finds_the_winners_user() {
    for version in [MoodleVersion::V4_5, MoodleVersion::V5_1] {
        let world = simulated_with(MoodleOptions {
            version,
            race_window: Some(Duration::from_millis(100)),
            ..MoodleOptions::default()
        })
        .await;
        let other = client(settings(world.site.base_url(), world.site.token()));
        let user = checked_student(1);
        let (first, second) = join(world.lms.create_user(&user), other.create_user(&user)).await;
        assert_eq!(first.unwrap(), second.unwrap());
        let made = ours(&world).into_iter();
        assert_eq!(made.filter(|id| id == "900000000000001").count(), 1);
    }
}

/// In one process the locks hold even where Moodle's own checks race.
#[tokio::test]
async fn within_a_process_no_race_makes_a_duplicate() {
    let world = simulated_with(MoodleOptions {
        content: Content::Bare,
        race_window: Some(Duration::from_millis(30)),
        ..MoodleOptions::default()
    })
    .await;
    let crowd: Vec<NewUser> = (0..6)
        .map(|number| {
            let mut user = checked_student(number);
            user.account.email = "Same@students.college.example".into();
            user
        })
        .collect();
    let tries = crowd.iter().map(|user| world.lms.create_user(user));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let courses: Vec<_> = (0..6).map(|_| course(1)).collect();
    let tries = courses.iter().map(|course| world.lms.create_course(course));
    let outcomes = futures_util::future::join_all(tries).await;
    assert!(
        outcomes.iter().all(|outcome| *outcome == outcomes[0]),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_key_somebody_without_an_id_number_has_is_taken() {
    let world = bare().await;
    let holder = student(1).account;
    world.site.add_user(User {
        username: holder.username,
        email: "Josephine_B@students.college.example".into(),
        ..User::default()
    });
    for checked in [false, true] {
        let mut same_username = student(1);
        same_username.checked = checked;
        let outcome = world.lms.create_user(&same_username).await;
        assert_eq!(code(outcome), refusal::USERNAME_TAKEN);
        let mut same_email = student(2);
        same_email.account.email = "JOSEPHINE_b@students.college.example".into();
        same_email.checked = checked;
        let outcome = world.lms.create_user(&same_email).await;
        assert_eq!(code(outcome), refusal::EMAIL_TAKEN);
    }
    assert_eq!(ours(&world), Vec::<String>::new());
}

#[tokio::test]
async fn an_address_that_only_fits_as_a_pattern_is_not_taken() {
    let world = bare().await;
    world.site.add_user(User {
        username: "somebody".into(),
        email: "studentX1@students.college.example".into(),
        ..User::default()
    });
    let mut user = student(1);
    user.account.email = "student_1@students.college.example".into();
    world.lms.create_user(&user).await.unwrap();
}

#[tokio::test]
async fn what_no_column_holds_is_refused_before_it_is_sent() {
    let world = bare().await;
    let mut user = student(1);
    user.account.first_name = "é".repeat(100);
    world.lms.create_user(&user).await.unwrap();
    world.site.clear_calls();
    let mut user = student(2);
    user.account.first_name = "é".repeat(101);
    assert_eq!(code(world.lms.create_user(&user).await), "too_long");
    assert_eq!(world.site.calls().total, 0);
}

#[tokio::test]
async fn a_course_is_laid_out_by_weeks_and_starts_when_it_should() {
    let world = simulated(MoodleVersion::V5_1).await;
    let mut new = course(1);
    new.starts_at = chrono::DateTime::from_timestamp(1_788_220_800, 0);
    let id = world.lms.create_course(&new).await.unwrap();
    let made = world.site.course(u64::try_from(id.get()).unwrap()).unwrap();
    assert_eq!(made.format, "weeks");
    assert_eq!(made.start_date, 1_788_220_800);
    let body = world.site.calls().last.last().unwrap().body.clone();
    let numsections = form_urlencoded::parse(&body)
        .find(|(key, _)| key == "courses[0][numsections]")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(numsections, "12");
}

#[tokio::test]
async fn a_course_costs_two_calls_one_if_it_exists_and_three_if_its_short_name_is_taken() {
    let world = simulated(MoodleVersion::V5_1).await;
    world.lms.create_course(&course(1)).await.unwrap();
    assert_eq!(world.site.calls().total, 2);
    world.site.clear_calls();
    world.lms.create_course(&course(1)).await.unwrap();
    assert_eq!(world.site.calls().total, 1);
    world.site.clear_calls();
    let mut other = course(2);
    other.shortname = course(1).shortname;
    let outcome = world.lms.create_course(&other).await;
    assert_eq!(code(outcome), refusal::SHORTNAME_TAKEN);
    assert_eq!(world.site.calls().total, 3);
}

/// Another process made it between our look and our creation.
#[tokio::test]
async fn a_course_that_appears_meanwhile_is_found() {
    for version in VERSIONS {
        let fixture = "create_courses_duplicate_idnumber";
        let site = Recorded::with(version, fixture, "core_course_create_courses").await;
        let appeared = r#"{"courses":[{"id":9,"idnumber":"zoho:900000000000001",
            "shortname":"PROG-1","fullname":"Programming, autumn"}]}"#;
        let look = "core_course_get_courses_by_field";
        site.answer_once(look, json(r#"{"courses":[]}"#)).await;
        site.answer(look, json(appeared)).await;
        assert_eq!(site.lms.create_course(&course(1)).await, Ok(course_id(9)));
    }
}
