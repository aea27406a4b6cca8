//! Courses and their categories.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::users::folded;

/// A category of courses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Category {
    /// The id; 0 asks for the next one.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The institution's own key.
    pub idnumber: Option<String>,
    /// The category around it, 0 at the top.
    pub parent: u64,
    /// Unix seconds.
    pub time_modified: i64,
}

/// A course.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Course {
    /// The id; 0 asks for the next one.
    pub id: u64,
    /// Its category; 0 for the site's own course.
    pub category_id: u64,
    /// Position among all courses; the newest of a category comes first.
    pub sort_order: u64,
    /// Its name.
    pub fullname: String,
    /// Unique by check, not by index.
    pub shortname: String,
    /// The institution's own key; unique by check unless empty.
    pub idnumber: String,
    /// Its summary, HTML.
    pub summary: String,
    /// How the summary is written.
    pub summary_format: i64,
    /// How it is laid out; a format that does not exist is accepted and stored.
    pub format: String,
    /// How many sections.
    pub sections: i64,
    /// Unix seconds.
    pub start_date: i64,
    /// Unix seconds, 0 for none.
    pub end_date: i64,
    /// Students see it.
    pub visible: bool,
    /// Forced language, or empty.
    pub lang: String,
    /// How many announcements are shown.
    pub news_items: i64,
    /// Unix seconds.
    pub time_created: i64,
    /// Unix seconds.
    pub time_modified: i64,
}

impl Default for Course {
    fn default() -> Self {
        Self {
            id: 0,
            category_id: 1,
            sort_order: 0,
            fullname: String::new(),
            shortname: String::new(),
            idnumber: String::new(),
            summary: String::new(),
            summary_format: 1,
            format: "topics".to_owned(),
            sections: 4,
            start_date: 0,
            end_date: 0,
            visible: true,
            lang: String::new(),
            news_items: 5,
            time_created: 0,
            time_modified: 0,
        }
    }
}

impl Course {
    /// Whether a column is too short for its value (`contracts/moodle-db-columns.txt`, `mdl_course`).
    pub(in crate::moodle) fn overflows(&self) -> bool {
        [
            (&self.fullname, 1333),
            (&self.shortname, 255),
            (&self.idnumber, 100),
            (&self.format, 21),
        ]
        .into_iter()
        .any(|(text, limit)| text.chars().count() > limit)
    }
}

/// All courses. Neither short name nor idnumber is unique here: Moodle only checks them first.
#[derive(Debug, Default)]
pub(in crate::moodle) struct Courses {
    rows: BTreeMap<u64, Course>,
    by_shortname: HashMap<String, BTreeSet<u64>>,
    by_idnumber: HashMap<String, BTreeSet<u64>>,
    by_category: HashMap<u64, BTreeSet<u64>>,
    last_id: u64,
}

impl Courses {
    /// Adds a course. An id or a sort order of 0 asks for the next one.
    pub(in crate::moodle) fn insert(&mut self, mut course: Course) -> u64 {
        if course.id == 0 {
            course.id = self.last_id + 1;
        }
        if course.sort_order == 0 {
            course.sort_order = self.first_place(course.category_id);
        }
        let id = course.id;
        self.last_id = self.last_id.max(id);
        self.index(&course);
        self.rows.insert(id, course);
        id
    }

    /// Changes a course that exists.
    pub(in crate::moodle) fn update(&mut self, id: u64, change: impl FnOnce(&mut Course)) {
        if let Some(before) = self.rows.get(&id).cloned() {
            let mut after = before.clone();
            change(&mut after);
            after.id = id;
            self.unindex(&before);
            self.index(&after);
            self.rows.insert(id, after);
        }
    }

    /// Takes a row back, as a rolled-back transaction does.
    pub(in crate::moodle) fn remove(&mut self, id: u64) {
        if let Some(course) = self.rows.remove(&id) {
            self.unindex(&course);
        }
    }

    pub(in crate::moodle) fn get(&self, id: u64) -> Option<&Course> {
        self.rows.get(&id)
    }

    /// Every course by id, the site's own included.
    pub(in crate::moodle) fn iter(&self) -> impl Iterator<Item = &Course> {
        self.rows.values()
    }

    pub(in crate::moodle) fn with_shortname(&self, name: &str) -> impl Iterator<Item = &Course> {
        self.each(self.by_shortname.get(&folded(name)))
    }

    pub(in crate::moodle) fn with_idnumber(&self, idnumber: &str) -> impl Iterator<Item = &Course> {
        self.each(self.by_idnumber.get(&folded(idnumber)))
    }

    pub(in crate::moodle) fn in_category(&self, id: u64) -> impl Iterator<Item = &Course> {
        self.each(self.by_category.get(&id))
    }

    fn each<'a>(&'a self, ids: Option<&'a BTreeSet<u64>>) -> impl Iterator<Item = &'a Course> {
        ids.into_iter().flatten().filter_map(|id| self.rows.get(id))
    }

    /// Makes room at the top of a category and returns that place.
    fn first_place(&mut self, category: u64) -> u64 {
        let ids = self.by_category.get(&category).cloned().unwrap_or_default();
        for id in ids {
            if let Some(course) = self.rows.get_mut(&id) {
                course.sort_order += 1;
            }
        }
        category * 10_000 + 1
    }

    fn index(&mut self, course: &Course) {
        let Course {
            id, category_id, ..
        } = *course;
        self.by_shortname
            .entry(folded(&course.shortname))
            .or_default()
            .insert(id);
        self.by_idnumber
            .entry(folded(&course.idnumber))
            .or_default()
            .insert(id);
        self.by_category.entry(category_id).or_default().insert(id);
    }

    fn unindex(&mut self, course: &Course) {
        let Course {
            id, category_id, ..
        } = *course;
        let entries = [
            self.by_shortname.get_mut(&folded(&course.shortname)),
            self.by_idnumber.get_mut(&folded(&course.idnumber)),
            self.by_category.get_mut(&category_id),
        ];
        for ids in entries.into_iter().flatten() {
            ids.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_course_of_a_category_comes_first() {
        let mut courses = Courses::default();
        let new = || Course {
            category_id: 3,
            ..Course::default()
        };
        let (older, newer) = (courses.insert(new()), courses.insert(new()));

        let order = |id| courses.get(id).unwrap().sort_order;

        assert_eq!((order(older), order(newer)), (30_002, 30_001));
    }

    #[test]
    fn a_moved_course_is_found_in_its_new_category_only() {
        let mut courses = Courses::default();
        let id = courses.insert(Course {
            category_id: 3,
            ..Course::default()
        });
        courses.update(id, |course| course.category_id = 4);

        assert_eq!(courses.in_category(3).count(), 0);
        assert_eq!(courses.in_category(4).count(), 1);
    }
}
