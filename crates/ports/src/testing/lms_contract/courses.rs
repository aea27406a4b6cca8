//! Promises about courses.

use chrono::{TimeZone, Utc};
use futures_util::future::join_all;
use mzi_domain::{MoodleCategoryId, MoodleCourseId};

use super::{LmsHarness, is_honest, new_course, no_course, opened, refusal_of};
use crate::lms::{CourseKey, CourseUpdate, NewCourse, refusal};

pub async fn courses_are_found_by_every_key(world: &dyn LmsHarness) {
    let course = new_course(world);
    let id = world.lms().create_course(&course).await.unwrap();
    let keys = [
        (CourseKey::Id, id.to_string()),
        (CourseKey::IdNumber, course.idnumber.clone()),
        (CourseKey::ShortName, course.shortname.clone()),
    ];
    for (key, value) in keys {
        let found = world.lms().courses_by(key, &value).await.unwrap();
        let [found] = found.as_slice() else {
            panic!("{key:?} found {found:?}");
        };
        assert_eq!(found.id, id);
        assert_eq!(found.idnumber, course.idnumber);
        assert_eq!(found.shortname, course.shortname);
        assert_eq!(found.fullname, course.fullname);
    }
}

/// Course 1 is the front page, and a blank value would find every course without an ID number.
pub async fn the_sites_own_course_is_never_found(world: &dyn LmsHarness) {
    for (key, value) in [
        (CourseKey::Id, "1"),
        (CourseKey::IdNumber, ""),
        (CourseKey::ShortName, " "),
    ] {
        let found = world.lms().courses_by(key, value).await.unwrap();
        assert_eq!(found, [], "{key:?} {value:?}");
    }
}

pub async fn a_second_creation_of_a_course_answers_the_first(world: &dyn LmsHarness) {
    let course = new_course(world);
    let id = world.lms().create_course(&course).await.unwrap();
    assert_eq!(world.lms().create_course(&course).await, Ok(id));
    assert_eq!(with_idnumber_of(world, &course).await, [id]);
}

/// Moodle alone lets 5 to 6 of 6 through (contracts/moodle.md, "Races").
pub async fn a_course_wanted_many_times_at_once_is_created_once(world: &dyn LmsHarness) {
    let course = new_course(world);
    let tries = (0..6).map(|_| world.lms().create_course(&course));
    let ids = join_all(tries).await;
    let first = ids.first().unwrap().clone().unwrap();
    assert!(ids.iter().all(|id| *id == Ok(first)), "{ids:?}");
    assert_eq!(with_idnumber_of(world, &course).await, [first]);
}

pub async fn a_course_whose_creation_went_unanswered_is_created_once(world: &dyn LmsHarness) {
    let course = new_course(world);
    world.lose_next_answer().await;
    let first = world.lms().create_course(&course).await;
    assert!(is_honest(&first), "{first:?}");
    let second = world.lms().create_course(&course).await.unwrap();
    assert!(first.is_err() || first == Ok(second), "{first:?}");
    assert_eq!(with_idnumber_of(world, &course).await, [second]);
}

pub async fn a_taken_shortname_is_named(world: &dyn LmsHarness) {
    let holder = new_course(world);
    world.lms().create_course(&holder).await.unwrap();
    let other = NewCourse {
        shortname: holder.shortname,
        ..new_course(world)
    };
    let outcome = world.lms().create_course(&other).await;
    assert_eq!(refusal_of(outcome), refusal::SHORTNAME_TAKEN);
    assert_eq!(with_idnumber_of(world, &other).await, []);
}

pub async fn an_unknown_category_is_named(world: &dyn LmsHarness) {
    let course = NewCourse {
        category: MoodleCategoryId::new(999_999_999).unwrap(),
        ..new_course(world)
    };
    let outcome = world.lms().create_course(&course).await;
    assert_eq!(refusal_of(outcome), refusal::UNKNOWN_CATEGORY);
}

pub async fn a_changed_course_reads_back_changed(world: &dyn LmsHarness) {
    let id = opened(world).await;
    let wanted = new_course(world);
    let update = CourseUpdate {
        idnumber: Some(wanted.idnumber.clone()),
        fullname: Some(wanted.fullname.clone()),
        shortname: Some(wanted.shortname.clone()),
        category: Some(wanted.category),
        starts_at: Utc.with_ymd_and_hms(2026, 9, 1, 0, 0, 0).single(),
    };
    assert_eq!(world.lms().update_course(id, &update).await, Ok(()));
    assert_eq!(with_idnumber_of(world, &wanted).await, [id]);
    let found = world.lms().courses_by(CourseKey::Id, &id.to_string()).await;
    let found = found.unwrap().pop().unwrap();
    assert_eq!(found.shortname, wanted.shortname);
    assert_eq!(found.fullname, wanted.fullname);
}

pub async fn a_change_of_an_unknown_course_is_named(world: &dyn LmsHarness) {
    let renamed = |name: &str| CourseUpdate {
        shortname: Some(name.to_owned()),
        ..CourseUpdate::default()
    };
    let outcome = world.lms().update_course(no_course(), &renamed("X")).await;
    assert_eq!(refusal_of(outcome), refusal::UNKNOWN_COURSE);

    let holder = new_course(world);
    world.lms().create_course(&holder).await.unwrap();
    let other = opened(world).await;
    let taken = renamed(&holder.shortname);
    let outcome = world.lms().update_course(other, &taken).await;
    assert_eq!(refusal_of(outcome), refusal::SHORTNAME_TAKEN);
}

pub async fn categories_are_listed(world: &dyn LmsHarness) {
    let categories = world.lms().categories().await.unwrap();
    let ours = categories.iter().find(|one| one.id == world.category());
    assert!(!ours.unwrap().name.is_empty());
}

async fn with_idnumber_of(world: &dyn LmsHarness, course: &NewCourse) -> Vec<MoodleCourseId> {
    let found = world
        .lms()
        .courses_by(CourseKey::IdNumber, &course.idnumber)
        .await;
    found.unwrap().iter().map(|course| course.id).collect()
}
