//! The local columns of each entity: what a mapping may fill, and with what kind of value.
//!
//! Names are those of the operator's guide where it has them. Every business table also carries
//! the system columns (`connection_id`, `zoho_id`, `zoho_modified_at`, `content_hash`,
//! `mapping_version`, `deleted_at`, `created_at`, `updated_at`), which no mapping fills.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::entity::Entity;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text of any length.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A civil date.
    Date,
    /// A moment, stored in UTC.
    Instant,
    /// An amount in hundredths of its currency.
    Money,
}

/// One column of an entity's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in the database, in mappings and in history.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A value in a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// See [`Kind::Text`].
    Text(String),
    /// See [`Kind::Integer`].
    Integer(i64),
    /// See [`Kind::Boolean`].
    Boolean(bool),
    /// See [`Kind::Date`].
    Date(NaiveDate),
    /// See [`Kind::Instant`].
    Instant(DateTime<Utc>),
    /// See [`Kind::Money`].
    Money(i64),
}

impl Value {
    /// The kind of column this value fits.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Integer(_) => Kind::Integer,
            Self::Boolean(_) => Kind::Boolean,
            Self::Date(_) => Kind::Date,
            Self::Instant(_) => Kind::Instant,
            Self::Money(_) => Kind::Money,
        }
    }

    /// The value as history and reports show it.
    pub fn display(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(flag) => flag.to_string(),
            Self::Date(date) => date.to_string(),
            Self::Instant(at) => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            Self::Money(minor) => {
                let sign = if *minor < 0 { "-" } else { "" };
                let units = minor.unsigned_abs();
                format!("{sign}{}.{:02}", units / 100, units % 100)
            }
        }
    }
}

/// Columns with their values. A column that is absent was not read; `None` is a read null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<&'static str, Option<Value>>);

impl Values {
    /// No columns at all.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets a column, to a value or to a read null.
    pub fn set(&mut self, column: &'static str, value: Option<Value>) {
        self.0.insert(column, value);
    }

    /// The value of a column, if it was read and is not null.
    pub fn find(&self, column: &str) -> Option<&Value> {
        self.0.get(column)?.as_ref()
    }

    /// Whether the column was read, null or not.
    pub fn has(&self, column: &str) -> bool {
        self.0.contains_key(column)
    }

    /// The text of a column, trimmed; nothing if blank or of another kind.
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.find(column)? {
            Value::Text(text) => crate::text::non_blank(text),
            _ => None,
        }
    }

    /// The date of a column.
    pub fn date(&self, column: &str) -> Option<NaiveDate> {
        match self.find(column)? {
            Value::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// Every column with its value, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Option<&Value>)> {
        self.0.iter().map(|(name, value)| (*name, value.as_ref()))
    }

    /// These values with `newer` laid over them: what was not read stays as it was.
    pub fn overlaid(&self, newer: &Self) -> Self {
        let mut merged = self.clone();
        for (name, value) in &newer.0 {
            merged.0.insert(name, value.clone());
        }
        merged
    }
}

