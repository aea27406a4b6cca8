//! Refusals in Zoho's words, for a whole request or for one item of it.

use std::fmt;

use serde_json::{Value, json};

use crate::serve::Answer;

/// Why something was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The HTTP status, when the whole request is refused.
    pub http: u16,
    /// Zoho's code, such as `INVALID_DATA`.
    pub code: &'static str,
    /// Zoho's message.
    pub message: &'static str,
    /// Zoho's details.
    pub details: Value,
}

impl Refusal {
    pub(crate) fn new(http: u16, code: &'static str, message: &'static str) -> Self {
        Self {
            http,
            code,
            message,
            details: json!({}),
        }
    }

    pub(crate) fn with(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// The body Zoho sends, whether alone or as one item among others.
    pub(crate) fn body(&self) -> Value {
        json!({
            "code": self.code, "details": self.details, "message": self.message, "status": "error",
        })
    }

    /// The answer to a request that is refused as a whole.
    pub(crate) fn answer(&self) -> Answer {
        Answer::json(self.http, &self.body())
    }

    pub(crate) fn invalid_module() -> Self {
        Self::new(
            400,
            "INVALID_MODULE",
            "the module name given seems to be invalid",
        )
        .with(json!({"resource_path_index": 0}))
    }

    pub(crate) fn invalid_url() -> Self {
        let message = "Please check if the URL trying to access is a correct one";
        Self::new(404, "INVALID_URL_PATTERN", message)
    }

    pub(crate) fn invalid_method() -> Self {
        let message = "The http request method type is not a valid one";
        Self::new(400, "INVALID_REQUEST_METHOD", message)
    }

    pub(crate) fn invalid_id() -> Self {
        Self::new(400, "INVALID_DATA", "the id given seems to be invalid")
    }

    pub(crate) fn invalid_data() -> Self {
        Self::new(400, "INVALID_DATA", "invalid data")
    }

    /// A missing parameter of a record call; metadata and channels have other details.
    pub(crate) fn missing_param(name: &str) -> Self {
        Self::new(
            400,
            "REQUIRED_PARAM_MISSING",
            "One of the expected parameter is missing",
        )
        .with(json!({"param": name}))
    }

    pub(crate) fn bad_param(name: &str) -> Self {
        Self::invalid_data().with(json!({"param": name}))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} {}",
            self.code, self.message, self.details
        )
    }
}

impl std::error::Error for Refusal {}
