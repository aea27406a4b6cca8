//! Faults to script, and the log of calls, the same for both simulators.
//!
//! A [`Fault`] says which calls it meets and what happens to them. It is plain data, so that the
//! HTTP control interface takes the same faults as Rust tests do:
//!
//! ```json
//! {"when": {"contains": "/upsert", "skip": 2, "times": 1}, "effect": {"kind": "reset_after"}}
//! ```

mod calls;
mod script;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use calls::{Call, CallLog, Calls, InFlight};
pub use script::{Faults, Verdict};

use crate::serve::{Answer, Reply};

/// One scripted fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Which calls it meets; all when left out.
    #[serde(default)]
    pub when: Matcher,
    /// What happens to them.
    pub effect: Effect,
}

impl Fault {
    /// A fault for every call.
    #[must_use]
    pub fn always(effect: Effect) -> Self {
        Self {
            when: Matcher::default(),
            effect,
        }
    }

    /// A fault for the next matching call only.
    #[must_use]
    pub fn once(contains: &str, effect: Effect) -> Self {
        Self {
            when: Matcher {
                times: Some(1),
                ..Matcher::target(contains)
            },
            effect,
        }
    }
}

/// Which calls a fault meets. Conditions that are left out match everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matcher {
    /// The HTTP verb, in either case.
    pub method: Option<String>,
    /// A part of the target: path and query in Zoho, the function's name in Moodle, the module's
    /// name for notifications.
    pub contains: Option<String>,
    /// How many matching calls pass untouched first.
    pub skip: u64,
    /// How many calls are met after that; without a number, all.
    pub times: Option<u64>,
    /// Meets a matching call only with this probability.
    pub probability: Option<f64>,
    /// Seeds the probability, so that a run can be repeated.
    pub seed: u64,
}

impl Matcher {
    /// Matches every call whose target contains `contains`.
    #[must_use]
    pub fn target(contains: &str) -> Self {
        Self {
            contains: Some(contains.to_owned()),
            ..Self::default()
        }
    }
}

/// What happens to a call, or to a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Effect {
    /// Answered with this and nothing is applied. A text body is sent as it is, any other as JSON.
    Status {
        /// The HTTP status.
        code: u16,
        /// Headers of the answer.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body; none when left out.
        #[serde(default)]
        body: Value,
    },
    /// Waits, then goes on; several latencies add up and other effects still happen.
    Latency {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// The connection ends without an answer and nothing was applied.
    ResetBefore,
    /// The call is applied, then the connection ends without an answer.
    ResetAfter,
    /// The call is applied, the answer ends after this many bytes of its body.
    Truncate {
        /// How many bytes get through.
        bytes: usize,
    },
    /// Refused as one call too many, in the words of the simulated system.
    RateLimit {
        /// Seconds for a `Retry-After` header; Zoho sends none.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Refused as if the token had just been revoked; the token itself stays valid.
    TokenRevoked,
    /// The notification is delivered this many times in all.
    DuplicateNotifications {
        /// How many deliveries.
        times: u32,
    },
    /// The notification is overtaken by the next one.
    ReorderNotifications,
    /// The notification is never delivered.
    DropNotifications,
}

impl Effect {
    /// Whether it is about notifications, not about calls.
    #[must_use]
    pub fn is_for_notifications(&self) -> bool {
        matches!(
            self,
            Self::DuplicateNotifications { .. }
                | Self::ReorderNotifications
                | Self::DropNotifications
        )
    }

    /// The reply, if the effect prevents the call from being applied in a way that is the same in
    /// every simulated system.
    #[must_use]
    pub fn instead(&self) -> Option<Reply> {
        match self {
            Self::Status {
                code,
                headers,
                body,
            } => Some(scripted(*code, headers, body).into()),
            Self::ResetBefore => Some(Reply::Drop),
            _ => None,
        }
    }

    /// What becomes of the answer to a call that was applied.
    #[must_use]
    pub fn afterwards(&self, answer: Answer) -> Reply {
        match self {
            Self::ResetAfter => Reply::Drop,
            Self::Truncate { bytes } => Reply::Truncated(answer, *bytes),
            _ => Reply::Answer(answer),
        }
    }
}

fn scripted(code: u16, headers: &BTreeMap<String, String>, body: &Value) -> Answer {
    let mut answer = match body {
        Value::Null => Answer::empty(code),
        Value::String(text) => Answer {
            body: Bytes::copy_from_slice(text.as_bytes()),
            ..Answer::empty(code)
        },
        json => Answer::json(code, json),
    };
    for (name, value) in headers {
        answer
            .headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        answer = answer.with_header(name, value);
    }
    answer
}