impl FromIterator<(&'static str, Option<Value>)> for Values {
    fn from_iter<I: IntoIterator<Item = (&'static str, Option<Value>)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

macro_rules! columns {
    ($($kind:ident: $($name:literal)*;)*) => {
        &[$($(Column { name: $name, kind: Kind::$kind },)*)*]
    };
}

const PROGRAMS: &[Column] = columns! {
    Text: "name" "moodle_id" "status" "program_number" "program_type" "major" "sub_major" "description";
    Money: "price";
};

const UNITS: &[Column] = columns! {
    Text: "unit_name" "unit_code" "unit_number" "credit" "level" "major" "service_type" "program_zoho_id";
};

const TEACHERS: &[Column] = columns! {
    Text: "name" "email" "academic_email" "phone_number" "moodle_user_id";
};

const STUDENTS: &[Column] = columns! {
    Text: "student_id" "first_name" "last_name" "display_name" "first_name_native" "last_name_native"
        "username" "academic_email" "personal_email" "phone_number" "address" "city" "nationality"
        "gender" "emergency_contact_name" "emergency_contact_phone" "status" "moodle_user_id"
        "national_id" "major" "sub_major" "registration_number" "program_zoho_id" "academic_program"
        "study_language" "study_mode" "intake";
    Date: "date_of_birth";
    Instant: "zoho_created_at";
};

const CLASSES: &[Column] = columns! {
    Text: "class_name" "class_short_name" "class_status" "moodle_class_id" "program_zoho_id"
        "program_name" "unit_zoho_id" "unit_name" "teacher_zoho_id" "teacher_name" "year" "term"
        "classroom" "study_mode" "ms_teams_id";
    Date: "start_date" "end_date";
};

const REGISTRATIONS: &[Column] = columns! {
    Text: "registration_number" "student_zoho_id" "program_zoho_id" "program_name"
        "registration_status" "currency" "study_mode" "study_language" "btec_reg_no" "intake" "note";
    Date: "registration_date";
    Money: "total_fees" "remaining_amount";
};

const ENROLLMENTS: &[Column] = columns! {
    Text: "enrollment_name" "student_zoho_id" "student_name" "class_zoho_id" "class_name"
        "enrolled_program" "enrollment_type" "status" "moodle_course_id";
    Date: "start_date" "end_date";
};

const PAYMENTS: &[Column] = columns! {
    Text: "payment_number" "registration_zoho_id" "student_zoho_id" "payment_method" "payment_type"
        "currency" "voucher_number" "accepted" "decline_reason" "note";
    Integer: "installment_no";
    Date: "payment_date";
    Money: "amount";
};

const GRADES: &[Column] = columns! {
    Text: "grade_number" "student_zoho_id" "class_zoho_id" "unit_name" "btec_grade_name" "grade"
        "grade_status" "feedback" "composite_key" "moodle_grade_id" "grader_name" "iv_name";
    Integer: "attempt_number";
    Date: "grade_date";
};

const STUDENT_REQUESTS: &[Column] = columns! {
    Text: "request_name" "student_zoho_id" "request_type" "request_status" "reason" "academic_email"
        "moodle_user_id" "currency";
    Instant: "requested_at";
    Money: "fees_amount";
};

impl Entity {
    /// The columns a mapping may fill.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Programs => PROGRAMS,
            Self::Units => UNITS,
            Self::Teachers => TEACHERS,
            Self::Students => STUDENTS,
            Self::Classes => CLASSES,
            Self::Registrations => REGISTRATIONS,
            Self::Enrollments => ENROLLMENTS,
            Self::Payments => PAYMENTS,
            Self::Grades => GRADES,
            Self::StudentRequests => STUDENT_REQUESTS,
        }
    }

    /// The column with this name.
    pub fn column(self, name: &str) -> Option<Column> {
        self.columns()
            .iter()
            .copied()
            .find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_are_unique_within_an_entity() {
        for entity in Entity::ALL {
            let mut names: Vec<_> = entity.columns().iter().map(|column| column.name).collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "{entity}");
        }
    }

    #[test]
    fn what_was_not_read_stays_and_a_read_null_clears() {
        let before: Values = [
            ("city", Some(Value::Text("Amman".into()))),
            ("address", Some(Value::Text("1 Hill St".into()))),
        ]
        .into_iter()
        .collect();
        let read: Values = [("address", None)].into_iter().collect();

        let after = before.overlaid(&read);

        assert_eq!(after.text("city"), Some("Amman"));
        assert_eq!(after.find("address"), None);
        assert!(after.has("address"));
    }

    #[test]
    fn money_is_shown_with_two_decimals() {
        assert_eq!(Value::Money(125_000).display(), "1250.00");
        assert_eq!(Value::Money(-5).display(), "-0.05");
    }
}
