//! A learning platform in memory: it keeps users, courses and enrolments, applies Moodle's rules
//! to them, and fails when a test tells it to.

mod script;
mod state;

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{
    MoodleCategoryId, MoodleCourseId, MoodleRoleId, MoodleUserId, account::Candidate,
    course::FoundCourse,
};

pub use self::script::{LmsFault, LmsVerb};
use self::{script::Script, state::State};
use super::time::lock;
use crate::{
    error::LmsError,
    lms::{
        Category, CourseKey, CourseUpdate, Enrolment, Lms, NewCourse, NewUser, Site, UserKey,
        UserUpdate,
    },
};

/// A learning platform in memory.
///
/// It begins with Moodle's guest (user 1) and administrator (user 2), category 1, and the roles
/// 3 (teacher) and 5 (student).
pub struct FakeLms {
    state: Mutex<State>,
    script: Mutex<Script>,
}

/// A course as the fake holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeCourse {
    /// What a look-up finds.
    pub found: FoundCourse,
    /// Where it is.
    pub category: MoodleCategoryId,
    /// Its first moment.
    pub starts_at: Option<DateTime<Utc>>,
}

impl Default for FakeLms {
    fn default() -> Self {
        Self {
            state: Mutex::new(State::new()),
            script: Mutex::default(),
        }
    }
}

/// Arranging a test.
impl FakeLms {
    /// A site without courses or people.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a user there, as somebody else would have; an empty ID number means none.
    pub fn add_user(&self, username: &str, email: &str, idnumber: &str) -> MoodleUserId {
        lock(&self.state).add_user(username, email, idnumber)
    }

    /// Removes a user and its enrolments, as an administrator would.
    pub fn remove_user(&self, user: MoodleUserId) {
        let mut state = lock(&self.state);
        state.users.remove(&user);
        state.enrolments.retain(|(_, who), _| *who != user);
    }

    /// Puts a course there, as somebody else would have; an empty ID number means none.
    pub fn add_course(&self, idnumber: &str, shortname: &str, fullname: &str) -> MoodleCourseId {
        lock(&self.state).add_course(idnumber, shortname, fullname)
    }

    /// Removes a course and its enrolments, as an administrator would.
    pub fn remove_course(&self, course: MoodleCourseId) {
        let mut state = lock(&self.state);
        state.courses.remove(&course);
        state.enrolments.retain(|(place, _), _| *place != course);
    }

    /// Puts a category there.
    pub fn add_category(&self, id: MoodleCategoryId, name: &str) {
        let name = name.into();
        lock(&self.state).categories.push(Category { id, name });
    }

    /// Enrols somebody, as a teacher would.
    pub fn add_enrolment(&self, enrolment: Enrolment) {
        let key = (enrolment.course, enrolment.user);
        lock(&self.state).enrolments.insert(key, enrolment);
    }

    /// Lets the bridge give this role too.
    pub fn allow_role(&self, role: MoodleRoleId) {
        lock(&self.state).roles.insert(role);
    }

    /// Becomes another site.
    pub fn set_site(&self, site: Site) {
        lock(&self.state).site = site;
    }

    /// Makes every look-up of users answer nothing, as Moodle does without the capability.
    pub fn hide_users(&self, hidden: bool) {
        lock(&self.script).blind = hidden;
    }

    /// The next call, whichever it is, fails with this error and has no effect.
    pub fn fail_next(&self, error: LmsError) {
        self.script(None, LmsFault::Refuse(error));
    }

    /// The next call of this verb fails with this error and has no effect.
    pub fn fail_next_of(&self, verb: LmsVerb, error: LmsError) {
        self.script(Some(verb), LmsFault::Refuse(error));
    }

    /// Scripts a fault for the next call, or the next of a verb; each meets one call, in order.
    pub fn script(&self, on: Option<LmsVerb>, fault: LmsFault) {
        lock(&self.script).add(on, fault);
    }

    /// Every call fails with this error until `None` ends the outage.
    pub fn set_outage(&self, error: Option<LmsError>) {
        lock(&self.script).outage = error;
    }

    /// Every call takes this long, on tokio's clock.
    pub fn set_latency(&self, latency: Duration) {
        lock(&self.script).latency = latency;
    }
}

/// Asserting afterwards.
impl FakeLms {
    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<LmsVerb> {
        lock(&self.script).calls.clone()
    }

    /// How many calls of a verb were made.
    pub fn count(&self, verb: LmsVerb) -> usize {
        let script = lock(&self.script);
        script.calls.iter().filter(|call| **call == verb).count()
    }

    /// Every user but the guest and the administrator, by id.
    pub fn users(&self) -> Vec<Candidate> {
        let state = lock(&self.state);
        let people = state.users.values();
        let people = people.filter(|user| !state.is_the_sites_own(user.id));
        people.cloned().collect()
    }

    /// One user.
    pub fn user(&self, id: MoodleUserId) -> Option<Candidate> {
        lock(&self.state).users.get(&id).cloned()
    }

    /// Every course, by id.
    pub fn courses(&self) -> Vec<FakeCourse> {
        lock(&self.state).courses.values().cloned().collect()
    }

