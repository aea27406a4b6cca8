//! What Moodle sends; only the fields that are used, so that nothing else can be kept or logged
//! (`userprivateaccesskey` comes with the site's information).

use mzi_domain::{
    MoodleCategoryId, MoodleCourseId, MoodleUserId, account::Candidate, course::FoundCourse,
};
use mzi_ports::{
    LmsError,
    lms::{Category, Site},
};
use serde::{Deserialize, Deserializer};

use crate::{exception, function::Function, text::unescaped};

/// A refusal; what has no `errorcode` is none.
#[derive(Deserialize)]
pub(crate) struct Refusal {
    pub(crate) errorcode: String,
    #[serde(default)]
    pub(crate) message: String,
}

#[derive(Deserialize)]
pub(crate) struct SiteInfo {
    siteurl: String,
    sitename: String,
    release: String,
    functions: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl From<SiteInfo> for Site {
    fn from(info: SiteInfo) -> Self {
        Self {
            url: info.siteurl.trim_end_matches('/').to_owned(),
            name: unescaped(&info.sitename),
            release: info.release,
            functions: info.functions.into_iter().map(|one| one.name).collect(),
        }
    }
}

/// The answer of `core_user_get_users`; the other look-up sends the list alone.
#[derive(Deserialize)]
pub(crate) struct Users {
    pub(crate) users: Vec<User>,
}

/// Fields the caller may not see are left out, and so is an empty ID number.
#[derive(Deserialize)]
pub(crate) struct User {
    #[serde(deserialize_with = "user_id")]
    id: MoodleUserId,
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    idnumber: String,
    #[serde(default)]
    firstname: String,
    #[serde(default)]
    lastname: String,
}

impl User {
    /// Whether this is the user's address, whatever its case.
    pub(crate) fn has_email(&self, email: &str) -> bool {
        self.email.trim().to_lowercase() == email.trim().to_lowercase()
    }
}

impl From<User> for Candidate {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            email: user.email,
            idnumber: user.idnumber,
            first_name: user.firstname,
            last_name: user.lastname,
        }
    }
}

/// A user of which only the id is asked for, or one just made.
#[derive(Deserialize)]
pub(crate) struct UserRef {
    #[serde(deserialize_with = "user_id")]
    pub(crate) id: MoodleUserId,
}

/// A course of which only the id is wanted, or one just made.
#[derive(Deserialize)]
pub(crate) struct CourseRef {
    #[serde(deserialize_with = "course_id")]
    pub(crate) id: MoodleCourseId,
}

#[derive(Deserialize)]
pub(crate) struct Courses {
    pub(crate) courses: Vec<Course>,
}

#[derive(Deserialize)]
pub(crate) struct Course {
    #[serde(deserialize_with = "course_id")]
    pub(crate) id: MoodleCourseId,
    /// Left out when the caller may not change the course; empty when there is none.
    idnumber: Option<String>,
    shortname: String,
    fullname: String,
}

impl Course {
    /// The course, unless its ID number is hidden: taking it for none would let the bridge take
    /// over somebody else's course.
    pub(crate) fn found(self) -> Result<FoundCourse, LmsError> {
        let function = Function::CoursesByField;
        let Some(idnumber) = self.idnumber else {
            let needed = format!(
                "give the service user {}, without which ID numbers are hidden",
                function.capabilities()
            );
            return Err(exception::forbidden(function, "idnumber_hidden", &needed));
        };
        Ok(FoundCourse {
            id: self.id,
            idnumber,
            shortname: unescaped(&self.shortname),
            fullname: unescaped(&self.fullname),
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct CourseCategory {
    #[serde(deserialize_with = "category_id")]
    id: MoodleCategoryId,
    name: String,
}

impl From<CourseCategory> for Category {
    fn from(category: CourseCategory) -> Self {
        Self {
            id: category.id,
            name: unescaped(&category.name),
        }
    }
}

/// What an update says of the rows it did not keep.
#[derive(Deserialize)]
pub(crate) struct Updated {
    #[serde(default)]
    pub(crate) warnings: Vec<Warning>,
}

#[derive(Deserialize)]
pub(crate) struct Warning {
    pub(crate) itemid: Option<i64>,
    pub(crate) warningcode: String,
    #[serde(default)]
    pub(crate) message: String,
}

fn user_id<'de, D: Deserializer<'de>>(from: D) -> Result<MoodleUserId, D::Error> {
    MoodleUserId::new(i64::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn course_id<'de, D: Deserializer<'de>>(from: D) -> Result<MoodleCourseId, D::Error> {
    MoodleCourseId::new(i64::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn category_id<'de, D: Deserializer<'de>>(from: D) -> Result<MoodleCategoryId, D::Error> {
    MoodleCategoryId::new(i64::deserialize(from)?).map_err(serde::de::Error::custom)
}
