//! One API call, described before it is sent: what errors say about it and what limits apply.

use chrono::{DateTime, Utc};
use mzi_ports::CrmError;
use reqwest::Method;
use serde_json::Value;

use crate::value::moment_text;

/// Scopes calls need, named in `Forbidden` (contracts/zoho.md §1.4).
pub(crate) mod scope {
    pub(crate) const MODULES: &str = "ZohoCRM.modules.ALL";
    pub(crate) const SETTINGS: &str = "ZohoCRM.settings.ALL";
    pub(crate) const NOTIFICATIONS: &str = "ZohoCRM.notifications.ALL";
    pub(crate) const ORG: &str = "ZohoCRM.org.READ";
}

/// One API call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// What it does and to which module, for errors and logs.
    pub(crate) operation: String,
    pub(crate) scope: &'static str,
    pub(crate) method: Method,
    /// Below `/crm/v8/`.
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) modified_since: Option<DateTime<Utc>>,
    pub(crate) body: Option<Value>,
    pub(crate) effect: Effect,
    pub(crate) purpose: Purpose,
    /// Counts towards Zoho's lower limit on expensive calls in flight.
    pub(crate) heavy: bool,
    pub(crate) credits: u32,
}

/// What a call may have done when no clear answer comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    None,
    /// It changes something; doing it twice is the same as once.
    Repeatable,
    /// It makes something new each time.
    Once,
}

/// Who waits for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A person, or one record's work.
    Wanted,
    /// Nobody in particular: a walk through a whole module.
    Sweep,
}

impl Call {
    pub(crate) fn read(operation: impl Into<String>, scope: &'static str, path: String) -> Self {
        Self {
            operation: operation.into(),
            scope,
            method: Method::GET,
            path,
            query: Vec::new(),
            modified_since: None,
            body: None,
            effect: Effect::None,
            purpose: Purpose::Wanted,
            heavy: false,
            credits: 1,
        }
    }

    pub(crate) fn change(
        operation: impl Into<String>,
        scope: &'static str,
        method: Method,
        path: String,
        effect: Effect,
    ) -> Self {
        Self {
            method,
            effect,
            ..Self::read(operation, scope, path)
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn since(mut self, moment: Option<DateTime<Utc>>) -> Self {
        self.modified_since = moment;
        self
    }

    pub(crate) fn sweeping(mut self) -> Self {
        self.purpose = Purpose::Sweep;
        self
    }

    pub(crate) fn heavy_if(mut self, heavy: bool) -> Self {
        self.heavy = heavy;
        self
    }

    pub(crate) fn costing(mut self, credits: u32) -> Self {
        self.credits = credits;
        self
    }

    /// `If-Modified-Since` in the form Zoho takes, ISO 8601.
    pub(crate) fn since_header(&self) -> Option<String> {
        self.modified_since.map(moment_text)
    }

    pub(crate) fn rejected(&self, code: &str, message: impl Into<String>) -> CrmError {
        CrmError::Rejected {
            operation: self.operation.clone(),
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// A module's name as a part of a path. Names come from settings: none may reach another path.
pub(crate) fn module_path(module: &str) -> Result<&str, CrmError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if module.is_empty() || !module.bytes().all(plain) {
        return Err(CrmError::Rejected {
            operation: "name a module".into(),
            code: "INVALID_MODULE".into(),
            message: "a module's API name is letters, digits and underscores".into(),
        });
    }
    Ok(module)
}
