//! What the fake holds, and the rules Moodle applies to it.

use std::collections::{BTreeMap, BTreeSet};

use mzi_domain::{
    MoodleCategoryId, MoodleCourseId, MoodleRoleId, MoodleUserId, account::Candidate,
    course::FoundCourse,
};

use super::FakeCourse;
use crate::{
    error::LmsError,
    lms::{
        Category, CourseKey, CourseUpdate, Enrolment, NewCourse, NewUser, Site, UserKey,
        UserUpdate, refusal,
    },
};

/// The first id given to users and courses that tests add, above the site's own.
const FIRST_ID: i64 = 101;

pub(super) struct State {
    pub(super) site: Site,
    pub(super) users: BTreeMap<MoodleUserId, Candidate>,
    pub(super) courses: BTreeMap<MoodleCourseId, FakeCourse>,
    pub(super) categories: Vec<Category>,
    pub(super) enrolments: BTreeMap<(MoodleCourseId, MoodleUserId), Enrolment>,
    pub(super) roles: BTreeSet<MoodleRoleId>,
    protected: BTreeSet<MoodleUserId>,
    next: i64,
}

impl State {
    /// A site with its guest, its administrator, one category, and roles 3 and 5 to give.
    pub(super) fn new() -> Self {
        let guest = person(
            id(1, MoodleUserId::new),
            "guest",
            "root@localhost.example",
            "",
        );
        let admin = person(
            id(2, MoodleUserId::new),
            "admin",
            "admin@college.example",
            "",
        );
        Self {
            site: Site {
                url: "https://moodle.college.example".into(),
                name: "Northfield College".into(),
                release: "4.5.6 (Build: 20250811)".into(),
                functions: Vec::new(),
            },
            protected: BTreeSet::from([guest.id, admin.id]),
            users: [guest, admin].map(|user| (user.id, user)).into(),
            courses: BTreeMap::new(),
            categories: vec![Category {
                id: id(1, MoodleCategoryId::new),
                name: "Category 1".into(),
            }],
            enrolments: BTreeMap::new(),
            roles: BTreeSet::from([3, 5].map(|raw| id(raw, MoodleRoleId::new))),
            next: FIRST_ID,
        }
    }

    pub(super) fn is_the_sites_own(&self, user: MoodleUserId) -> bool {
        self.protected.contains(&user)
    }

    pub(super) fn add_user(&mut self, username: &str, email: &str, idnumber: &str) -> MoodleUserId {
        let user = person(self.next_id(MoodleUserId::new), username, email, idnumber);
        self.users.insert(user.id, user.clone());
        user.id
    }

    pub(super) fn users_by(&self, key: UserKey, values: &[String]) -> Vec<Candidate> {
        let fits = |user: &&Candidate| values.iter().any(|value| has(user, key, value));
        self.users.values().filter(fits).cloned().collect()
    }

    pub(super) fn create_user(&mut self, new: &NewUser) -> Result<MoodleUserId, LmsError> {
        let account = &new.account;
        let idnumber = account.idnumber.as_str();
        let ours = self.users.values().find(|user| user.idnumber == idnumber);
        if let Some(ours) = ours
            && (!new.checked || ours.username == account.username)
        {
            return Ok(ours.id);
        }
        self.natural_keys_are_free(None, Some(&account.username), Some(&account.email))?;
        let id = self.add_user(&account.username, &account.email, idnumber);
        if let Some(user) = self.users.get_mut(&id) {
            user.first_name.clone_from(&account.first_name);
            user.last_name.clone_from(&account.last_name);
        }
        Ok(id)
    }

    pub(super) fn update_user(&mut self, update: &UserUpdate) -> Result<(), LmsError> {
        if !self.users.contains_key(&update.id) {
            return Err(rejected(refusal::UNKNOWN_USER, "no such user"));
        }
        if self.is_the_sites_own(update.id) {
            return Err(rejected(
                refusal::PROTECTED_USER,
                "Cannot update admin accounts",
            ));
        }
        let fields = &update.fields;
        self.natural_keys_are_free(
            Some(update.id),
            fields.username.as_deref(),
            fields.email.as_deref(),
        )?;
        if let Some(user) = self.users.get_mut(&update.id) {
            replace(&mut user.idnumber, &update.idnumber);
            replace(&mut user.username, &fields.username);
            replace(&mut user.email, &fields.email);
            replace(&mut user.first_name, &fields.first_name);
            replace(&mut user.last_name, &fields.last_name);
        }
        Ok(())
    }

    pub(super) fn add_course(
        &mut self,
        idnumber: &str,
        shortname: &str,
        fullname: &str,
    ) -> MoodleCourseId {
        let id = self.next_id(MoodleCourseId::new);
        let found = FoundCourse {
            id,
            idnumber: idnumber.into(),
            shortname: shortname.into(),
            fullname: fullname.into(),
        };
        let category = self::id(1, MoodleCategoryId::new);
        let course = FakeCourse {
            found,
            category,
            starts_at: None,
        };
        self.courses.insert(id, course);
        id
    }

    pub(super) fn courses_by(&self, key: CourseKey, value: &str) -> Vec<FoundCourse> {
        let fits = |course: &&FoundCourse| match key {
            CourseKey::Id => course.id.to_string() == value,
            CourseKey::IdNumber => !value.is_empty() && course.idnumber == value,
            CourseKey::ShortName => folded(&course.shortname) == folded(value),
        };
        let courses = self.courses.values().map(|course| &course.found);
        courses.filter(fits).cloned().collect()
    }

