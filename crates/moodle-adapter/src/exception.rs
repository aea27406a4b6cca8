//! From Moodle's error codes to what they mean here.
//!
//! Codes decide, never exception classes, which differ by version; the catalogue is
//! contracts/moodle.md §5.

use mzi_ports::LmsError;

use crate::{function::Function, text};

/// The database refused a write: lost a race, or is unwell.
pub(crate) const WRITE_REFUSED: &str = "dmlwriteexception";
/// Bad or duplicate data; which of them, Moodle says only when debugging.
pub(crate) const INVALID_PARAMETER: &str = "invalidparameter";

/// What a refusal with this code means.
pub(crate) fn refused(function: Function, code: &str, message: &str) -> LmsError {
    if !is_code(code) {
        return password_policy(function, code);
    }
    match code {
        "invalidtoken" | "invalidtimedtoken" => unauthorised(code),
        _ if code.starts_with("wsaccessuser") => unauthorised(code),
        "accessexception" => forbidden(
            function,
            code,
            "add the function to the bridge's external service and authorise its user there; if \
             it is there, the token has expired or is bound to another IP address, the service is \
             disabled, or the user lacks webservice/rest:use",
        ),
        "nopermissions" | "requireloginerror" | "wsusercannotassign" | "wscannotenrol"
        | "criteriaerror" => {
            let needed = format!("give the service user {}", function.capabilities());
            forbidden(function, code, &needed)
        }
        "sitepolicynotagreed" | "forcepasswordchangenotice" | "usernotfullysetup" => forbidden(
            function,
            code,
            "log in to Moodle once as the service user and complete what it asks",
        ),
        "sitemaintenance"
        | "upgraderunning"
        | "dbconnectionfailed"
        | "dmlreadexception"
        | "dmlconnectionexception"
        | "locktimeout" => LmsError::Unavailable {
            reason: format!("it answered {code}"),
        },
        "invalidrecord"
        | "invalidrecordunknown"
        | "invaliduser"
        | "invaliduserid"
        | "invalidcourseid" => unknown_record(function, code, message),
        _ => rejected(function, code, message),
    }
}

/// A refusal as it came, or with a code of our own.
pub(crate) fn rejected(function: Function, code: &str, message: &str) -> LmsError {
    LmsError::Rejected {
        operation: function.name().into(),
        code: code.into(),
        message: text::plain(message),
    }
}

/// What a call is not allowed to do, and what would allow it.
pub(crate) fn forbidden(function: Function, code: &str, remedy: &str) -> LmsError {
    LmsError::Forbidden {
        operation: format!("{}: {remedy}", function.name()),
        code: code.into(),
    }
}

/// The code of a refusal.
pub(crate) fn rejection_code(error: &LmsError) -> Option<&str> {
    match error {
        LmsError::Rejected { code, .. } => Some(code),
        _ => None,
    }
}

/// A write the database refused again after a look: the site is unwell, not the data.
pub(crate) fn unwell_if_write_refused(error: LmsError) -> LmsError {
    if rejection_code(&error) == Some(WRITE_REFUSED) {
        let reason = format!("its database refuses to write ({WRITE_REFUSED})");
        return LmsError::Unavailable { reason };
    }
    error
}

fn unauthorised(code: &str) -> LmsError {
    LmsError::Unauthorised { code: code.into() }
}

/// Moodle 5.1 has one code for every missing row, 4.5 has one for each kind.
fn unknown_record(function: Function, code: &str, message: &str) -> LmsError {
    match function.missing_record() {
        Some(unknown) => rejected(function, unknown, message),
        None => forbidden(function, code, "this Moodle does not have the function"),
    }
}

/// A refused password puts its policy, as HTML, where the code belongs
/// (`create_users_bad_password`).
fn password_policy(function: Function, policy: &str) -> LmsError {
    rejected(function, "passwordpolicy", policy)
}

fn is_code(code: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !code.is_empty() && code.bytes().all(allowed)
}
