//! Assignments, their grades and submissions, and the gradebook: what the read-only functions show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An assignment activity.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Assignment {
    /// The id.
    pub id: u64,
    /// The course module's id.
    pub cmid: u64,
    /// Its course.
    pub course_id: u64,
    /// Its name.
    pub name: String,
    /// What learners read.
    pub intro: String,
    /// Points if positive, minus the scale's id if negative.
    pub grade: i64,
    /// Graded per group.
    pub team: bool,
    /// Unix seconds.
    pub due_date: i64,
    /// Unix seconds.
    pub opens: i64,
    /// Unix seconds.
    pub time_modified: i64,
}

/// One attempt's grade of an assignment, before the gradebook.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AssignmentGrade {
    /// The id.
    pub id: u64,
    /// The assignment.
    pub assignment_id: u64,
    /// The learner.
    pub user_id: u64,
    /// Counts from 0.
    pub attempt: u64,
    /// The grader.
    pub grader: u64,
    /// Five decimals; −1 while opened but not graded, an item number for scales.
    pub grade: f64,
    /// Unix seconds.
    pub time_created: i64,
    /// Unix seconds.
    pub time_modified: i64,
}

/// A learner's own latest submission. Teams have none per learner.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Submission {
    /// The assignment.
    pub assignment_id: u64,
    /// The learner.
    pub user_id: u64,
    /// The attempt it belongs to; reopening makes a new one.
    pub attempt: u64,
}

/// A column of a course's gradebook. The course's total is added by itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GradeItem {
    /// The id.
    pub id: u64,
    /// Its course.
    pub course_id: u64,
    /// Its name.
    pub name: String,
    /// The institution's own key.
    pub idnumber: String,
    /// The assignment it belongs to.
    pub assignment_id: u64,
    /// The course module's id.
    pub cmid: u64,
    /// The best grade.
    pub max: f64,
    /// The scale's words, worst first; empty for points.
    pub scale: Vec<String>,
}

impl GradeItem {
    /// The worst grade: scales count from 1.
    #[must_use]
    pub fn min(&self) -> f64 {
        if self.scale.is_empty() { 0.0 } else { 1.0 }
    }
}

/// A learner's final grade in one column.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Grade {
    /// The column.
    pub item_id: u64,
    /// The learner.
    pub user_id: u64,
    /// The number, an item number for scales.
    pub value: f64,
    /// Feedback, HTML.
    pub feedback: String,
    /// Hidden from the learner.
    pub hidden: bool,
    /// Set by hand in the gradebook.
    pub overridden: bool,
    /// Unix seconds.
    pub graded_at: i64,
    /// Unix seconds of the submission, if there was one.
    pub submitted_at: Option<i64>,
}

/// The ids a course's gradebook has besides its columns.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::moodle) struct CourseTotal {
    pub(in crate::moodle) item_id: u64,
    pub(in crate::moodle) category_id: u64,
}

/// All grades of a site.
#[derive(Debug, Default)]
pub(in crate::moodle) struct Gradebook {
    assignments: BTreeMap<u64, Assignment>,
    /// By assignment, user and attempt.
    assignment_grades: BTreeMap<(u64, u64, u64), AssignmentGrade>,
    /// The latest attempt by assignment and user.
    submissions: BTreeMap<(u64, u64), u64>,
    items: BTreeMap<u64, GradeItem>,
    grades: BTreeMap<(u64, u64), Grade>,
    totals: BTreeMap<u64, CourseTotal>,
}

impl Gradebook {
    pub(in crate::moodle) fn put_assignment(&mut self, assignment: Assignment) {
        self.assignments.insert(assignment.id, assignment);
    }

    pub(in crate::moodle) fn put_assignment_grade(&mut self, grade: AssignmentGrade) {
        let key = (grade.assignment_id, grade.user_id, grade.attempt);
        self.assignment_grades.insert(key, grade);
    }

