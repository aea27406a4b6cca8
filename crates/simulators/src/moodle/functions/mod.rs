//! The web-service functions: what each expects and what it does.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use serde_json::Value;

use super::{
    access::{Capability, Token},
    refusal::Refusal,
    site::{Course, Site},
    wire::params::{Args, Field},
};

mod assignments;
mod categories;
mod courses;
mod criteria;
mod enrol;
mod grade_report;
mod grade_table;
mod participants;
mod site_info;
mod users;
mod write_courses;
mod write_users;

/// Functions real sites have and this one does not simulate. A call of one is refused like any
/// function outside the service; a call of an unknown name is refused differently.
const NOT_SIMULATED: [&str; 8] = [
    "core_user_delete_users",
    "core_course_delete_courses",
    "core_group_create_groups",
    "core_group_get_course_groups",
    "core_group_add_group_members",
    "core_grading_get_definitions",
    "core_grading_get_gradingform_instances",
    "mod_assign_get_submissions",
];

/// A function of the service.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) fields: Vec<Field>,
    /// The look for duplicates before the write, where others may get in between on a real site.
    pub(super) look: Option<fn(&Site, &Args) -> Seen>,
    pub(super) run: fn(&mut Call<'_>, &Args) -> Result<Value, Refusal>,
}

/// What the look before the write found, and later what the call itself wrote: a transaction sees
/// its own rows. Texts are folded.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) usernames: BTreeSet<String>,
    pub(super) emails: BTreeSet<String>,
    pub(super) shortnames: BTreeSet<String>,
    pub(super) idnumbers: BTreeSet<String>,
    /// By course and user.
    pub(super) enrolled: BTreeSet<(u64, u64)>,
}

/// One call on its way through a function.
pub(super) struct Call<'a> {
    pub(super) site: &'a mut Site,
    pub(super) token: Token,
    /// Unix seconds.
    pub(super) now: i64,
    pub(super) seen: Seen,
}

impl Call<'_> {
    fn require(&self, capability: Capability) -> Result<(), Refusal> {
        if self.token.may(capability) {
            Ok(())
        } else {
            Err(Refusal::no_permission(capability))
        }
    }

    /// The course, if it exists and the caller may enter it.
    fn enter(&self, course_id: u64) -> Result<&Course, Refusal> {
        let missing = || Refusal::missing_row(self.site.version, "course");
        let course = self.site.courses.get(course_id).ok_or_else(missing)?;
        if self.may_enter(course_id) {
            Ok(course)
        } else {
            Err(Refusal::not_in_course())
        }
    }

    fn may_enter(&self, course_id: u64) -> bool {
        self.token.may(Capability::ViewCourses) || self.is_enrolled(course_id)
    }

    fn is_enrolled(&self, course_id: u64) -> bool {
        let own = self.site.enrolments.get(course_id, self.token.user_id);
        own.is_some_and(|enrolment| enrolment.is_active(self.now))
    }
}

static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    vec![
        site_info::get_site_info(),
        users::get_users(),
        users::get_users_by_field(),
        write_users::create_users(),
        write_users::update_users(),
        write_courses::create_courses(),
        write_courses::update_courses(),
        courses::get_courses(),
        courses::get_courses_by_field(),
        categories::get_categories(),
        participants::get_users_courses(),
        participants::get_enrolled_users(),
        enrol::enrol_users(),
        enrol::unenrol_users(),
        assignments::get_grades(),
        assignments::get_assignments(),
        grade_table::get_grades_table(),
        grade_report::get_grade_items(),
    ]
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    FUNCTIONS
        .iter()
        .map(|function| (function.name, function))
        .collect()
});

/// The names of all simulated functions, in the order a service lists them.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

pub(super) fn find(name: &str) -> Option<&'static Function> {
    BY_NAME.get(name).copied()
}

/// Whether a real site knows the function.
pub(super) fn exists(name: &str) -> bool {
    BY_NAME.contains_key(name) || NOT_SIMULATED.contains(&name)
}
