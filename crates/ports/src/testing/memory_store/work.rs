//! One work row and its life.

use chrono::{DateTime, Utc};
use mzi_domain::WorkKey;

use super::data::Data;

/// One piece of work. `wanted` above `done` means something is to be done.
#[derive(Default)]
pub(super) struct Work {
    pub wanted: i64,
    pub done: i64,
    pub fence: i64,
    pub phase: Phase,
    pub attempts: u32,
    pub failing_since: Option<DateTime<Utc>>,
    pub waiting_since: Option<DateTime<Utc>>,
    /// The `wanted` that a delete notice asked for; reported as long as it is not done.
    pub deletion_wanted: i64,
    /// The `wanted` that an event asked for whose identity was only a `Modified_Time`.
    pub recheck_wanted: i64,
    /// A second look that was promised; a claim at or after this moment is it.
    pub recheck_at: Option<DateTime<Utc>>,
    /// How often the waiters for this key were woken.
    pub wakes: i64,
    /// What it last waited for, and how often that had been woken when it last looked.
    pub waited: Option<(WorkKey, i64)>,
    pub done_at: Option<DateTime<Utc>>,
}

#[derive(Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Idle,
    Ready {
        at: DateTime<Utc>,
    },
    Leased {
        owner: String,
        until: DateTime<Utc>,
    },
    Waiting {
        on: WorkKey,
        until: Option<DateTime<Utc>>,
    },
    Stopped {
        on: Option<WorkKey>,
        until: Option<DateTime<Utc>>,
    },
}

impl Work {
    /// When it may be claimed: a lease that ends is as good as none.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Ready { at } => Some(*at),
            Phase::Leased { until, .. } => Some(*until),
            Phase::Waiting { until, .. } | Phase::Stopped { until, .. } => *until,
        }
    }

    pub fn is_unsettled(&self) -> bool {
        self.wanted > self.done
    }

    pub fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped { .. })
    }

    /// Whether it goes on by itself: neither settled nor stopped for a person.
    pub fn is_active(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Stopped { .. })
    }

    /// Raises `wanted` and makes the row due, unless somebody is at it: then settling does.
    pub fn mark(&mut self, now: DateTime<Utc>) {
        self.wanted += 1;
        match &mut self.phase {
            Phase::Leased { .. } => {}
            Phase::Ready { at } => *at = now.min(*at),
            Phase::Idle | Phase::Waiting { .. } | Phase::Stopped { .. } => {
                self.phase = Phase::Ready { at: now };
            }
        }
    }

    fn waits_for(&self, key: &WorkKey) -> bool {
        match &self.phase {
            Phase::Waiting { on, .. } => on == key,
            Phase::Stopped { on, .. } => on.as_ref() == Some(key),
            Phase::Idle | Phase::Ready { .. } | Phase::Leased { .. } => false,
        }
    }
}

impl Data {
    pub fn mark(&mut self, key: &WorkKey, now: DateTime<Utc>) -> &mut Work {
        let work = self.work.entry(key.clone()).or_default();
        work.mark(now);
        work
    }

    /// Makes everything due that waits for `key`, and remembers it for whoever is about to.
    pub fn wake(&mut self, key: &WorkKey, now: DateTime<Utc>) {
        self.work.entry(key.clone()).or_default().wakes += 1;
        let waiting = self.work.values_mut().filter(|work| work.waits_for(key));
        for work in waiting {
            work.phase = Phase::Ready { at: now };
        }
    }
}
