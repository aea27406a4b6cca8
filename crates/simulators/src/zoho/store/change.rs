//! What a write changed, for notifications.

/// What happened to a record, in the words of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert,
    Update,
    Delete,
}

impl Operation {
    /// The word in a notification's body (`zoho.md` §7: not "create" or "edit").
    pub(crate) fn in_notification(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The word in a channel's events.
    pub(crate) fn in_subscription(self) -> &'static str {
        match self {
            Self::Insert => "create",
            Self::Update => "edit",
            Self::Delete => "delete",
        }
    }
}

/// One record that changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub module: String,
    pub id: u64,
    pub operation: Operation,
    /// The changed fields of an update.
    pub affected: Vec<String>,
    /// Module and id of the records its lookups lead to.
    pub related: Vec<(String, u64)>,
}
