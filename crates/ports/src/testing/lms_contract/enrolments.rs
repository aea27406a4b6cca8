//! Promises about enrolments.

use mzi_domain::MoodleRoleId;

use super::{LmsHarness, joined, no_course, no_user, opened, refusal_of, seat};
use crate::{
    error::LmsError,
    lms::{Enrolment, refusal},
};

pub async fn enrolled_people_are_listed(world: &dyn LmsHarness) {
    let course = opened(world).await;
    let (first, _) = joined(world).await;
    let (last, _) = joined(world).await;
    assert_eq!(world.lms().enrolled_in(course).await, Ok(Vec::new()));
    let seats = [first, last].map(|user| seat(world, user, course));
    assert_eq!(world.lms().enrol(&seats).await, Ok(vec![Ok(()), Ok(())]));
    let mut people = world.lms().enrolled_in(course).await.unwrap();
    people.sort();
    assert_eq!(people, [first, last]);
    assert_eq!(world.lms().courses_of(first).await, Ok(vec![course]));
    assert_eq!(world.lms().enrol(&[]).await, Ok(Vec::new()));
}

/// Moodle rolls a batch back as a whole (`enrol_batch_second_fails`).
pub async fn a_bad_enrolment_among_good_ones_is_found_and_the_others_kept(world: &dyn LmsHarness) {
    let course = opened(world).await;
    let (first, _) = joined(world).await;
    let (last, _) = joined(world).await;
    let seats = [
        seat(world, first, course),
        seat(world, no_user(), course),
        seat(world, first, no_course()),
        seat(world, last, course),
    ];
    let outcomes = world.lms().enrol(&seats).await.unwrap();
    let [Ok(()), Err(user), Err(place), Ok(())] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(refusal_of::<()>(Err(user.clone())), refusal::UNKNOWN_USER);
    assert_eq!(
        refusal_of::<()>(Err(place.clone())),
        refusal::UNKNOWN_COURSE
    );
    let mut people = world.lms().enrolled_in(course).await.unwrap();
    people.sort();
    assert_eq!(people, [first, last]);
}

pub async fn enrolling_twice_changes_only_the_suspension(world: &dyn LmsHarness) {
    let course = opened(world).await;
    let (user, _) = joined(world).await;
    let active = seat(world, user, course);
    let suspended = Enrolment {
        suspended: true,
        ..active
    };
    for (wanted, courses) in [
        (active, vec![course]),
        (suspended, vec![]),
        (suspended, vec![]),
        (active, vec![course]),
    ] {
        assert_eq!(world.lms().enrol(&[wanted]).await, Ok(vec![Ok(())]));
        assert_eq!(world.lms().courses_of(user).await, Ok(courses));
        assert_eq!(world.lms().enrolled_in(course).await, Ok(vec![user]));
    }
}

pub async fn a_role_that_may_not_be_given_is_forbidden(world: &dyn LmsHarness) {
    let course = opened(world).await;
    let (user, _) = joined(world).await;
    let seat = Enrolment {
        role: MoodleRoleId::new(999_999).unwrap(),
        ..seat(world, user, course)
    };
    let outcomes = world.lms().enrol(&[seat]).await.unwrap();
    assert!(
        matches!(outcomes.as_slice(), [Err(LmsError::Forbidden { .. })]),
        "{outcomes:?}"
    );
    assert_eq!(world.lms().enrolled_in(course).await, Ok(Vec::new()));
}

pub async fn an_unknown_course_has_nobody_to_list(world: &dyn LmsHarness) {
    let people = world.lms().enrolled_in(no_course()).await;
    assert_eq!(refusal_of(people), refusal::UNKNOWN_COURSE);
    assert_eq!(world.lms().courses_of(no_user()).await, Ok(Vec::new()));
}
