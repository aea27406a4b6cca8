//! What tests and the demo see and change on a site directly, past its web services.

use std::collections::BTreeSet;

use super::{
    access::role,
    simulator::MoodleSimulator,
    site::{
        Assignment, AssignmentGrade, Category, Course, Enrolment, Grade, GradeItem, Group,
        Submission, User,
    },
};

/// Users.
impl MoodleSimulator {
    /// Every account that is not deleted, by id.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.site(|site| site.users.iter().cloned().collect())
    }

    /// One account.
    #[must_use]
    pub fn user(&self, id: u64) -> Option<User> {
        self.site(|site| site.users.get(id).cloned())
    }

    /// The account with this username.
    #[must_use]
    pub fn user_named(&self, username: &str) -> Option<User> {
        self.site(|site| site.users.with_username(username).cloned())
    }

    /// Adds an account as if by hand; an id of 0 asks for the next one. Answers the id, or none
    /// when id or username is taken.
    pub fn add_user(&self, user: User) -> Option<u64> {
        self.site(|site| site.users.insert(user).ok())
    }

    /// Changes an account as if by hand. Answers whether that was possible.
    pub fn edit_user(&self, id: u64, change: impl FnOnce(&mut User)) -> bool {
        self.site(|site| site.users.update(id, change).is_ok())
    }

    /// Suspends an account as if by hand, or ends that.
    pub fn suspend_user(&self, id: u64, suspended: bool) -> bool {
        self.edit_user(id, |user| user.suspended = suspended)
    }

    /// Deletes an account as Moodle does: the row stays under another username, enrolments go.
    pub fn delete_user(&self, id: u64) -> bool {
        let now = self.now();
        self.site(|site| {
            let courses: Vec<u64> = site.enrolments.of_user(id).map(|e| e.course_id).collect();
            for course in courses {
                site.enrolments.remove(course, id);
            }
            let tombstone = |user: &mut User| {
                user.username = format!("{}.{now}", user.email);
                user.email = format!("{id:032x}");
                user.idnumber.clear();
                user.deleted = true;
            };
            site.users.update(id, tombstone).is_ok()
        })
    }

    /// Adds a custom profile field.
    pub fn add_profile_field(&self, shortname: &str, name: &str) {
        self.site(|site| {
            site.profile_fields
                .push((shortname.to_owned(), name.to_owned()))
        });
    }
}

/// Courses and enrolments.
impl MoodleSimulator {
    /// Every course by id, the site's own (id 1) included.
    #[must_use]
    pub fn courses(&self) -> Vec<Course> {
        self.site(|site| site.courses.iter().cloned().collect())
    }

    /// One course.
    #[must_use]
    pub fn course(&self, id: u64) -> Option<Course> {
        self.site(|site| site.courses.get(id).cloned())
    }

    /// Adds a course as if by hand and answers its id.
    pub fn add_course(&self, course: Course) -> u64 {
        self.site(|site| site.courses.insert(course))
    }

    /// Changes a course as if by hand.
    pub fn edit_course(&self, id: u64, change: impl FnOnce(&mut Course)) {
        self.site(|site| site.courses.update(id, change));
    }

    /// Deletes a course with its enrolments.
    pub fn delete_course(&self, id: u64) {
        self.site(|site| {
            let users: Vec<u64> = site.enrolments.in_course(id).map(|e| e.user_id).collect();
            for user in users {
                site.enrolments.remove(id, user);
            }
            site.courses.remove(id);
        });
    }

    /// Every category by id.
    #[must_use]
    pub fn categories(&self) -> Vec<Category> {
        self.site(|site| site.categories.values().cloned().collect())
    }

    /// Adds a category as if by hand and answers its id.
    pub fn add_category(&self, category: Category) -> u64 {
        self.site(|site| site.add_category(category))
    }

    /// Every enrolment, by course and user.
    #[must_use]
    pub fn enrolments(&self) -> Vec<Enrolment> {
        self.site(|site| site.enrolments.iter().cloned().collect())
    }

    /// One enrolment.
    #[must_use]
    pub fn enrolment(&self, course_id: u64, user_id: u64) -> Option<Enrolment> {
        self.site(|site| site.enrolments.get(course_id, user_id).cloned())
    }

    /// Enrols a user as a student, as if by hand.
    pub fn enrol_student(&self, course_id: u64, user_id: u64) {
        let roles = BTreeSet::from([role::STUDENT]);
        self.put_enrolment(Enrolment {
            course_id,
            user_id,
            roles,
            ..Enrolment::default()
        });
    }

    /// Adds or replaces an enrolment as if by hand.
    pub fn put_enrolment(&self, enrolment: Enrolment) {
        self.site(|site| drop(site.enrolments.put(enrolment)));
    }

    /// Ends an enrolment as if by hand.
    pub fn remove_enrolment(&self, course_id: u64, user_id: u64) {
        self.site(|site| drop(site.enrolments.remove(course_id, user_id)));
    }

    /// Adds a group.
    pub fn add_group(&self, group: Group) {
        self.site(|site| site.groups.push(group));
    }
}

/// Assignments and grades, which no simulated function writes.
impl MoodleSimulator {
    /// Adds or replaces an assignment.
    pub fn put_assignment(&self, assignment: Assignment) {
        self.site(|site| site.gradebook.put_assignment(assignment));
    }

    /// Adds or replaces the grade of one attempt, before the gradebook.
    pub fn put_assignment_grade(&self, grade: AssignmentGrade) {
        self.site(|site| site.gradebook.put_assignment_grade(grade));
    }

    /// Sets a learner's latest submission.
    pub fn put_submission(&self, submission: Submission) {
        self.site(|site| site.gradebook.put_submission(submission));
    }

    /// Adds or replaces a column of a gradebook.
    pub fn put_grade_item(&self, item: GradeItem) {
        self.site(|site| site.gradebook.put_item(item));
    }

    /// Adds or replaces a final grade.
    pub fn put_grade(&self, grade: Grade) {
        self.site(|site| site.gradebook.put_grade(grade));
    }

    /// Sets the ids of a course's total and of its grade category.
    pub fn set_course_total(&self, course_id: u64, item_id: u64, category_id: u64) {
        self.site(|site| site.gradebook.put_total(course_id, item_id, category_id));
    }
}
