//! A clock that stands still until told, and ids that count.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Duration, TimeZone, Utc};

use crate::time::{Clock, IdSource};

/// A clock that moves only when told.
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// Stands at noon on 22 November 2026.
    pub fn new() -> Self {
        let noon = Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).single();
        Self(Mutex::new(noon.unwrap_or_default()))
    }

    /// Moves forward.
    pub fn advance(&self, by: Duration) {
        *lock(&self.0) += by;
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *lock(&self.0)
    }
}

/// Ids that count: `id-1`, `id-2`, …
#[derive(Default)]
pub struct CountingIds(AtomicU64);

impl IdSource for CountingIds {
    fn next(&self) -> String {
        format!("id-{}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The guarded value, also after another thread's panic: a fake has nothing to protect.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
