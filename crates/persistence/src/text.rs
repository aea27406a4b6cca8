//! Text as it can be stored.

use std::borrow::Cow;

/// PostgreSQL has no place for a NUL character in text; both back ends store it as U+FFFD.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}
