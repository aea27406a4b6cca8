//! The body of a write.

use chrono::DateTime;
use serde_json::{Map, Value, json};

use crate::{serve::Request, zoho::refusal::Refusal};

/// The most records of one write.
pub(super) const MAX_RECORDS: usize = 100;

/// A write's body, read.
pub(super) struct Body {
    pub records: Vec<Map<String, Value>>,
    pub duplicate_check_fields: Vec<String>,
    /// `If-Unmodified-Since`, in seconds.
    pub unmodified_since: Option<i64>,
}

impl Body {
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        let body: Value = serde_json::from_slice(&request.body).map_err(|_not_json| malformed())?;
        let Some(data) = body.get("data") else {
            let refusal = Refusal::new(400, "MANDATORY_NOT_FOUND", "required field not found");
            return Err(refusal.with(json!({"api_name": "data", "json_path": "$.data"})));
        };
        let Some(data) = data.as_array().filter(|data| !data.is_empty()) else {
            return Err(Refusal::invalid_data()
                .with(json!({"api_name": "data", "json_path": "$.data", "expected_data_type": "jsonarray"})));
        };
        if data.len() > MAX_RECORDS {
            let message = "Record insertion limit has been exceeded.";
            return Err(Refusal::new(400, "LIMIT_EXCEEDED", message)
                .with(json!({"api_name": "data", "json_path": "$.data", "limit": MAX_RECORDS})));
        }
        let records = data.iter().map(|record| record.as_object().cloned());
        let records = records.collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
        Ok(Self {
            records,
            duplicate_check_fields: texts(body.get("duplicate_check_fields")),
            unmodified_since: unmodified_since(request)?,
        })
    }
}

fn malformed() -> Refusal {
    Refusal::new(400, "INVALID_DATA", "body").with(json!({"expected_data_type": "jsonobject"}))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(ToOwned::to_owned))
        .collect()
}

fn unmodified_since(request: &Request) -> Result<Option<i64>, Refusal> {
    let Some(text) = request.header("if-unmodified-since") else {
        return Ok(None);
    };
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => Ok(Some(instant.timestamp())),
        Err(_) => Err(Refusal::invalid_data().with(json!({"header": "If-Unmodified-Since"}))),
    }
}
