//! Times as they are stored: UTC without a zone, to the microsecond, which both back ends keep.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};

/// A moment on its way into the database.
pub(crate) fn stored(at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc().trunc_subsecs(6)
}

/// A moment that may be absent, on its way into the database.
pub(crate) fn stored_opt(at: Option<DateTime<Utc>>) -> Option<NaiveDateTime> {
    at.map(stored)
}

/// A moment on its way out of the database.
pub(crate) fn read_opt(at: Option<NaiveDateTime>) -> Option<DateTime<Utc>> {
    at.map(|at| at.and_utc())
}
