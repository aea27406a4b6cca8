//! The web-service functions the bridge calls, and what each needs.

use mzi_ports::lms::refusal;

/// A web-service function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    SiteInfo,
    UsersByField,
    Users,
    CreateUsers,
    UpdateUsers,
    CoursesByField,
    CreateCourses,
    UpdateCourses,
    Categories,
    EnrolUsers,
    EnrolledUsers,
    UsersCourses,
}

impl Function {
    /// Its name in Moodle.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SiteInfo => "core_webservice_get_site_info",
            Self::UsersByField => "core_user_get_users_by_field",
            Self::Users => "core_user_get_users",
            Self::CreateUsers => "core_user_create_users",
            Self::UpdateUsers => "core_user_update_users",
            Self::CoursesByField => "core_course_get_courses_by_field",
            Self::CreateCourses => "core_course_create_courses",
            Self::UpdateCourses => "core_course_update_courses",
            Self::Categories => "core_course_get_categories",
            Self::EnrolUsers => "enrol_manual_enrol_users",
            Self::EnrolledUsers => "core_enrol_get_enrolled_users",
            Self::UsersCourses => "core_enrol_get_users_courses",
        }
    }

    /// Whether it changes something, so that a lost answer leaves doubt.
    pub(crate) const fn writes(self) -> bool {
        matches!(
            self,
            Self::CreateUsers
                | Self::UpdateUsers
                | Self::CreateCourses
                | Self::UpdateCourses
                | Self::EnrolUsers
        )
    }

    /// The capabilities it needs (contracts/moodle.md §4, and measured on 4.5.6 and 5.1).
    pub(crate) const fn capabilities(self) -> &'static str {
        match self {
            Self::SiteInfo => "webservice/rest:use",
            Self::UsersByField | Self::Users => {
                "moodle/user:viewdetails, moodle/user:viewalldetails, moodle/site:viewuseridentity \
                 and moodle/course:useremail"
            }
            Self::CreateUsers => "moodle/user:create",
            Self::UpdateUsers => "moodle/user:update",
            Self::CoursesByField => {
                "moodle/course:view, moodle/course:update and moodle/course:viewhiddencourses"
            }
            Self::CreateCourses => {
                "moodle/course:create and moodle/course:visibility in the category"
            }
            Self::UpdateCourses => {
                "moodle/course:update and moodle/course:changefullname, changeshortname, \
                 changeidnumber and changecategory"
            }
            Self::Categories => "moodle/category:viewcourselist",
            Self::EnrolUsers => {
                "moodle/course:view, enrol/manual:enrol and moodle/role:assign, and let its role \
                 assign this role"
            }
            Self::EnrolledUsers | Self::UsersCourses => {
                "moodle/course:view and moodle/course:viewparticipants"
            }
        }
    }

    /// What is unknown when it answers that a record does not exist. Where nothing is said, the
    /// record is the function itself (`fn_unknown`).
    pub(crate) const fn missing_record(self) -> Option<&'static str> {
        match self {
            Self::UpdateUsers | Self::EnrolUsers | Self::UsersCourses => {
                Some(refusal::UNKNOWN_USER)
            }
            Self::UpdateCourses | Self::EnrolledUsers => Some(refusal::UNKNOWN_COURSE),
            _ => None,
        }
    }
}
