//! The ways Moodle refuses, all of them with HTTP status 200 (`contracts/moodle.md` §3 and §5).

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{access::Capability, options::MoodleVersion, site::NotWritten};

const MOODLE: &str = r"core\exception\moodle_exception";

/// An answer `{exception, errorcode, message}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) exception: &'static str,
    pub(super) errorcode: Cow<'static, str>,
    pub(super) message: Cow<'static, str>,
}

impl Refusal {
    /// The most common class.
    pub(super) fn moodle(
        errorcode: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            exception: MOODLE,
            errorcode: errorcode.into(),
            message: message.into(),
        }
    }

    /// Bad data, a missing key and a duplicate alike: the reason shows only with debugging on.
    pub(super) fn invalid_parameter() -> Self {
        Self {
            exception: r"core\exception\invalid_parameter_exception",
            errorcode: "invalidparameter".into(),
            message: "Invalid parameter value detected".into(),
        }
    }

    /// Moodle's own answer failed its own check.
    pub(super) fn invalid_response() -> Self {
        Self {
            exception: r"core\exception\invalid_response_exception",
            errorcode: "invalidresponse".into(),
            message: "Invalid response value detected".into(),
        }
    }

    pub(super) fn invalid_token() -> Self {
        Self::moodle("invalidtoken", "Invalid token - token not found")
    }

    /// Many causes, one answer: see `contracts/moodle.md` §3.
    pub(super) fn access() -> Self {
        Self {
            exception: "webservice_access_exception",
            errorcode: "accessexception".into(),
            message: "Access control exception".into(),
        }
    }

    pub(super) fn maintenance() -> Self {
        Self::moodle(
            "sitemaintenance",
            "The site is undergoing maintenance and is currently not available",
        )
    }

    pub(super) fn owner_suspended(username: &str) -> Self {
        Self::moodle(
            "wsaccessusersuspended",
            format!("Refused web service access for suspended username: {username}"),
        )
    }

    pub(super) fn no_permission(missing: Capability) -> Self {
        Self {
            exception: r"core\exception\required_capability_exception",
            errorcode: "nopermissions".into(),
            message: format!(
                "Sorry, but you do not currently have permissions to do that ({}).",
                missing.label()
            )
            .into(),
        }
    }

    /// The caller may not enter the course.
    pub(super) fn not_in_course() -> Self {
        Self {
            exception: r"core\exception\require_login_exception",
            errorcode: "requireloginerror".into(),
            message: "Course or activity not accessible.".into(),
        }
    }

    /// The database refused a row: too long, or a unique index.
    pub(super) fn write() -> Self {
        Self {
            exception: "dml_write_exception",
            errorcode: "dmlwriteexception".into(),
            message: "Error writing to database".into(),
        }
    }

    /// A row that is not there; the code depends on the version.
    pub(super) fn missing_row(version: MoodleVersion, table: &str) -> Self {
        match version {
            MoodleVersion::V4_5 => Self::missing(
                "invalidrecord",
                format!("Can't find data record in database table {table}."),
            ),
            MoodleVersion::V5_1 => Self::missing_on_5_1(),
        }
    }

    /// A user that is not there.
    pub(super) fn missing_user(version: MoodleVersion) -> Self {
        match version {
            MoodleVersion::V4_5 => Self::missing("invaliduser", "Invalid user"),
            MoodleVersion::V5_1 => Self::missing_on_5_1(),
        }
    }

    fn missing_on_5_1() -> Self {
        Self::missing(
            "invalidrecordunknown",
            "Can't find data record in database.",
        )
    }

    fn missing(errorcode: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            exception: "dml_missing_record_exception",
            errorcode: errorcode.into(),
            message: message.into(),
        }
    }

    /// The body, as sent while debugging is off.
    pub(super) fn body(&self) -> Value {
        json!({
            "exception": self.exception,
            "errorcode": self.errorcode,
            "message": self.message,
        })
    }

    /// The same refusal as an entry of `warnings`, which is how `update_*` report it.
    pub(super) fn warning(&self, item: &str, id: u64) -> Value {
        json!({
            "item": item,
            "itemid": id,
            "warningcode": self.errorcode,
            "message": self.message,
        })
    }
}

impl From<NotWritten> for Refusal {
    fn from(_: NotWritten) -> Self {
        Self::write()
    }
}