    /// One course.
    pub fn course(&self, id: MoodleCourseId) -> Option<FakeCourse> {
        lock(&self.state).courses.get(&id).cloned()
    }

    /// Every enrolment, by course and user.
    pub fn enrolments(&self) -> Vec<Enrolment> {
        lock(&self.state).enrolments.values().copied().collect()
    }

    /// One enrolment.
    pub fn enrolment(&self, user: MoodleUserId, course: MoodleCourseId) -> Option<Enrolment> {
        let state = lock(&self.state);
        state.enrolments.get(&(course, user)).copied()
    }
}

#[async_trait]
impl Lms for FakeLms {
    async fn site(&self) -> Result<Site, LmsError> {
        self.read(LmsVerb::Site, |state| state.site.clone()).await
    }

    async fn users_by(&self, key: UserKey, values: &[String]) -> Result<Vec<Candidate>, LmsError> {
        let found = |state: &State| state.users_by(key, values);
        let found = self.read(LmsVerb::UsersBy, found).await?;
        let blind = lock(&self.script).blind;
        Ok(if blind { Vec::new() } else { found })
    }

    async fn create_user(&self, user: &NewUser) -> Result<MoodleUserId, LmsError> {
        self.write(LmsVerb::CreateUser, |state| state.create_user(user))
            .await
    }

    async fn update_users(
        &self,
        updates: &[UserUpdate],
    ) -> Result<Vec<Result<(), LmsError>>, LmsError> {
        self.write_each(LmsVerb::UpdateUsers, updates, State::update_user)
            .await
    }

    async fn courses_by(&self, key: CourseKey, value: &str) -> Result<Vec<FoundCourse>, LmsError> {
        let found = |state: &State| state.courses_by(key, value);
        self.read(LmsVerb::CoursesBy, found).await
    }

    async fn create_course(&self, course: &NewCourse) -> Result<MoodleCourseId, LmsError> {
        self.write(LmsVerb::CreateCourse, |state| state.create_course(course))
            .await
    }

    async fn update_course(
        &self,
        id: MoodleCourseId,
        update: &CourseUpdate,
    ) -> Result<(), LmsError> {
        let change = |state: &mut State| state.update_course(id, update);
        self.write(LmsVerb::UpdateCourse, change).await
    }

    async fn categories(&self) -> Result<Vec<Category>, LmsError> {
        self.read(LmsVerb::Categories, |state| state.categories.clone())
            .await
    }

    async fn enrol(&self, enrolments: &[Enrolment]) -> Result<Vec<Result<(), LmsError>>, LmsError> {
        self.write_each(LmsVerb::Enrol, enrolments, State::enrol)
            .await
    }

    async fn enrolled_in(&self, course: MoodleCourseId) -> Result<Vec<MoodleUserId>, LmsError> {
        let people = |state: &State| state.enrolled_in(course);
        self.read(LmsVerb::EnrolledIn, people).await?
    }

    async fn courses_of(&self, user: MoodleUserId) -> Result<Vec<MoodleCourseId>, LmsError> {
        let places = |state: &State| {
            let seats = state.enrolments.values();
            let active = seats.filter(|seat| seat.user == user && !seat.suspended);
            active.map(|seat| seat.course).collect()
        };
        self.read(LmsVerb::CoursesOf, places).await
    }
}

impl FakeLms {
    async fn begin(&self, verb: LmsVerb) -> Result<Option<LmsFault>, LmsError> {
        let (latency, verdict) = lock(&self.script).meet(verb);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        verdict
    }

    async fn read<T>(&self, verb: LmsVerb, look: impl FnOnce(&State) -> T) -> Result<T, LmsError> {
        self.begin(verb).await?;
        Ok(look(&lock(&self.state)))
    }

    async fn write<T>(
        &self,
        verb: LmsVerb,
        change: impl FnOnce(&mut State) -> Result<T, LmsError>,
    ) -> Result<T, LmsError> {
        let fault = self.begin(verb).await?;
        let outcome = change(&mut lock(&self.state));
        answer_unless_lost(fault.as_ref(), outcome)
    }

    async fn write_each<R: Sync>(
        &self,
        verb: LmsVerb,
        rows: &[R],
        change: impl Fn(&mut State, &R) -> Result<(), LmsError>,
    ) -> Result<Vec<Result<(), LmsError>>, LmsError> {
        let fault = self.begin(verb).await?;
        let mut state = lock(&self.state);
        let one = |(place, row)| match &fault {
            Some(LmsFault::RefuseItem { at, error }) if *at == place => Err(error.clone()),
            _ => change(&mut state, row),
        };
        let outcomes = rows.iter().enumerate().map(one).collect();
        answer_unless_lost(fault.as_ref(), Ok(outcomes))
    }
}

fn answer_unless_lost<T>(
    fault: Option<&LmsFault>,
    outcome: Result<T, LmsError>,
) -> Result<T, LmsError> {
    if matches!(fault, Some(LmsFault::LoseAnswer)) {
        let reason = "the connection ended before the answer".into();
        return Err(LmsError::UnknownOutcome { reason });
    }
    outcome
}

#[cfg(test)]
mod tests;
