//! Small rules about text that several types share.

/// Untrusted text that does not fit the type it was parsed for.
///
/// Carries no source and never the rejected text itself: that may be personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {rule}")]
pub struct Invalid {
    /// What was being parsed, in the words a person would use.
    pub what: &'static str,
    /// The rule it broke.
    pub rule: &'static str,
}

impl Invalid {
    /// Names what was being parsed and the rule it broke.
    pub const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }
}

/// `text` without surrounding white space, or nothing if that leaves nothing.
pub fn non_blank(text: &str) -> Option<&str> {
    let trimmed = text.trim();
    (!trimmed.is_empty()).then_some(trimmed)
}

/// At most `max` characters of `text`, cut between characters.
pub fn clipped(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
