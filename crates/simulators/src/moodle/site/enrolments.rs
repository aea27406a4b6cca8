//! Manual enrolments with the roles that go with them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

/// A user's manual enrolment in a course. There is at most one per pair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Enrolment {
    /// The course.
    pub course_id: u64,
    /// The user.
    pub user_id: u64,
    /// The roles in the course.
    pub roles: BTreeSet<u64>,
    /// Listed to teachers, without access.
    pub suspended: bool,
    /// Unix seconds, 0 for at once.
    pub time_start: i64,
    /// Unix seconds, 0 for never.
    pub time_end: i64,
    /// Unix seconds.
    pub time_modified: i64,
}

impl Enrolment {
    /// Whether it gives access now (`contracts/moodle.md` §7).
    #[must_use]
    pub fn is_active(&self, now: i64) -> bool {
        !self.suspended && self.time_start <= now && (self.time_end == 0 || self.time_end > now)
    }
}

/// All enrolments, reachable from both ends.
#[derive(Debug, Default)]
pub(in crate::moodle) struct Enrolments {
    rows: BTreeMap<(u64, u64), Enrolment>,
    courses_of: HashMap<u64, BTreeSet<u64>>,
}

impl Enrolments {
    /// Adds or replaces an enrolment and returns what was there.
    pub(in crate::moodle) fn put(&mut self, enrolment: Enrolment) -> Option<Enrolment> {
        let Enrolment {
            course_id, user_id, ..
        } = enrolment;
        self.courses_of
            .entry(user_id)
            .or_default()
            .insert(course_id);
        self.rows.insert((course_id, user_id), enrolment)
    }

    /// Removes an enrolment with all its roles.
    pub(in crate::moodle) fn remove(&mut self, course_id: u64, user_id: u64) -> Option<Enrolment> {
        if let Some(courses) = self.courses_of.get_mut(&user_id) {
            courses.remove(&course_id);
        }
        self.rows.remove(&(course_id, user_id))
    }

    /// Brings an enrolment back to what it was, as a rolled-back transaction does.
    pub(in crate::moodle) fn restore(&mut self, key: (u64, u64), before: Option<Enrolment>) {
        match before {
            Some(enrolment) => drop(self.put(enrolment)),
            None => drop(self.remove(key.0, key.1)),
        }
    }

    pub(in crate::moodle) fn get(&self, course_id: u64, user_id: u64) -> Option<&Enrolment> {
        self.rows.get(&(course_id, user_id))
    }

    pub(in crate::moodle) fn iter(&self) -> impl Iterator<Item = &Enrolment> {
        self.rows.values()
    }

    /// The enrolments in a course, by user id.
    pub(in crate::moodle) fn in_course(&self, course_id: u64) -> impl Iterator<Item = &Enrolment> {
        self.rows
            .range((course_id, 0)..=(course_id, u64::MAX))
            .map(|(_, enrolment)| enrolment)
    }

    /// The enrolments of a user, by course id.
    pub(in crate::moodle) fn of_user(&self, user_id: u64) -> impl Iterator<Item = &Enrolment> {
        let courses = self.courses_of.get(&user_id).into_iter().flatten();
        courses.filter_map(move |course_id| self.rows.get(&(*course_id, user_id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_needs_a_running_enrolment_that_is_not_suspended() {
        let running = Enrolment {
            time_start: 10,
            time_end: 20,
            ..Enrolment::default()
        };
        let suspended = Enrolment {
            suspended: true,
            ..running.clone()
        };

        assert!(running.is_active(10) && running.is_active(19));
        assert!(!running.is_active(9) && !running.is_active(20));
        assert!(!suspended.is_active(15));
    }

    #[test]
    fn a_restored_enrolment_is_as_it_was() {
        let mut enrolments = Enrolments::default();
        let first = Enrolment {
            course_id: 2,
            user_id: 7,
            ..Enrolment::default()
        };
        enrolments.put(first.clone());
        let before = enrolments.put(Enrolment {
            suspended: true,
            ..first.clone()
        });

        enrolments.restore((2, 7), before);
        assert_eq!(enrolments.get(2, 7), Some(&first));

        enrolments.restore((2, 7), None);
        assert_eq!(
            (
                enrolments.in_course(2).count(),
                enrolments.of_user(7).count()
            ),
            (0, 0)
        );
    }
}
