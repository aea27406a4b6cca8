//! Every refusal, as `application/problem+json` (RFC 9457).
//!
//! One table decides status, title and code; a detail never holds a source, which is logged once.

use actix_web::{HttpResponse, ResponseError, body::BoxBody, http::StatusCode};
use mzi_application::{
    StoreError,
    receive_webhook::{BodyFault, Refusal},
};
use serde::Serialize;

/// How long a sender should wait before trying again, in seconds.
const RETRY_AFTER: &str = "5";

macro_rules! problems {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:ident, $title:literal;)*) => {
        /// Why a request was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Problem {
            $($(#[$doc])* $variant,)*
        }

        impl Problem {
            /// Every problem, for the reference page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word clients act on.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The same for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }
        }
    };
}

problems! {
    /// No such path.
    NotFound = "not_found", NOT_FOUND, "There is nothing at this address.";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This address does not take this method.";
    /// The body is too large.
    TooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is larger than this address takes.";
    /// The body is compressed or of a type that is not understood.
    UnsupportedType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body's type or encoding is not supported.";
    /// No valid proof.
    Unauthorised = "unauthorised", UNAUTHORIZED, "The request does not prove who sent it.";
    /// The plugin's token is faulty.
    InvalidToken = "invalid_token", UNAUTHORIZED, "The token is not valid for this request.";
    /// The token is good, for something else.
    ScopeNotAllowed = "scope_not_allowed", FORBIDDEN, "The token's scope does not cover this.";
    /// The key is good, but its role may not do this.
    RoleNotAllowed = "role_not_allowed", FORBIDDEN, "The key's role does not allow this.";
    /// The body cannot be parsed.
    MalformedBody = "malformed_body", BAD_REQUEST, "The body cannot be understood.";
    /// The body names no record.
    NoRecordId = "no_record_id", BAD_REQUEST, "The body names no record.";
    /// Zoho did not fill in the merge field.
    MergeField = "merge_field_not_substituted", BAD_REQUEST, "Zoho sent the merge field instead of its value.";
    /// What it names is not a record id.
    BadRecordId = "bad_record_id", BAD_REQUEST, "A record id is not a number of 1 to 30 digits.";
    /// A parameter does not fit.
    BadParameter = "bad_parameter", BAD_REQUEST, "A parameter does not have the form this address takes.";
    /// The Moodle user is no student.
    NotLinked = "not_linked", NOT_FOUND, "This Moodle user is not linked to a student.";
    /// No usable webhook secret is set.
    IntakeDisabled = "intake_disabled", SERVICE_UNAVAILABLE, "Webhooks are not taken in: no usable secret is set.";
    /// It could not be stored.
    NotStored = "not_stored", SERVICE_UNAVAILABLE, "The database cannot store this now; try again.";
    /// No secret is shared with a plugin.
    PluginDisabled = "plugin_disabled", SERVICE_UNAVAILABLE, "No secret is shared with a Moodle plugin yet.";
    /// A bug.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The bridge made a mistake; its log says more.";
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: Option<&'a str>,
    instance: Option<&'a str>,
}

impl Problem {
    /// The answer, naming the request.
    pub fn response(self, request_id: Option<&str>) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status());
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            answer.insert_header(("Retry-After", RETRY_AFTER));
        }
        match self {
            Self::MethodNotAllowed => {
                answer.insert_header(("Allow", "POST"));
            }
            Self::Unauthorised | Self::InvalidToken => {
                answer.insert_header(("WWW-Authenticate", "Bearer"));
            }
            _ => {}
        }
        let document = Document {
            r#type: format!("/problems/{}", self.code()),
            title: self.title(),
            status: self.status().as_u16(),
            code: self.code(),
            detail: None,
            instance: request_id,
        };
        answer
            .content_type("application/problem+json")
            .json(document)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.code())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.response(crate::request_id::current().as_deref())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Unavailable { .. } => Self::NotStored,
            StoreError::Corrupt { .. } | StoreError::Internal { .. } => Self::Internal,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::IntakeDisabled => Self::IntakeDisabled,
            Refusal::Unauthorised => Self::Unauthorised,
            Refusal::Unusable(BodyFault::Malformed) => Self::MalformedBody,
            Refusal::Unusable(BodyFault::NoRecordId) => Self::NoRecordId,
            Refusal::Unusable(BodyFault::MergeField) => Self::MergeField,
            Refusal::Unusable(BodyFault::BadRecordId) => Self::BadRecordId,
            Refusal::NotStored(error) => {
                tracing::error!(%error, "a notice could not be stored");
                // Whatever the reason: it is not durable, so the sender must keep it.
                Self::NotStored
            }
        }
    }
}
