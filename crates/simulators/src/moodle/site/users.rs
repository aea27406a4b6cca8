//! User accounts with the look-ups Moodle has an index for, and one it has not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

/// A user account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// The id; 0 asks for the next one.
    pub id: u64,
    /// Sign-in method.
    pub auth: String,
    /// The only unique key besides the id.
    pub username: String,
    /// The institution's own key; not unique.
    pub idnumber: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address; unique by check, not by index.
    pub email: String,
    /// May not sign in.
    pub suspended: bool,
    /// The row stays, every function behaves as if it did not.
    pub deleted: bool,
    /// Site administrators are refused by `core_user_update_users`.
    pub site_admin: bool,
    /// Was asked to be sent a password by e-mail.
    pub create_password: bool,
    /// Town.
    pub city: String,
    /// Two-letter country code.
    pub country: String,
    /// Language.
    pub lang: String,
    /// Time zone, `99` for the site's.
    pub timezone: String,
    /// Institution.
    pub institution: String,
    /// Department.
    pub department: String,
    /// First telephone number.
    pub phone1: String,
    /// Second telephone number.
    pub phone2: String,
    /// Postal address.
    pub address: String,
    /// About the user.
    pub description: String,
    /// Custom profile fields by short name.
    pub custom_fields: BTreeMap<String, String>,
    /// Unix seconds.
    pub time_created: i64,
    /// Unix seconds.
    pub time_modified: i64,
}

/// The country of accounts that name none, or one that does not exist.
pub(in crate::moodle) const SITE_COUNTRY: &str = "GB";

impl Default for User {
    fn default() -> Self {
        let text = String::new;
        Self {
            id: 0,
            auth: "manual".to_owned(),
            username: text(),
            idnumber: text(),
            firstname: text(),
            lastname: text(),
            email: text(),
            suspended: false,
            deleted: false,
            site_admin: false,
            create_password: false,
            city: text(),
            country: SITE_COUNTRY.to_owned(),
            lang: "en".to_owned(),
            timezone: "99".to_owned(),
            institution: text(),
            department: text(),
            phone1: text(),
            phone2: text(),
            address: text(),
            description: text(),
            custom_fields: BTreeMap::new(),
            time_created: 0,
            time_modified: 0,
        }
    }
}

impl User {
    /// First and last name as Moodle shows them.
    #[must_use]
    pub fn fullname(&self) -> String {
        format!("{} {}", self.firstname, self.lastname)
    }

    /// Whether a column is too short for its value (`contracts/moodle-db-columns.txt`, `mdl_user`).
    pub(in crate::moodle) fn overflows(&self) -> bool {
        [
            (&self.username, 100),
            (&self.firstname, 100),
            (&self.lastname, 100),
            (&self.email, 100),
            (&self.idnumber, 255),
            (&self.city, 120),
            (&self.institution, 255),
            (&self.department, 255),
            (&self.phone1, 20),
            (&self.phone2, 20),
            (&self.address, 255),
            (&self.timezone, 100),
        ]
        .into_iter()
        .any(|(text, limit)| text.chars().count() > limit)
    }
}

/// The row was refused by the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::moodle) struct NotWritten;

/// All accounts. Comparisons ignore case, as MariaDB's usual collation does.
#[derive(Debug, Default)]
pub(in crate::moodle) struct Users {
    rows: BTreeMap<u64, User>,
    by_username: HashMap<String, u64>,
    by_email: HashMap<String, BTreeSet<u64>>,
    by_idnumber: HashMap<String, BTreeSet<u64>>,
    last_id: u64,
}

impl Users {
    /// Adds an account. Only the username is unique; a used id is not given out again, also when
    /// the row is taken back.
    pub(in crate::moodle) fn insert(&mut self, mut user: User) -> Result<u64, NotWritten> {
        if user.overflows() || self.by_username.contains_key(&folded(&user.username)) {
            return Err(NotWritten);
        }
        if user.id == 0 {
            user.id = self.last_id + 1;
        }
        let id = user.id;
        if self.rows.contains_key(&id) {
            return Err(NotWritten);
        }
        self.last_id = self.last_id.max(id);
        self.index(&user);
        self.rows.insert(id, user);
        Ok(id)
    }

    /// Changes an account; nothing is kept when the database refuses the new row.
    pub(in crate::moodle) fn update(
        &mut self,
        id: u64,
        change: impl FnOnce(&mut User),
    ) -> Result<(), NotWritten> {
        let Some(before) = self.rows.get(&id) else {
            return Err(NotWritten);
        };
        let mut after = before.clone();
        change(&mut after);
        after.id = id;
        let holder = self.by_username.get(&folded(&after.username));
        if after.overflows() || holder.is_some_and(|holder| *holder != id) {
            return Err(NotWritten);
        }
        let before = before.clone();
        self.unindex(&before);
        self.index(&after);
        self.rows.insert(id, after);
        Ok(())
    }

