//! The two systems the bridge stands between.

use std::fmt;

/// A system the bridge calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Upstream {
    /// Zoho CRM.
    Zoho,
    /// The Moodle site.
    Moodle,
}

impl Upstream {
    /// The word used in settings, health and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Zoho => "zoho",
            Self::Moodle => "moodle",
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Zoho => "Zoho",
            Self::Moodle => "Moodle",
        })
    }
}
