//! The learning platform: what the bridge asks of Moodle.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{
    MoodleCategoryId, MoodleCourseId, MoodleRoleId, MoodleUserId,
    account::{AccountUpdate, Candidate, DesiredAccount},
    course::FoundCourse,
};

use crate::error::LmsError;

/// The learning platform.
#[async_trait]
pub trait Lms: Send + Sync {
    /// Which site the credentials belong to, and what they may call.
    async fn site(&self) -> Result<Site, LmsError>;

    /// Users with any of these values, compared exactly (e-mail ignoring case).
    ///
    /// - MUST accept any number of values and answer users in no particular order.
    /// - An empty answer does not prove absence to a caller without the capability.
    async fn users_by(&self, key: UserKey, values: &[String]) -> Result<Vec<Candidate>, LmsError>;

    /// Creates one user, which Moodle sends a password of its own making.
    ///
    /// - MUST NOT make a second user for the same ID number, also when an earlier attempt's
    ///   answer was lost: it looks before it creates (unless the caller has, see
    ///   [`NewUser::checked`]), and again after an unknown outcome.
    /// - MUST answer `Rejected` with [`refusal::USERNAME_TAKEN`] or [`refusal::EMAIL_TAKEN`] when
    ///   that is why.
    /// - MUST NOT run twice at once for one ID number, username or e-mail address.
    async fn create_user(&self, user: &NewUser) -> Result<MoodleUserId, LmsError>;

    /// Changes users; one outcome each, in order, read from Moodle's warnings.
    ///
    /// - MUST keep the good changes when one is bad.
    /// - MUST answer `Rejected` with [`refusal::UNKNOWN_USER`], [`refusal::USERNAME_TAKEN`] or
    ///   [`refusal::EMAIL_TAKEN`] when that is why.
    async fn update_users(
        &self,
        updates: &[UserUpdate],
    ) -> Result<Vec<Result<(), LmsError>>, LmsError>;

    /// Courses with this value; never the site's own course.
    async fn courses_by(&self, key: CourseKey, value: &str) -> Result<Vec<FoundCourse>, LmsError>;

    /// Creates one course.
    ///
    /// - MUST NOT make a second course for the same ID number (as for users).
    /// - MUST answer `Rejected` with [`refusal::SHORTNAME_TAKEN`] or [`refusal::UNKNOWN_CATEGORY`]
    ///   when that is why.
    async fn create_course(&self, course: &NewCourse) -> Result<MoodleCourseId, LmsError>;

    /// Changes one course.
    ///
    /// - MUST answer `Rejected` with [`refusal::UNKNOWN_COURSE`] or [`refusal::SHORTNAME_TAKEN`]
    ///   when that is why.
    async fn update_course(
        &self,
        id: MoodleCourseId,
        update: &CourseUpdate,
    ) -> Result<(), LmsError>;

    /// The categories that exist.
    async fn categories(&self) -> Result<Vec<Category>, LmsError>;

    /// Enrols users by the manual method; one outcome each, in order.
    ///
    /// - MUST find the bad ones when Moodle refuses a batch as a whole, and enrol the others.
    /// - MUST succeed for who is enrolled already, applying `suspended`.
    /// - MUST answer `Rejected` with [`refusal::UNKNOWN_USER`] or [`refusal::UNKNOWN_COURSE`] for a
    ///   row of which that is true.
    async fn enrol(&self, enrolments: &[Enrolment]) -> Result<Vec<Result<(), LmsError>>, LmsError>;

    /// Everybody enrolled in a course, suspended or not; `Rejected` with
    /// [`refusal::UNKNOWN_COURSE`] when there is no such course.
    async fn enrolled_in(&self, course: MoodleCourseId) -> Result<Vec<MoodleUserId>, LmsError>;

    /// The courses a user is actively enrolled in.
    async fn courses_of(&self, user: MoodleUserId) -> Result<Vec<MoodleCourseId>, LmsError>;
}

/// Codes of `LmsError::Rejected` a caller may act on, the same on every version of Moodle.
pub mod refusal {
    /// Another user has the username.
    pub const USERNAME_TAKEN: &str = "username_taken";
    /// Another user has the e-mail address.
    pub const EMAIL_TAKEN: &str = "email_taken";
    /// No user has the id.
    pub const UNKNOWN_USER: &str = "unknown_user";
    /// The user is a site administrator, whom web services may not change (Moodle's own code).
    pub const PROTECTED_USER: &str = "usernotupdatedadmin";
    /// No course has the id.
    pub const UNKNOWN_COURSE: &str = "unknown_course";
    /// Another course has the short name (Moodle's own code).
    pub const SHORTNAME_TAKEN: &str = "shortnametaken";
    /// The category does not exist (Moodle's own code).
    pub const UNKNOWN_CATEGORY: &str = "errorcatcontextnotvalid";
}

/// The site behind the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its address as it knows itself, without a trailing slash.
    pub url: String,
    /// Its name.
    pub name: String,
    /// `4.5.6 (Build: …)`.
    pub release: String,
    /// The functions the token may call.
    pub functions: Vec<String>,
}

/// What users are looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserKey {
    /// Moodle's own id.
    Id,
    /// The ID number.
    IdNumber,
    /// The log-in name.
    Username,
    /// The e-mail address.
    Email,
}

/// What courses are looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CourseKey {
    /// Moodle's own id.
    Id,
    /// The ID number.
    IdNumber,
    /// The short name.
    ShortName,
}

/// A user to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Who it is.
    pub account: DesiredAccount,
    /// Moodle's authentication plugin.
    pub auth: String,
    /// Whether the caller, under the claim it still holds, looked for this ID number, username
    /// and e-mail address and found nobody.
    ///
    /// The look before the creation is then left out, so a user in bulk costs one call. Say
    /// `false` when anything was attempted since that look.
    pub checked: bool,
}

/// Changes to one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserUpdate {
    /// Which user.
    pub id: MoodleUserId,
    /// New ID number, which is how a user is linked.
    pub idnumber: Option<String>,
    /// Other fields to change.
    pub fields: AccountUpdate,
}

/// A course to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCourse {
    /// `zoho:<class id>`.
    pub idnumber: String,
    /// Its name.
    pub fullname: String,
    /// Its short name, unique on the site.
    pub shortname: String,
    /// Where it goes.
    pub category: MoodleCategoryId,
    /// Its first moment.
    pub starts_at: Option<DateTime<Utc>>,
}

/// Changes to one course; nothing means leave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CourseUpdate {
    /// New ID number, which is how a course is adopted.
    pub idnumber: Option<String>,
    /// New name.
    pub fullname: Option<String>,
    /// New short name.
    pub shortname: Option<String>,
    /// New category.
    pub category: Option<MoodleCategoryId>,
    /// New first moment.
    pub starts_at: Option<DateTime<Utc>>,
}

/// A course category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Moodle's id.
    pub id: MoodleCategoryId,
    /// Its name.
    pub name: String,
}

/// One user's manual enrolment in one course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolment {
    /// Who.
    pub user: MoodleUserId,
    /// Where.
    pub course: MoodleCourseId,
    /// As what.
    pub role: MoodleRoleId,
    /// Whether access is suspended.
    pub suspended: bool,
}
