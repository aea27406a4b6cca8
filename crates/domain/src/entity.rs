//! The ten kinds of record the bridge knows, and every name they go by.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Operation;

/// A kind of record. The order is the order of dependence: parents first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A study programme; in Moodle a course category.
    Programs,
    /// A unit of a programme.
    Units,
    /// A teacher.
    Teachers,
    /// A student; in Moodle a user.
    Students,
    /// A taught class; in Moodle a course.
    Classes,
    /// A student's registration for a programme.
    Registrations,
    /// A student's place in a class; in Moodle an enrolment.
    Enrollments,
    /// A payment towards a registration.
    Payments,
    /// A grade of a student in a class.
    Grades,
    /// A request a student has made.
    StudentRequests,
}

impl Entity {
    /// Every entity, parents before children.
    pub const ALL: [Self; 10] = [
        Self::Programs,
        Self::Units,
        Self::Teachers,
        Self::Students,
        Self::Classes,
        Self::Registrations,
        Self::Enrollments,
        Self::Payments,
        Self::Grades,
        Self::StudentRequests,
    ];

    /// The key used in URLs, settings and table names.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Programs => "programs",
            Self::Units => "units",
            Self::Teachers => "teachers",
            Self::Students => "students",
            Self::Classes => "classes",
            Self::Registrations => "registrations",
            Self::Enrollments => "enrollments",
            Self::Payments => "payments",
            Self::Grades => "grades",
            Self::StudentRequests => "student_requests",
        }
    }

    /// The Zoho module that holds it unless the mapping says otherwise.
    pub const fn default_module(self) -> &'static str {
        match self {
            Self::Programs => "Products",
            Self::Units => "BTEC",
            Self::Teachers => "BTEC_Teachers",
            Self::Students => "BTEC_Students",
            Self::Classes => "BTEC_Classes",
            Self::Registrations => "BTEC_Registrations",
            Self::Enrollments => "BTEC_Enrollments",
            Self::Payments => "BTEC_Payments",
            Self::Grades => "BTEC_Grades",
            Self::StudentRequests => "BTEC_Student_Requests",
        }
    }

    /// The entity with this key; `requests` is an older name of student requests.
    pub fn from_key(key: &str) -> Option<Self> {
        if key == "requests" {
            return Some(Self::StudentRequests);
        }
        Self::ALL.into_iter().find(|entity| entity.key() == key)
    }

    /// What an older webhook address stands for: the entity, and the operation its suffix tells.
    ///
    /// The addresses are those installed rules of earlier systems still call
    /// (`student-dashboard/student_updated`) and those an earlier set-up page advertised.
    pub fn from_legacy_tail(tail: &str) -> Option<(Self, Option<Operation>)> {
        let name = match tail {
            "moodle-courses/class" => return Some((Self::Classes, None)),
            "moodle-enrol/enrollment" => return Some((Self::Enrollments, None)),
            other => other.strip_prefix("student-dashboard/")?,
        };
        let operation = if name.ends_with("_deleted") {
            Some(Operation::Delete)
        } else {
            None
        };
        let entity = match name {
            "student" | "student_updated" | "student_deleted" => Self::Students,
            "registration" | "registration_created" | "registration_deleted" => Self::Registrations,
            "payment" | "payment_recorded" | "payment_deleted" => Self::Payments,
            "class" | "class_updated" | "class_deleted" => Self::Classes,
            "enrollment" | "enrollment_updated" | "enrollment_deleted" => Self::Enrollments,
            "grade" | "grade_submitted" | "grade_deleted" => Self::Grades,
            "request" | "request_status_changed" | "request_deleted" => Self::StudentRequests,
            "btec_definition_updated" | "btec_definition_deleted" => Self::Units,
            _ => return None,
        };
        Some((entity, operation))
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_names_its_entity() {
        for entity in Entity::ALL {
            assert_eq!(Entity::from_key(entity.key()), Some(entity));
        }
        assert_eq!(Entity::from_key("requests"), Some(Entity::StudentRequests));
        assert_eq!(Entity::from_key("nobody"), None);
    }

    #[test]
    fn a_legacy_delete_address_means_a_delete() {
        assert_eq!(
            Entity::from_legacy_tail("student-dashboard/enrollment_deleted"),
            Some((Entity::Enrollments, Some(Operation::Delete)))
        );
        assert_eq!(
            Entity::from_legacy_tail("student-dashboard/student_updated"),
            Some((Entity::Students, None))
        );
        assert_eq!(Entity::from_legacy_tail("student_updated"), None);
    }
}
