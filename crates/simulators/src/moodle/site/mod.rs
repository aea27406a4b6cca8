//! What a Moodle site holds. Plain data with indexes; who may see what is decided by the functions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{access::Tokens, options::MoodleVersion};

mod courses;
mod enrolments;
mod gradebook;
mod users;

pub(super) use courses::Courses;
pub use courses::{Category, Course};
pub use enrolments::Enrolment;
pub(super) use enrolments::Enrolments;
pub(super) use gradebook::Gradebook;
pub use gradebook::{Assignment, AssignmentGrade, Grade, GradeItem, Submission};
pub use users::User;
pub(super) use users::{NotWritten, SITE_COUNTRY, Users, folded};

/// The id of the site's own course, which lists of courses include.
pub(super) const SITE_COURSE: u64 = 1;

/// Whether the site answers at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteMode {
    /// Normal operation.
    #[default]
    Open,
    /// Maintenance mode: HTTP 200 with `sitemaintenance`.
    Maintenance,
    /// Maintenance from the command line: HTTP 503 with HTML.
    CliMaintenance,
    /// Web services, or only the REST protocol, switched off: HTTP 403 without a body.
    WebServicesOff,
}

/// A group of learners in one course.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// The id.
    pub id: u64,
    /// Its course.
    pub course_id: u64,
    /// Its name.
    pub name: String,
    /// The users in it.
    pub members: Vec<u64>,
}

/// Everything one site holds.
#[derive(Debug, Default)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) version: MoodleVersion,
    pub(super) mode: SiteMode,
    pub(super) tokens: Tokens,
    /// Custom profile fields: short name and name, in the order shown.
    pub(super) profile_fields: Vec<(String, String)>,
    pub(super) users: Users,
    pub(super) categories: BTreeMap<u64, Category>,
    pub(super) courses: Courses,
    pub(super) enrolments: Enrolments,
    pub(super) groups: Vec<Group>,
    pub(super) gradebook: Gradebook,
}

impl Site {
    /// The site's URL followed by a path.
    pub(super) fn url_of(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Adds a category; an id of 0 asks for the next one.
    pub(super) fn add_category(&mut self, mut category: Category) -> u64 {
        if category.id == 0 {
            category.id = self.categories.keys().next_back().copied().unwrap_or(0) + 1;
        }
        let id = category.id;
        self.categories.insert(id, category);
        id
    }

    /// The ancestors of a category and itself, outermost first.
    pub(super) fn category_path(&self, id: u64) -> Vec<u64> {
        let mut path = Vec::new();
        let mut at = id;
        while let Some(category) = self.categories.get(&at).filter(|c| !path.contains(&c.id)) {
            path.insert(0, category.id);
            at = category.parent;
        }
        path
    }
}
