//! Roles of people and keys (design: the table of panel roles).

use serde::{Deserialize, Serialize};

/// What the holder of a session or key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads records and events, no money, no personal data.
    Viewer,
    /// Works with people's records and syncs them.
    Registrar,
    /// Runs the bridge; edits settings that hold no secret.
    Operator,
    /// Everything, including secrets, users and keys.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Registrar, Self::Operator, Self::Admin];

    /// The word used on the command line and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Registrar => "registrar",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}