    pub(super) fn create_course(&mut self, new: &NewCourse) -> Result<MoodleCourseId, LmsError> {
        if let [ours, ..] = self
            .courses_by(CourseKey::IdNumber, &new.idnumber)
            .as_slice()
        {
            return Ok(ours.id);
        }
        self.category_exists(new.category)?;
        self.shortname_is_free(None, &new.shortname)?;
        let id = self.add_course(&new.idnumber, &new.shortname, &new.fullname);
        if let Some(course) = self.courses.get_mut(&id) {
            course.category = new.category;
            course.starts_at = new.starts_at;
        }
        Ok(id)
    }

    pub(super) fn update_course(
        &mut self,
        id: MoodleCourseId,
        update: &CourseUpdate,
    ) -> Result<(), LmsError> {
        if !self.courses.contains_key(&id) {
            return Err(rejected(refusal::UNKNOWN_COURSE, "no such course"));
        }
        if let Some(category) = update.category {
            self.category_exists(category)?;
        }
        if let Some(shortname) = &update.shortname {
            self.shortname_is_free(Some(id), shortname)?;
        }
        if let Some(course) = self.courses.get_mut(&id) {
            replace(&mut course.found.idnumber, &update.idnumber);
            replace(&mut course.found.fullname, &update.fullname);
            replace(&mut course.found.shortname, &update.shortname);
            replace(&mut course.category, &update.category);
            course.starts_at = update.starts_at.or(course.starts_at);
        }
        Ok(())
    }

    pub(super) fn enrol(&mut self, enrolment: &Enrolment) -> Result<(), LmsError> {
        if !self.courses.contains_key(&enrolment.course) {
            return Err(rejected(refusal::UNKNOWN_COURSE, "no such course"));
        }
        if !self.users.contains_key(&enrolment.user) {
            return Err(rejected(refusal::UNKNOWN_USER, "no such user"));
        }
        if !self.roles.contains(&enrolment.role) {
            return Err(LmsError::Forbidden {
                operation: format!("assigning role {}", enrolment.role),
                code: "wsusercannotassign".into(),
            });
        }
        let key = (enrolment.course, enrolment.user);
        self.enrolments.insert(key, *enrolment);
        Ok(())
    }

    pub(super) fn enrolled_in(
        &self,
        course: MoodleCourseId,
    ) -> Result<Vec<MoodleUserId>, LmsError> {
        if !self.courses.contains_key(&course) {
            return Err(rejected(refusal::UNKNOWN_COURSE, "no such course"));
        }
        let here = self
            .enrolments
            .values()
            .filter(|seat| seat.course == course);
        Ok(here.map(|seat| seat.user).collect())
    }

    fn natural_keys_are_free(
        &self,
        except: Option<MoodleUserId>,
        username: Option<&str>,
        email: Option<&str>,
    ) -> Result<(), LmsError> {
        let taken = |key, value: Option<&str>| {
            value.is_some_and(|value| {
                let mut others = self.users.values().filter(|user| Some(user.id) != except);
                others.any(|user| has(user, key, value))
            })
        };
        if taken(UserKey::Username, username) {
            return Err(rejected(refusal::USERNAME_TAKEN, "the username is taken"));
        }
        if taken(UserKey::Email, email) {
            return Err(rejected(
                refusal::EMAIL_TAKEN,
                "the e-mail address is taken",
            ));
        }
        Ok(())
    }

    fn category_exists(&self, category: MoodleCategoryId) -> Result<(), LmsError> {
        if self.categories.iter().any(|known| known.id == category) {
            return Ok(());
        }
        Err(rejected(refusal::UNKNOWN_CATEGORY, "no such category"))
    }

    fn shortname_is_free(
        &self,
        except: Option<MoodleCourseId>,
        shortname: &str,
    ) -> Result<(), LmsError> {
        let found = self.courses_by(CourseKey::ShortName, shortname);
        if found.iter().all(|course| Some(course.id) == except) {
            return Ok(());
        }
        Err(rejected(
            refusal::SHORTNAME_TAKEN,
            "Short name is already used",
        ))
    }

    fn next_id<T, E: std::fmt::Debug>(&mut self, make: fn(i64) -> Result<T, E>) -> T {
        self.next += 1;
        id(self.next - 1, make)
    }
}

/// An id from a number known to be good.
#[expect(clippy::expect_used, reason = "a fake's own numbers are above zero")]
pub(super) fn id<T, E: std::fmt::Debug>(raw: i64, make: fn(i64) -> Result<T, E>) -> T {
    make(raw).expect("ids are above zero")
}

fn person(id: MoodleUserId, username: &str, email: &str, idnumber: &str) -> Candidate {
    Candidate {
        id,
        username: username.into(),
        email: email.into(),
        idnumber: idnumber.into(),
        first_name: "Nadia".into(),
        last_name: "Newman".into(),
    }
}

fn has(user: &Candidate, key: UserKey, value: &str) -> bool {
    match key {
        UserKey::Id => user.id.to_string() == value,
        UserKey::IdNumber => !value.is_empty() && user.idnumber == value,
        UserKey::Username => user.username == value,
        UserKey::Email => folded(&user.email) == folded(value),
    }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn replace<T: Clone>(field: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        field.clone_from(new);
    }
}

fn rejected(code: &str, message: &str) -> LmsError {
    LmsError::Rejected {
        operation: "the change".into(),
        code: code.into(),
        message: message.into(),
    }
}
