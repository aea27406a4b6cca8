//! Moodle's web services behind the [`Lms`] port.
//!
//! What real sites answer is recorded in `contracts/moodle.md`; three of its surprises shape this
//! crate. Every refusal is HTTP 200, so `transport` turns answers into errors and nobody else
//! looks at them. Parallel creations make duplicates, so creations are serialised by key
//! (`locks`). One bad row rolls a whole batch back, so batches are halved until it is found
//! (`batch`).
//!
//! What a call costs: looking users up one call per 50 values, creating a user one call when the
//! caller has looked ([`NewUser::checked`]) and four when not, enrolling one call per 50 people.

mod batch;
mod courses;
mod enrolments;
mod exception;
mod form;
mod function;
mod limiter;
mod locks;
mod settings;
mod text;
mod transport;
mod users;
mod wire;

use async_trait::async_trait;
use mzi_domain::{MoodleCourseId, MoodleUserId, account::Candidate, course::FoundCourse};
use mzi_ports::{
    LmsError,
    lms::{
        Category, CourseKey, CourseUpdate, Enrolment, Lms, NewCourse, NewUser, Site, UserKey,
        UserUpdate,
    },
};

pub use self::settings::{InvalidSettings, MoodleSettings, PlainHttp};
use self::{form::Form, function::Function, locks::KeyedLocks, transport::Transport};

/// How many rows or values one call carries (50 look-ups take 160 ms, contracts/moodle.md §6).
const ROWS_PER_CALL: usize = 50;

/// A Moodle site, spoken to through its REST web services.
pub struct MoodleWs {
    transport: Transport,
    /// Held while a person is created: ID number, username and e-mail address.
    people: KeyedLocks,
    /// Held while a course is created: ID number and short name.
    places: KeyedLocks,
}

impl MoodleWs {
    /// Speaks to the site of `settings` through `http`.
    ///
    /// The client should set a connection timeout and must not follow redirects, which would
    /// carry the token to another address.
    pub fn new(settings: MoodleSettings, http: reqwest::Client) -> Self {
        Self {
            transport: Transport::new(settings, http),
            people: KeyedLocks::default(),
            places: KeyedLocks::default(),
        }
    }
}

#[async_trait]
impl Lms for MoodleWs {
    async fn site(&self) -> Result<Site, LmsError> {
        let info: wire::SiteInfo = self
            .transport
            .call(Function::SiteInfo, Form::default())
            .await?;
        Ok(info.into())
    }

    async fn users_by(&self, key: UserKey, values: &[String]) -> Result<Vec<Candidate>, LmsError> {
        self.find_users(key, values).await
    }

    async fn create_user(&self, user: &NewUser) -> Result<MoodleUserId, LmsError> {
        self.create_user_once(user).await
    }

    async fn update_users(
        &self,
        updates: &[UserUpdate],
    ) -> Result<Vec<Result<(), LmsError>>, LmsError> {
        self.change_users(updates).await
    }

    async fn courses_by(&self, key: CourseKey, value: &str) -> Result<Vec<FoundCourse>, LmsError> {
        self.find_courses(key, value).await
    }

    async fn create_course(&self, course: &NewCourse) -> Result<MoodleCourseId, LmsError> {
        self.create_course_once(course).await
    }

    async fn update_course(
        &self,
        id: MoodleCourseId,
        update: &CourseUpdate,
    ) -> Result<(), LmsError> {
        self.change_course(id, update).await
    }

    async fn categories(&self) -> Result<Vec<Category>, LmsError> {
        self.list_categories().await
    }

    async fn enrol(&self, enrolments: &[Enrolment]) -> Result<Vec<Result<(), LmsError>>, LmsError> {
        self.enrol_each(enrolments).await
    }

    async fn enrolled_in(&self, course: MoodleCourseId) -> Result<Vec<MoodleUserId>, LmsError> {
        self.list_enrolled(course).await
    }

    async fn courses_of(&self, user: MoodleUserId) -> Result<Vec<MoodleCourseId>, LmsError> {
        self.list_courses_of(user).await
    }
}
