//! Many rows at once.

use mzi_domain::MoodleUserId;
use mzi_ports::{
    Lms, LmsError,
    lms::{Enrolment, UserUpdate, refusal},
};
use mzi_simulators::moodle::{Course, MoodleVersion, User};
use wiremock::ResponseTemplate;

use crate::{
    recorded::{Recorded, json, recording},
    samples::{change, course_id, seat, user_id},
    world::{Simulated, simulated},
};

const ENROL: &str = "enrol_manual_enrol_users";
const UPDATE: &str = "core_user_update_users";

/// A site with this many students and a course for them.
async fn school(students: u64) -> (Simulated, Vec<MoodleUserId>, i64) {
    let world = simulated(MoodleVersion::V5_1).await;
    let people = (0..students).map(|number| {
        let user = User {
            username: format!("pupil{number}"),
            email: format!("pupil{number}@students.college.example"),
            ..User::default()
        };
        let id = world.site.add_user(user).unwrap();
        user_id(i64::try_from(id).unwrap())
    });
    let people = people.collect();
    let course = world.site.add_course(Course {
        shortname: "SCHOOL".into(),
        fullname: "School".into(),
        category_id: 1,
        ..Course::default()
    });
    (world, people, i64::try_from(course).unwrap())
}

/// reliability.md §4, fault 10: one bad row in a hundred, at each position.
#[tokio::test]
async fn one_bad_enrolment_in_a_hundred_costs_at_most_sixteen_further_calls() {
    let (world, people, course) = school(100).await;
    for bad in [0, 1, 24, 25, 49, 50, 77, 98, 99] {
        let mut seats: Vec<Enrolment> = people
            .iter()
            .map(|user| seat(*user, course_id(course)))
            .collect();
        seats[bad].user = user_id(999_999);
        world.site.clear_calls();
        let outcomes = world.lms.enrol(&seats).await.unwrap();
        let failed: Vec<usize> = (0..100).filter(|row| outcomes[*row].is_err()).collect();
        assert_eq!(failed, [bad]);
        let Err(LmsError::Rejected { code, .. }) = &outcomes[bad] else {
            panic!("{:?}", outcomes[bad]);
        };
        assert_eq!(code, refusal::UNKNOWN_USER);
        let calls = world.site.calls().of(ENROL);
        assert!(calls <= 2 + 16, "{calls} calls");
    }
    let enrolled = world.lms.enrolled_in(course_id(course)).await.unwrap();
    assert_eq!(enrolled.len(), 100);
}

#[tokio::test]
async fn suspension_is_always_said_and_times_never() {
    let site = Recorded::empty().await;
    site.answer(ENROL, json("null")).await;
    let active = seat(user_id(57), course_id(2));
    let suspended = Enrolment {
        suspended: true,
        ..seat(user_id(58), course_id(2))
    };
    let outcomes = site.lms.enrol(&[active, suspended]).await;
    assert_eq!(outcomes, Ok(vec![Ok(()), Ok(())]));
    let bodies = site.bodies().await;
    let pairs = form_urlencoded::parse(bodies[0].as_bytes()).into_owned();
    let rows: Vec<(String, String)> = pairs.filter(|(key, _)| key.starts_with("enrol")).collect();
    let expected = [
        ("enrolments[0][roleid]", "5"),
        ("enrolments[0][userid]", "57"),
        ("enrolments[0][courseid]", "2"),
        ("enrolments[0][suspend]", "0"),
        ("enrolments[1][roleid]", "5"),
        ("enrolments[1][userid]", "58"),
        ("enrolments[1][courseid]", "2"),
        ("enrolments[1][suspend]", "1"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_lost_race_of_enrolments_is_run_again() {
    let site = Recorded::empty().await;
    let refused = recording("5.1", "create_users_firstname_too_long");
    site.answer_once(ENROL, refused.clone()).await;
    site.answer(ENROL, json("null")).await;
    let outcomes = site.lms.enrol(&[seat(user_id(57), course_id(2))]).await;
    assert_eq!(outcomes, Ok(vec![Ok(())]));
    assert_eq!(site.calls(ENROL).await, 2);

    let site = Recorded::empty().await;
    site.answer(ENROL, refused).await;
    let outcomes = site
        .lms
        .enrol(&[seat(user_id(57), course_id(2))])
        .await
        .unwrap();
    assert!(
        matches!(outcomes.as_slice(), [Err(LmsError::Unavailable { .. })]),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_function_out_of_reach_is_not_looked_for_row_by_row() {
    let (world, people, course) = school(60).await;
    world.site.set_function(ENROL, false);
    let seats: Vec<Enrolment> = people
        .iter()
        .map(|user| seat(*user, course_id(course)))
        .collect();
    let error = world.lms.enrol(&seats).await.unwrap_err();
    assert!(matches!(error, LmsError::Forbidden { .. }), "{error:?}");
    assert_eq!(world.site.calls().of(ENROL), 1);
}

#[tokio::test]
async fn a_value_moodle_cannot_even_read_spoils_only_its_own_change() {
    let (world, people, _) = school(60).await;
    let mut changes: Vec<UserUpdate> = people
        .iter()
        .map(|user| {
            let mut change = change(*user);
            change.idnumber = None;
            change.fields.username = None;
            change.fields.email = None;
            change
        })
        .collect();
    changes[7].fields.username = Some("Not A Username".into());
    let outcomes = world.lms.update_users(&changes).await.unwrap();
    let failed: Vec<usize> = (0..60).filter(|row| outcomes[*row].is_err()).collect();
    assert_eq!(failed, [7]);
    let renamed = world.site.users().into_iter();
    assert_eq!(renamed.filter(|user| user.firstname == "Noor").count(), 59);
    assert!(world.site.calls().of(UPDATE) <= 2 + 12);
}

#[tokio::test]
async fn after_an_outage_in_the_middle_the_rest_is_not_tried() {
    let site = Recorded::empty().await;
    site.answer_once(ENROL, json("null")).await;
    site.answer(ENROL, ResponseTemplate::new(503)).await;
    let seats: Vec<Enrolment> = (1..=120)
        .map(|user| seat(user_id(user), course_id(2)))
        .collect();
    let outcomes = site.lms.enrol(&seats).await.unwrap();
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        50
    );
    assert_eq!(outcomes.len(), 120);
    assert_eq!(site.calls(ENROL).await, 2);
}