    /// Takes a row back, as a rolled-back transaction does.
    pub(in crate::moodle) fn remove(&mut self, id: u64) {
        if let Some(user) = self.rows.remove(&id) {
            self.unindex(&user);
        }
    }

    /// An account that is not deleted.
    pub(in crate::moodle) fn get(&self, id: u64) -> Option<&User> {
        self.rows.get(&id).filter(|user| !user.deleted)
    }

    /// Every account that is not deleted, by id.
    pub(in crate::moodle) fn iter(&self) -> impl Iterator<Item = &User> {
        self.rows.values().filter(|user| !user.deleted)
    }

    pub(in crate::moodle) fn with_username(&self, username: &str) -> Option<&User> {
        self.by_username
            .get(&folded(username))
            .and_then(|id| self.get(*id))
    }

    pub(in crate::moodle) fn with_email(&self, email: &str) -> impl Iterator<Item = &User> {
        self.each(self.by_email.get(&folded(email)))
    }

    pub(in crate::moodle) fn with_idnumber(&self, idnumber: &str) -> impl Iterator<Item = &User> {
        self.each(self.by_idnumber.get(&folded(idnumber)))
    }

    fn each<'a>(&'a self, ids: Option<&'a BTreeSet<u64>>) -> impl Iterator<Item = &'a User> {
        ids.into_iter().flatten().filter_map(|id| self.get(*id))
    }

    fn index(&mut self, user: &User) {
        self.by_username.insert(folded(&user.username), user.id);
        self.by_email
            .entry(folded(&user.email))
            .or_default()
            .insert(user.id);
        self.by_idnumber
            .entry(folded(&user.idnumber))
            .or_default()
            .insert(user.id);
    }

    fn unindex(&mut self, user: &User) {
        self.by_username.remove(&folded(&user.username));
        drop_entry(&mut self.by_email, &user.email, user.id);
        drop_entry(&mut self.by_idnumber, &user.idnumber, user.id);
    }
}

fn drop_entry(index: &mut HashMap<String, BTreeSet<u64>>, key: &str, id: u64) {
    if let Some(ids) = index.get_mut(&folded(key)) {
        ids.remove(&id);
    }
}

/// How a text is compared: case does not count.
pub(in crate::moodle) fn folded(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(username: &str, email: &str) -> User {
        User {
            username: username.to_owned(),
            email: email.to_owned(),
            ..User::default()
        }
    }

    #[test]
    fn a_username_is_unique_but_an_email_is_not() {
        let mut users = Users::default();
        users.insert(user("amira", "same@x.example")).unwrap();

        assert_eq!(
            users.insert(user("Amira", "other@x.example")),
            Err(NotWritten)
        );
        assert_eq!(users.insert(user("ben", "same@x.example")), Ok(2));
        assert_eq!(users.with_email("SAME@x.example").count(), 2);
    }

    #[test]
    fn a_row_taken_back_leaves_a_gap_in_the_ids() {
        let mut users = Users::default();
        let first = users.insert(user("amira", "a@x.example")).unwrap();
        users.remove(first);

        assert_eq!(users.insert(user("amira", "a@x.example")), Ok(first + 1));
        assert_eq!(users.with_email("a@x.example").count(), 1);
    }

    #[test]
    fn an_update_moves_the_look_ups_and_a_refused_one_changes_nothing() {
        let mut users = Users::default();
        let amira = users.insert(user("amira", "a@x.example")).unwrap();
        users.insert(user("ben", "b@x.example")).unwrap();

        users
            .update(amira, |user| user.idnumber = "900".to_owned())
            .unwrap();
        let refused = users.update(amira, |user| user.username = "ben".to_owned());

        assert_eq!(refused, Err(NotWritten));
        assert_eq!(
            users
                .with_idnumber("900")
                .map(|user| user.id)
                .collect::<Vec<_>>(),
            [amira]
        );
        assert_eq!(
            users.with_username("amira").map(|user| user.id),
            Some(amira)
        );
    }

    #[test]
    fn the_empty_idnumber_finds_those_without_one() {
        let mut users = Users::default();
        users.insert(user("amira", "a@x.example")).unwrap();

        assert_eq!(users.with_idnumber("").count(), 1);
    }

    #[test]
    fn a_value_longer_than_its_column_is_refused() {
        let mut users = Users::default();
        let long = User {
            firstname: "A".repeat(101),
            ..user("long", "l@x.example")
        };

        assert_eq!(users.insert(long), Err(NotWritten));
    }
}
