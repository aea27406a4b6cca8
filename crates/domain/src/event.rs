//! Notices that something may have changed.

use serde::{Deserialize, Serialize};

/// What a notice says happened. It is a hint: the record itself is always read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// The record is new.
    Create,
    /// The record changed.
    Update,
    /// The record is gone; believed only when a read by id agrees.
    Delete,
    /// The sender did not say.
    Upsert,
}

impl Operation {
    /// Understands the words of notifications, workflow rules and older senders, any case.
    pub fn parse(raw: &str) -> Option<Self> {
        match raw.trim().to_ascii_lowercase().as_str() {
            "insert" | "create" | "created" => Some(Self::Create),
            "update" | "updated" | "edit" | "edited" => Some(Self::Update),
            "delete" | "deleted" => Some(Self::Delete),
            "upsert" | "create_or_edit" => Some(Self::Upsert),
            _ => None,
        }
    }

    /// The word stored in the event log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Upsert => "upsert",
        }
    }
}

/// Who gave an event its identity, which decides what counts as a repeat of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// The sender named the event; the same name within seven days is the same event.
    Sender(String),
    /// The sender named the state (`Modified_Time`), whose one-second grain can hide a second
    /// edit; such an event is checked once more a little later.
    ModifiedTime(String),
    /// The sender gave no identity: nothing is dropped, an event that nobody has started on yet
    /// absorbs its repeats.
    None,
}