    pub(in crate::moodle) fn put_submission(&mut self, submission: Submission) {
        let key = (submission.assignment_id, submission.user_id);
        self.submissions.insert(key, submission.attempt);
    }

    pub(in crate::moodle) fn put_item(&mut self, item: GradeItem) {
        self.items.insert(item.id, item);
    }

    pub(in crate::moodle) fn put_grade(&mut self, grade: Grade) {
        self.grades.insert((grade.item_id, grade.user_id), grade);
    }

    pub(in crate::moodle) fn put_total(&mut self, course_id: u64, item_id: u64, category_id: u64) {
        self.totals.insert(
            course_id,
            CourseTotal {
                item_id,
                category_id,
            },
        );
    }

    pub(in crate::moodle) fn assignment(&self, id: u64) -> Option<&Assignment> {
        self.assignments.get(&id)
    }

    pub(in crate::moodle) fn assignments_in(
        &self,
        course_id: u64,
    ) -> impl Iterator<Item = &Assignment> {
        self.assignments
            .values()
            .filter(move |assignment| assignment.course_id == course_id)
    }

    /// The grades `mod_assign_get_grades` finds: those whose attempt is the learner's own latest
    /// submission. Grades of teams and of reopened attempts are never among them (`contracts/moodle.md` §4).
    pub(in crate::moodle) fn grades_by_submission(
        &self,
        assignment_id: u64,
        since: i64,
    ) -> impl Iterator<Item = &AssignmentGrade> {
        self.assignment_grades
            .range((assignment_id, 0, 0)..=(assignment_id, u64::MAX, u64::MAX))
            .map(|(_, grade)| grade)
            .filter(move |grade| {
                self.submissions.get(&(assignment_id, grade.user_id)) == Some(&grade.attempt)
                    && grade.time_modified >= since
            })
    }

    pub(in crate::moodle) fn items_in(&self, course_id: u64) -> Vec<&GradeItem> {
        self.items
            .values()
            .filter(|item| item.course_id == course_id)
            .collect()
    }

    pub(in crate::moodle) fn grade(&self, item_id: u64, user_id: u64) -> Option<&Grade> {
        self.grades.get(&(item_id, user_id))
    }

    /// Courses nobody seeded a total for get ids derived from their own.
    pub(in crate::moodle) fn total_of(&self, course_id: u64) -> CourseTotal {
        let derived = CourseTotal {
            item_id: 1_000_000 + course_id,
            category_id: course_id,
        };
        self.totals.get(&course_id).copied().unwrap_or(derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graded(attempt: u64) -> Gradebook {
        let mut book = Gradebook::default();
        book.put_assignment_grade(AssignmentGrade {
            assignment_id: 6,
            user_id: 9,
            attempt,
            grade: 40.0,
            time_modified: 100,
            ..AssignmentGrade::default()
        });
        book
    }

    #[test]
    fn a_grade_without_an_own_submission_is_not_found() {
        assert_eq!(graded(0).grades_by_submission(6, 0).count(), 0);
    }

    #[test]
    fn a_grade_vanishes_when_the_attempt_is_reopened() {
        let mut book = graded(0);
        book.put_submission(Submission {
            assignment_id: 6,
            user_id: 9,
            attempt: 0,
        });
        assert_eq!(book.grades_by_submission(6, 0).count(), 1);

        book.put_submission(Submission {
            assignment_id: 6,
            user_id: 9,
            attempt: 1,
        });
        assert_eq!(book.grades_by_submission(6, 0).count(), 0);
    }

    #[test]
    fn since_looks_at_the_time_of_change() {
        let mut book = graded(0);
        book.put_submission(Submission {
            assignment_id: 6,
            user_id: 9,
            attempt: 0,
        });

        assert_eq!(book.grades_by_submission(6, 100).count(), 1);
        assert_eq!(book.grades_by_submission(6, 101).count(), 0);
    }
}
