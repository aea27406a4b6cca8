//! Values as they are kept, and what may be written (`zoho.md` §2.1).

use chrono::{DateTime, NaiveDate};
use serde_json::{Number, Value, json};

use crate::{
    joined,
    zoho::schema::{DataType, Field, Target},
};

/// A value that is not null.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    Text(String),
    Flag(bool),
    Number(Number),
    /// Seconds since the epoch.
    Instant(i64),
    /// The id of a record in the field's target module.
    Reference(u64),
    Texts(Vec<String>),
    /// Kept as sent, for files.
    Json(Value),
}

/// Why a value does not fit its field; details as Zoho gives them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Unfit {
    WrongType,
    TooLong,
    NoSuchRecord,
}

impl Stored {
    /// Checks a written value; none clears the field.
    pub(super) fn parse(field: &Field, written: &Value) -> Result<Option<Self>, Unfit> {
        if written.is_null() {
            return match field.data_type {
                // A checkbox is never null.
                DataType::Boolean => Err(Unfit::WrongType),
                _ => Ok(None),
            };
        }
        let stored = match field.data_type {
            DataType::Boolean => written.as_bool().map(Self::Flag),
            DataType::Integer => written.as_i64().map(|number| Self::Number(number.into())),
            DataType::Double | DataType::Currency => written.as_number().cloned().map(Self::Number),
            DataType::Bigint => bigint(written),
            DataType::Date => written.as_str().filter(|text| is_date(text)).map(text),
            DataType::DateTime => written.as_str().and_then(instant).map(Self::Instant),
            DataType::Lookup => reference(written).map(Self::Reference),
            DataType::MultiPicklist => texts(written),
            DataType::FileUpload => written.is_array().then(|| Self::Json(written.clone())),
            DataType::Email => written.as_str().filter(|text| is_email(text)).map(text),
            _ => written.as_str().map(text),
        };
        // An empty text and null are the same to Zoho.
        if written.as_str() == Some("") {
            return Ok(None);
        }
        let stored = stored.ok_or(Unfit::WrongType)?;
        if stored.is_longer_than(field) {
            Err(Unfit::TooLong)
        } else {
            Ok(Some(stored))
        }
    }

    fn is_longer_than(&self, field: &Field) -> bool {
        match (self, field.data_type) {
            (Self::Number(number), DataType::Integer) => {
                number.to_string().trim_start_matches('-').len() > field.length
            }
            (Self::Text(text), _) => text.chars().count() > field.length,
            _ => false,
        }
    }

    /// The value in lower case for comparisons, as text.
    pub(crate) fn folded(&self) -> String {
        match self {
            Self::Text(text) => text.to_lowercase(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Instant(seconds) => seconds.to_string(),
            Self::Reference(id) => id.to_string(),
            Self::Texts(texts) => texts.join(";").to_lowercase(),
            Self::Json(_) => String::new(),
        }
    }

    pub(super) fn reference_of(&self) -> Option<u64> {
        if let Self::Reference(id) = self {
            Some(*id)
        } else {
            None
        }
    }
}

fn text(text: &str) -> Stored {
    Stored::Text(text.to_owned())
}

fn bigint(written: &Value) -> Option<Stored> {
    let digits = match written {
        Value::String(digits) => digits.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    digits
        .parse::<i64>()
        .is_ok()
        .then_some(Stored::Text(digits))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<NaiveDate>().is_ok()
}

/// A date and time with a numeric offset and without fractions: Zoho's documented form only.
pub(crate) fn instant(text: &str) -> Option<i64> {
    if text.contains('.') || text.ends_with(['Z', 'z']) {
        return None;
    }
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|instant| instant.timestamp())
}

fn is_email(text: &str) -> bool {
    text.is_empty()
        || text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && !text.contains(char::is_whitespace)
        })
}

fn texts(written: &Value) -> Option<Stored> {
    let texts = written
        .as_array()?
        .iter()
        .map(|item| item.as_str().map(ToOwned::to_owned));
    texts.collect::<Option<Vec<_>>>().map(Stored::Texts)
}

/// A lookup is written as `{"id": "…"}` or as the bare id.
pub(super) fn reference(written: &Value) -> Option<u64> {
    let id = written.get("id").unwrap_or(written);
    match id {
        Value::String(digits) => digits.parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

impl Unfit {
    /// Zoho's details for a field at a JSON path.
    pub(super) fn details(&self, field: &Field, json_path: &str) -> Value {
        let more = match self {
            Self::WrongType => json!({"expected_data_type": field.data_type.name()}),
            Self::TooLong => json!({"maximum_length": field.length}),
            Self::NoSuchRecord => json!({}),
        };
        joined(
            json!({"api_name": field.api_name, "json_path": json_path}),
            more,
        )
    }
}

/// The module a lookup leads to.
pub(super) fn target_module(field: &Field) -> Option<&str> {
    match &field.target {
        Target::Module(module) if field.data_type == DataType::Lookup => Some(module),
        _ => None,
    }
}
