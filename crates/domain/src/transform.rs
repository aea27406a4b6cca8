//! Typed transforms: from a Zoho field to a column's value.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    columns::{Kind, Value},
    record::FieldValue,
    text::Invalid,
};

/// How a column's value is made from a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// The value as it is, as text.
    Value,
    /// The value without surrounding white space, in lower case.
    Lower,
    /// The id of the record a lookup names.
    LookupId,
    /// The name of the record a lookup names.
    LookupName,
    /// A civil date; a moment becomes the date it has in the organisation's time zone.
    Date,
    /// A moment in UTC.
    DatetimeUtc,
    /// An amount, also out of text such as `JOD 1,250.00`, in hundredths.
    Money,
    /// A whole number, also out of text.
    Integer,
    /// A checkbox, also out of the words true, false, yes, no, 1 and 0.
    Boolean,
}

impl Transform {
    /// The word shown in history and stored in mappings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Lower => "lower",
            Self::LookupId => "lookup_id",
            Self::LookupName => "lookup_name",
            Self::Date => "date",
            Self::DatetimeUtc => "datetime_utc",
            Self::Money => "money",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }

    /// The kind of column the result fits.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Value | Self::Lower | Self::LookupId | Self::LookupName => Kind::Text,
            Self::Date => Kind::Date,
            Self::DatetimeUtc => Kind::Instant,
            Self::Money => Kind::Money,
            Self::Integer => Kind::Integer,
            Self::Boolean => Kind::Boolean,
        }
    }

    /// The column's value: nothing for null and for blank text, an error for what does not fit.
    pub fn apply(self, field: &FieldValue, zone: Tz) -> Result<Option<Value>, Invalid> {
        match (self, field) {
            (_, FieldValue::Null) => Ok(None),
            (Self::LookupId, FieldValue::Lookup { id, .. }) => Ok(text(id)),
            (Self::LookupName, FieldValue::Lookup { name, .. }) => {
                Ok(name.as_deref().and_then(text))
            }
            // Links to records also come as a bare id (COQL, bulk read).
            (Self::LookupId, FieldValue::Text(id)) => Ok(text(id)),
            (Self::LookupId | Self::LookupName, _) => Err(Invalid::new("lookup", "a lookup")),
            (Self::Boolean, FieldValue::Bool(flag)) => Ok(Some(Value::Boolean(*flag))),
            _ => match plain(field)? {
                None => Ok(None),
                Some(plain) => self.value_of(&plain, zone).map(Some),
            },
        }
    }

    fn value_of(self, raw: &str, zone: Tz) -> Result<Value, Invalid> {
        match self {
            Self::Lower => Ok(Value::Text(raw.to_lowercase())),
            Self::Date => date(raw, zone).map(Value::Date),
            Self::DatetimeUtc => moment(raw).map(Value::Instant),
            Self::Money => money(raw).map(Value::Money),
            Self::Integer => integer(raw).map(Value::Integer),
            Self::Boolean => boolean(raw).map(Value::Boolean),
            Self::Value | Self::LookupId | Self::LookupName => Ok(Value::Text(raw.to_owned())),
        }
    }
}

/// A moment as Zoho writes it: ISO 8601 with an offset, no milliseconds.
pub fn moment(raw: &str) -> Result<DateTime<Utc>, Invalid> {
    DateTime::parse_from_rfc3339(raw.trim())
        .ok()
        .map(|at| at.with_timezone(&Utc))
        .ok_or(Invalid::new("date and time", "ISO 8601 with an offset"))
}

/// The field as trimmed text without the NUL PostgreSQL cannot hold; nothing if blank.
fn plain(field: &FieldValue) -> Result<Option<String>, Invalid> {
    let raw = match field {
        FieldValue::Text(raw) | FieldValue::Number(raw) => raw.clone(),
        FieldValue::Bool(flag) => flag.to_string(),
        FieldValue::Lookup { id, name } => name.clone().unwrap_or_else(|| id.clone()),
        FieldValue::Many(many) => {
            let parts: Result<Vec<_>, _> = many.iter().map(plain).collect();
            parts?.into_iter().flatten().collect::<Vec<_>>().join("; ")
        }
        FieldValue::Null => String::new(),
        FieldValue::Rows(_) => return Err(Invalid::new("field", "a single value, not rows")),
    };
    let clean = raw.replace('\0', "");
    let trimmed = clean.trim();
    Ok((!trimmed.is_empty()).then(|| trimmed.to_owned()))
}

