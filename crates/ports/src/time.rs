//! Time and ids, so that tests can choose both.

use chrono::{DateTime, Utc};

/// The clock.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

/// Where new ids come from.
pub trait IdSource: Send + Sync {
    /// A new id: sortable by time, unguessable enough to be shown (UUID version 7).
    fn next(&self) -> String;
}
