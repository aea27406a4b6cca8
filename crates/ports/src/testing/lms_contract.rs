//! What every learning platform behind the port must do, one function a promise.
//!
//! Run it with [`lms_contract!`](crate::lms_contract): over the fake, over a simulator, over a
//! real Moodle. Every function makes people and courses of its own, so they may share one site.

#![expect(
    clippy::unwrap_used,
    reason = "a contract test stops at the first surprise"
)]

mod courses;
mod enrolments;
mod users;

use async_trait::async_trait;
use mzi_domain::{
    MoodleCategoryId, MoodleCourseId, MoodleRoleId, MoodleUserId, ZohoId, account::DesiredAccount,
};

pub use self::{courses::*, enrolments::*, users::*};
use crate::{
    error::LmsError,
    lms::{Enrolment, Lms, NewCourse, NewUser},
};

/// One learning platform to hold to its promises.
#[async_trait]
pub trait LmsHarness: Send + Sync {
    /// The platform.
    fn lms(&self) -> &dyn Lms;

    /// A number nobody has used on this site, in this run or an earlier one.
    fn fresh(&self) -> u64;

    /// A category in which courses may be made.
    fn category(&self) -> MoodleCategoryId;

    /// A role that may be given.
    fn student(&self) -> MoodleRoleId;

    /// The next creation or change takes effect, but its answer is lost on the way.
    async fn lose_next_answer(&self);
}

/// Makes one test of each promise.
///
/// Takes the path of an `async fn() -> impl LmsHarness`, and attributes for every test:
/// `lms_contract!(world, #[ignore = "…"]);`. The calling crate needs tokio's test macro.
#[macro_export]
macro_rules! lms_contract {
    ($harness:path $(, #[$attribute:meta])*) => {
        $crate::lms_contract! { @each $harness, [$(#[$attribute])*],
            the_site_names_itself,
            users_are_found_by_every_key,
            any_number_of_values_may_be_looked_up,
            a_blank_or_unknown_value_finds_nobody,
            a_second_creation_of_a_user_answers_the_first,
            a_user_wanted_many_times_at_once_is_created_once,
            a_user_whose_creation_went_unanswered_is_created_once,
            a_taken_username_is_named,
            a_taken_email_is_named,
            of_two_people_with_one_email_at_once_one_is_created,
            changed_users_read_back_changed,
            one_bad_change_among_users_leaves_the_good_ones,
            a_change_to_a_taken_key_is_named,
            courses_are_found_by_every_key,
            the_sites_own_course_is_never_found,
            a_second_creation_of_a_course_answers_the_first,
            a_course_wanted_many_times_at_once_is_created_once,
            a_course_whose_creation_went_unanswered_is_created_once,
            a_taken_shortname_is_named,
            an_unknown_category_is_named,
            a_changed_course_reads_back_changed,
            a_change_of_an_unknown_course_is_named,
            categories_are_listed,
            enrolled_people_are_listed,
            a_bad_enrolment_among_good_ones_is_found_and_the_others_kept,
            enrolling_twice_changes_only_the_suspension,
            a_role_that_may_not_be_given_is_forbidden,
            an_unknown_course_has_nobody_to_list,
        }
    };
    (@each $harness:path, $attributes:tt, $($promise:ident),* $(,)?) => {
        $($crate::lms_contract! { @one $harness, $attributes, $promise })*
    };
    (@one $harness:path, [$($attribute:tt)*], $promise:ident) => {
        $($attribute)*
        #[tokio::test]
        async fn $promise() {
            $crate::testing::lms_contract::$promise(&$harness().await).await;
        }
    };
}

/// Somebody nobody has heard of, whom the caller has not looked for.
pub fn newcomer(world: &dyn LmsHarness) -> NewUser {
    let number = world.fresh();
    NewUser {
        account: DesiredAccount {
            idnumber: ZohoId::parse(&number.to_string()).unwrap(),
            username: format!("student{number}"),
            email: format!("student{number}@students.college.example"),
            first_name: "Nadia".into(),
            last_name: "O'Neil & Sons".into(),
        },
        auth: "manual".into(),
        checked: false,
    }
}

/// A course nobody has heard of.
pub fn new_course(world: &dyn LmsHarness) -> NewCourse {
    let number = world.fresh();
    NewCourse {
        idnumber: format!("zoho:{number}"),
        fullname: format!("Research & Skills, group {number}"),
        shortname: format!("R&S-{number}"),
        category: world.category(),
        starts_at: None,
    }
}

/// A user and the id it got.
async fn joined(world: &dyn LmsHarness) -> (MoodleUserId, NewUser) {
    let user = newcomer(world);
    let id = world.lms().create_user(&user).await.unwrap();
    (id, user)
}

/// The id of a course just made.
async fn opened(world: &dyn LmsHarness) -> MoodleCourseId {
    let course = new_course(world);
    world.lms().create_course(&course).await.unwrap()
}

fn seat(world: &dyn LmsHarness, user: MoodleUserId, course: MoodleCourseId) -> Enrolment {
    Enrolment {
        user,
        course,
        role: world.student(),
        suspended: false,
    }
}

/// An id that no user has.
fn no_user() -> MoodleUserId {
    MoodleUserId::new(999_999_999).unwrap()
}

/// An id that no course has.
fn no_course() -> MoodleCourseId {
    MoodleCourseId::new(999_999_999).unwrap()
}

/// The code of a refusal.
fn refusal_of<T: std::fmt::Debug>(outcome: Result<T, LmsError>) -> String {
    match outcome.unwrap_err() {
        LmsError::Rejected { code, .. } => code,
        other => format!("not a refusal: {other:?}"),
    }
}

/// An unanswered call may only have succeeded or say that nobody knows.
fn is_honest<T>(outcome: &Result<T, LmsError>) -> bool {
    matches!(outcome, Ok(_) | Err(LmsError::UnknownOutcome { .. }))
}

/// Ids are stored under the address, so it has one spelling.
pub async fn the_site_names_itself(world: &dyn LmsHarness) {
    let site = world.lms().site().await.unwrap();
    assert!(site.url.starts_with("http"), "{}", site.url);
    assert!(!site.url.ends_with('/'), "{}", site.url);
    assert!(!site.release.is_empty());
}