fn text(raw: &str) -> Option<Value> {
    crate::text::non_blank(raw).map(|text| Value::Text(text.to_owned()))
}

fn date(raw: &str, zone: Tz) -> Result<NaiveDate, Invalid> {
    if let Ok(date) = NaiveDate::parse_from_str(raw, "%Y-%m-%d") {
        return Ok(date);
    }
    match moment(raw) {
        Ok(at) => Ok(at.with_timezone(&zone).date_naive()),
        Err(_moment) => Err(Invalid::new("date", "YYYY-MM-DD")),
    }
}

fn integer(raw: &str) -> Result<i64, Invalid> {
    let bad = Invalid::new("number", "a whole number");
    if let Ok(number) = raw.parse() {
        return Ok(number);
    }
    // A double field holds whole numbers as `3.0`.
    let (whole, rest) = raw.split_once('.').ok_or(bad.clone())?;
    if rest.bytes().all(|byte| byte == b'0') {
        whole.parse().ok().ok_or(bad)
    } else {
        Err(bad)
    }
}

fn boolean(raw: &str) -> Result<bool, Invalid> {
    match raw.to_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(Invalid::new("checkbox", "true or false")),
    }
}

/// Hundredths out of text: everything but digits, point and minus is decoration.
fn money(raw: &str) -> Result<i64, Invalid> {
    let bad = Invalid::new("amount", "an amount such as 1250.00");
    let kept: String = raw
        .chars()
        .filter(|c| c.is_ascii_digit() || ".-".contains(*c))
        .collect();
    let (sign, digits) = match kept.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, kept.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !numeric(whole) || !numeric(fraction) {
        return Err(bad);
    }
    let units: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok().ok_or(bad.clone())?
    };
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    let mills: i64 = padded.parse().ok().ok_or(bad.clone())?;
    units
        .checked_mul(100)
        .and_then(|minor| minor.checked_add((mills + 5) / 10))
        .map(|minor| sign * minor)
        .ok_or(bad)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(raw: &str) -> FieldValue {
        FieldValue::Text(raw.to_owned())
    }

    #[test]
    fn money_is_read_out_of_text() {
        for (raw, minor) in [
            ("1250", 125_000),
            ("JOD 1,250.50", 125_050),
            ("-3.5", -350),
            ("0.999", 100),
            (".5", 50),
        ] {
            let value = Transform::Money.apply(&field(raw), Tz::UTC).unwrap();
            assert_eq!(value, Some(Value::Money(minor)), "{raw}");
        }
        for raw in ["free", "1.2.3", "--4", "99999999999999999999"] {
            assert!(
                Transform::Money.apply(&field(raw), Tz::UTC).is_err(),
                "{raw}"
            );
        }
    }

    #[test]
    fn a_moment_becomes_the_date_it_has_in_the_organisations_zone() {
        let late = field("2026-09-30T22:30:00+00:00");
        let amman = Transform::Date.apply(&late, Tz::Asia__Amman).unwrap();
        assert_eq!(amman, NaiveDate::from_ymd_opt(2026, 10, 1).map(Value::Date));
    }

    #[test]
    fn null_and_blank_are_nothing() {
        for field in [FieldValue::Null, field("  "), field("\0")] {
            assert_eq!(Transform::Value.apply(&field, Tz::UTC), Ok(None));
        }
    }

    #[test]
    fn a_lookup_gives_its_id_and_its_name() {
        let lookup = FieldValue::Lookup {
            id: "9001".into(),
            name: Some("Nora O'Neil".into()),
        };
        let id = Transform::LookupId.apply(&lookup, Tz::UTC).unwrap();
        let name = Transform::LookupName.apply(&lookup, Tz::UTC).unwrap();
        assert_eq!(id, Some(Value::Text("9001".into())));
        assert_eq!(name, Some(Value::Text("Nora O'Neil".into())));
    }

    proptest! {
        #[test]
        fn no_text_makes_a_transform_panic(raw in ".*") {
            for transform in [
                Transform::Value, Transform::Lower, Transform::LookupId, Transform::LookupName,
                Transform::Date, Transform::DatetimeUtc, Transform::Money, Transform::Integer,
                Transform::Boolean,
            ] {
                let _ = transform.apply(&field(&raw), Tz::Asia__Amman);
            }
        }

        #[test]
        fn a_result_fits_its_column(minor in -10_000_000i64..10_000_000) {
            let shown = Value::Money(minor).display();
            let back = Transform::Money.apply(&field(&shown), Tz::UTC).unwrap();
            prop_assert_eq!(back, Some(Value::Money(minor)));
        }
    }
}
