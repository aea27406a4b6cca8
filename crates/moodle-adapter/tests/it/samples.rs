//! Invented people and courses.

use mzi_domain::{
    MoodleCategoryId, MoodleCourseId, MoodleRoleId, MoodleUserId, ZohoId,
    account::{AccountUpdate, DesiredAccount},
};
use mzi_ports::lms::{CourseUpdate, Enrolment, NewCourse, NewUser, UserUpdate};

/// A student nobody has looked for under the claim.
pub fn student(number: u64) -> NewUser {
    NewUser {
        account: DesiredAccount {
            idnumber: ZohoId::parse(&(900_000_000_000_000 + number).to_string()).unwrap(),
            username: format!("student{number}"),
            email: format!("student{number}@students.college.example"),
            first_name: "Nadia".into(),
            last_name: "Newman".into(),
        },
        auth: "manual".into(),
        checked: false,
    }
}

/// A student the caller has looked for.
pub fn checked_student(number: u64) -> NewUser {
    NewUser {
        checked: true,
        ..student(number)
    }
}

pub fn course(number: u64) -> NewCourse {
    NewCourse {
        idnumber: format!("zoho:{}", 900_000_000_000_000 + number),
        fullname: "Programming, autumn".into(),
        shortname: format!("PROG-{number}"),
        category: MoodleCategoryId::new(1).unwrap(),
        starts_at: None,
    }
}

pub fn renamed(name: &str) -> CourseUpdate {
    CourseUpdate {
        fullname: Some(name.into()),
        ..CourseUpdate::default()
    }
}

pub fn user_id(raw: i64) -> MoodleUserId {
    MoodleUserId::new(raw).unwrap()
}

pub fn course_id(raw: i64) -> MoodleCourseId {
    MoodleCourseId::new(raw).unwrap()
}

pub fn seat(user: MoodleUserId, course: MoodleCourseId) -> Enrolment {
    Enrolment {
        user,
        course,
        role: MoodleRoleId::new(5).unwrap(),
        suspended: false,
    }
}

/// A change of every field a user has.
pub fn change(id: MoodleUserId) -> UserUpdate {
    UserUpdate {
        id,
        idnumber: Some("900000000000999".into()),
        fields: AccountUpdate {
            username: Some("another".into()),
            email: Some("another@students.college.example".into()),
            first_name: Some("Noor".into()),
            last_name: Some("Newman".into()),
        },
    }
}
