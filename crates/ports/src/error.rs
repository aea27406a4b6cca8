//! How ports fail, and what a failure means for trying again.

use std::time::Duration;

/// What to do after a failure. This is the only place that decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Trying again cannot help: a person must act.
    Never,
    /// The other side is unwell: try again later, with growing pauses.
    Later,
    /// The other side said when.
    After(Duration),
    /// The credentials are refused: the whole connection waits for a person.
    AfterReauth,
}

macro_rules! upstream_error {
    ($(#[$doc:meta])* $name:ident, $system:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum $name {
            /// The credentials are refused, and refreshing them did not help.
            #[error("{} refuses the credentials ({code})", $system)]
            Unauthorised {
                /// The other side's own code.
                code: String,
            },
            /// The credentials are good, but this call is not allowed to them.
            #[error("{} does not allow {operation} ({code})", $system)]
            Forbidden {
                /// What was attempted: the scope, function or module.
                operation: String,
                /// The other side's own code.
                code: String,
            },
            /// Too many calls.
            #[error("{} asks to slow down", $system)]
            RateLimited {
                /// When to come back, if it said so.
                after: Option<Duration>,
            },
            /// The request was understood and refused.
            #[error("{} refused {operation}: {message} ({code})", $system)]
            Rejected {
                /// What was attempted.
                operation: String,
                /// The other side's own code.
                code: String,
                /// Its message, or a plainer one.
                message: String,
            },
            /// No answer, or an answer that says to try later; the call had no effect or none
            /// that matters.
            #[error("{} is unavailable: {reason}", $system)]
            Unavailable {
                /// What was seen, without addresses or secrets.
                reason: String,
            },
            /// The call may or may not have had its effect: look before trying again.
            #[error("{} did not answer, and may have acted: {reason}", $system)]
            UnknownOutcome {
                /// What was seen.
                reason: String,
            },
            /// The answer makes no sense.
            #[error("{} answered something unexpected: {detail}", $system)]
            Protocol {
                /// What was expected and what came, without values.
                detail: String,
            },
        }

        impl $name {
            /// What this failure means for trying again.
            pub fn retry(&self) -> Retry {
                match self {
                    Self::Unauthorised { .. } => Retry::AfterReauth,
                    Self::Forbidden { .. } | Self::Rejected { .. } => Retry::Never,
                    Self::RateLimited { after: Some(after) } => Retry::After(*after),
                    Self::RateLimited { after: None }
                    | Self::Unavailable { .. }
                    | Self::UnknownOutcome { .. }
                    | Self::Protocol { .. } => Retry::Later,
                }
            }

            /// Whether the other side itself is unwell, which counts towards its breaker.
            pub fn is_outage(&self) -> bool {
                matches!(
                    self,
                    Self::Unavailable { .. }
                        | Self::UnknownOutcome { .. }
                        | Self::RateLimited { .. }
                        | Self::Unauthorised { .. }
                )
            }
        }
    };
}

upstream_error!(
    /// Why a call to the CRM failed.
    CrmError,
    "Zoho"
);
upstream_error!(
    /// Why a call to the learning platform failed.
    LmsError,
    "Moodle"
);

/// Why a store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or written now: full disk, lock, lost connection.
    #[error("the database is unavailable: {reason}")]
    Unavailable {
        /// What was seen, without paths or secrets.
        reason: String,
    },
    /// A row that cannot be understood.
    #[error("table {table} holds a row that cannot be read: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with the row.
        reason: String,
    },
    /// The store's own rules were broken: a bug.
    #[error("the store failed: {reason}")]
    Internal {
        /// What was seen.
        reason: String,
    },
}
