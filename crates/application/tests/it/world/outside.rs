//! What both systems look like, in words that do not depend on the order in which ids were given.

use std::collections::{BTreeMap, BTreeSet};

use mzi_domain::{Entity, Lane, ZohoId};
use mzi_ports::Ledger;

use super::{World, zoho};

/// Moodle, and what Zoho knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Names and addresses of users, by ID number.
    pub users: BTreeMap<String, Vec<String>>,
    /// Short names and categories, by ID number.
    pub courses: BTreeMap<String, Vec<String>>,
    /// Enrolments, by the ID numbers of course and user (or the username of one without).
    pub seats: BTreeSet<(String, String, String)>,
    /// What Zoho says a record is in Moodle, by the ID number found there.
    pub written_back: BTreeMap<String, String>,
    /// Open issues.
    pub issues: BTreeSet<(String, String)>,
}

impl World {
    /// Both systems as they stand.
    pub async fn outside(&self) -> Outside {
        Outside {
            users: self.users(),
            courses: self.courses(),
            seats: self.seats(),
            written_back: self.written_back(),
            issues: self
                .issues()
                .await
                .into_iter()
                .map(|issue| (issue.zoho_id.unwrap_or_default(), issue.code))
                .collect(),
        }
    }

    fn users(&self) -> BTreeMap<String, Vec<String>> {
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for user in self.lms.users() {
            let shown = format!(
                "{} {} <{}> {}",
                user.first_name, user.last_name, user.email, user.username
            );
            users.entry(user.idnumber).or_default().push(shown);
        }
        users
    }

    fn courses(&self) -> BTreeMap<String, Vec<String>> {
        let mut courses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for course in self.lms.courses() {
            let shown = format!("{} in {}", course.found.shortname, course.category);
            courses
                .entry(course.found.idnumber)
                .or_default()
                .push(shown);
        }
        courses
    }

    fn seats(&self) -> BTreeSet<(String, String, String)> {
        let seats = self.lms.enrolments();
        let named = seats.into_iter().map(|seat| {
            let user = self.lms.user(seat.user).unwrap();
            let course = self.lms.course(seat.course).unwrap().found;
            let who = if user.idnumber.is_empty() {
                user.username
            } else {
                user.idnumber
            };
            let how = if seat.suspended {
                "suspended"
            } else {
                "active"
            };
            (course.idnumber, who, format!("{} {how}", seat.role))
        });
        named.collect()
    }

    fn written_back(&self) -> BTreeMap<String, String> {
        let users = self.lms.users();
        let courses = self.lms.courses();
        let user = |raw: String| {
            let found = users.iter().find(|user| user.id.to_string() == raw);
            found.map_or(raw, |user| user.idnumber.clone())
        };
        let course = |raw: String| {
            let found = courses.iter().find(|one| one.found.id.to_string() == raw);
            found.map_or(raw, |one| one.found.idnumber.clone())
        };
        let mut said = BTreeMap::new();
        for (module, field, is_user) in [
            ("BTEC_Students", "Student_Moodle_ID", true),
            ("BTEC_Classes", "Moodle_Class_ID", false),
            ("BTEC_Enrollments", "Moodle_Course_ID", false),
        ] {
            for id in self.crm.ids(module) {
                if let Some(raw) = self.in_zoho(module, id.as_str(), field) {
                    let named = if is_user { user(raw) } else { course(raw) };
                    said.insert(id.to_string(), named);
                }
            }
        }
        said
    }
}

/// The invariants of the design, as far as they can be seen from here.
impl World {
    /// I3, I4 and I7, which hold at every moment.
    pub async fn keeps_its_invariants(&self) {
        self.no_row_went_back();
        self.nobody_is_there_twice();
        self.history_explains_every_field().await;
    }

    /// I3: a local row never goes back in version.
    fn no_row_went_back(&self) {
        let mut newest = BTreeMap::new();
        for change in self.fuse.written() {
            let row = (change.entity, change.id);
            let before = newest.insert(row.clone(), change.modified_at).flatten();
            assert!(before <= change.modified_at, "{row:?} went back");
        }
    }

    /// I4: at most one Moodle user per student (one enrolment per user and course holds by the
    /// shape of the fake), and by the same token one course per class.
    fn nobody_is_there_twice(&self) {
        for (idnumber, users) in self.users() {
            assert!(
                idnumber.is_empty() || users.len() == 1,
                "{idnumber}: {users:?}"
            );
        }
        for (idnumber, courses) in self.courses() {
            assert!(
                idnumber.is_empty() || courses.len() == 1,
                "{idnumber}: {courses:?}"
            );
        }
    }

    /// I7: replaying a record's history gives its values, and every step starts where the one
    /// before ended.
    async fn history_explains_every_field(&self) {
        for entity in Entity::ALL {
            for id in self.ids_ever_of(entity) {
                let mut replayed = BTreeMap::new();
                for entry in self.store.history(entity, &id) {
                    for field in entry.fields {
                        let before = replayed.insert(field.column, field.after).flatten();
                        assert_eq!(before, field.before, "{entity} {id} {}", field.column);
                    }
                }
                let held = self.store.stored(entity, std::slice::from_ref(&id)).await;
                for (column, value) in held.unwrap().iter().flat_map(|row| row.values.iter()) {
                    let explained = replayed.get(column).and_then(Option::as_ref);
                    assert_eq!(explained, value, "{entity} {id} {column}");
                }
            }
        }
    }

    fn ids_ever_of(&self, entity: Entity) -> BTreeSet<ZohoId> {
        let written = self.fuse.written();
        let own = written.into_iter().filter(|change| change.entity == entity);
        own.map(|change| change.id).collect()
    }

    /// I2 and I5: everything that is not shown as an issue is done.
    pub async fn has_nothing_left_to_do(&self) {
        let troubled: BTreeSet<(String, String)> = self
            .issues()
            .await
            .into_iter()
            .filter_map(|issue| Some((issue.operation?, issue.zoho_id?)))
            .collect();
        for lane in Lane::all() {
            for raw in crate::ids::ALL {
                let work = (lane.name().to_owned(), (*raw).to_owned());
                let open = self.is_unsettled(lane, raw) && !troubled.contains(&work);
                assert!(!open, "{work:?} is neither done nor an issue");
            }
        }
    }

    /// Asserts that a record has the values Zoho has: its row is not behind.
    pub async fn is_up_to_date(&self, entity: Entity, id: &str, column: &str, expected: &str) {
        let held = self.store.stored(entity, &[zoho(id)]).await.unwrap();
        assert_eq!(held[0].values.text(column), Some(expected));
    }
}
