//! What we allow ourselves: calls in flight, heavy calls in flight, credits a day.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Duration, DurationRound, Utc};
use mzi_ports::{Clock, CrmError};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    call::{Call, Purpose},
    settings::ZohoSettings,
};

/// Heavy calls in flight, in every edition (contracts/zoho.md §9).
const HEAVY: usize = 10;

/// How long Zoho's word about remaining credits is believed.
const BELIEVED: Duration = Duration::minutes(15);

/// Guards what a call may use before it is sent.
pub(crate) struct Limits {
    all: Semaphore,
    heavy: Semaphore,
    credits: Mutex<Credits>,
    clock: Arc<dyn Clock>,
}

/// A call's place among those in flight, given back when dropped.
pub(crate) struct Place<'a> {
    _all: SemaphorePermit<'a>,
    _heavy: Option<SemaphorePermit<'a>>,
}

impl Limits {
    pub(crate) fn new(settings: &ZohoSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            all: Semaphore::new(settings.concurrency),
            heavy: Semaphore::new(settings.concurrency.min(HEAVY)),
            credits: Mutex::new(Credits::new(settings.daily_credits)),
            clock,
        }
    }

    /// Waits for a place. A heavy call waits among its like first, without holding up others.
    pub(crate) async fn place(&self, call: &Call) -> Result<Place<'_>, CrmError> {
        let heavy = match call.heavy {
            true => Some(self.heavy.acquire().await.map_err(closed)?),
            false => None,
        };
        let all = self.all.acquire().await.map_err(closed)?;
        Ok(Place {
            _all: all,
            _heavy: heavy,
        })
    }

    /// Charges a call before it is sent, or says when there are credits again.
    pub(crate) fn charge(&self, call: &Call) -> Result<(), CrmError> {
        let now = self.clock.now();
        let mut credits = self.credits.lock().unwrap_or_else(PoisonError::into_inner);
        let charged = credits.charge(now, call.credits, call.purpose);
        charged.map_err(|after| CrmError::RateLimited {
            after: after.to_std().ok(),
        })
    }

    /// Notes how many credits Zoho says are left; it says so once half are used.
    pub(crate) fn note_remaining(&self, remaining: u32) {
        let now = self.clock.now();
        let mut credits = self.credits.lock().unwrap_or_else(PoisonError::into_inner);
        credits.remaining = Some((now, remaining));
    }
}

/// A count of the credits spent in the last 24 hours, by the hour.
///
/// A tenth of the budget is kept back from sweeps for what a person or a record waits for. The
/// count starts anew with the process; Zoho's own count comes back with the answers.
struct Credits {
    budget: u32,
    reserve: u32,
    hours: VecDeque<(DateTime<Utc>, u32)>,
    remaining: Option<(DateTime<Utc>, u32)>,
}

impl Credits {
    fn new(budget: u32) -> Self {
        Self {
            budget,
            reserve: budget / 10,
            hours: VecDeque::new(),
            remaining: None,
        }
    }

    /// Counts a cost, or answers how long to wait for it.
    fn charge(&mut self, now: DateTime<Utc>, cost: u32, purpose: Purpose) -> Result<(), Duration> {
        self.hours
            .retain(|(hour, _)| *hour + Duration::hours(25) > now);
        let limit = match purpose {
            Purpose::Sweep => self.budget - self.reserve,
            Purpose::Wanted => self.budget,
        };
        let spent: u32 = self.hours.iter().map(|(_, count)| count).sum();
        if spent.saturating_add(cost) > limit {
            return Err(self.next_release(now));
        }
        if let (Purpose::Sweep, Some((at, left))) = (purpose, self.remaining)
            && left < self.reserve
            && now < at + BELIEVED
        {
            return Err(at + BELIEVED - now);
        }
        let hour = now.duration_trunc(Duration::hours(1)).unwrap_or(now);
        match self.hours.back_mut() {
            Some((last, count)) if *last == hour => *count += cost,
            _ => self.hours.push_back((hour, cost)),
        }
        Ok(())
    }

    /// When the oldest hour that counts leaves the window.
    fn next_release(&self, now: DateTime<Utc>) -> Duration {
        let oldest = self.hours.front().map_or(now, |(hour, _)| *hour);
        oldest + Duration::hours(25) - now
    }
}

fn closed(_closed: tokio::sync::AcquireError) -> CrmError {
    CrmError::Unavailable {
        reason: "the adapter is shutting down".into(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 22, 12, 30, 0).unwrap()
    }

    #[test]
    fn sweeps_stop_before_the_last_tenth_and_the_rest_at_the_budget() {
        let mut credits = Credits::new(100);
        assert_eq!(credits.charge(noon(), 90, Purpose::Sweep), Ok(()));
        assert!(credits.charge(noon(), 1, Purpose::Sweep).is_err());
        assert_eq!(credits.charge(noon(), 10, Purpose::Wanted), Ok(()));
        let wait = credits.charge(noon(), 1, Purpose::Wanted);
        assert_eq!(wait, Err(Duration::minutes(24 * 60 + 30)));
    }

    #[test]
    fn what_was_spent_a_day_ago_no_longer_counts() {
        let mut credits = Credits::new(100);
        assert_eq!(credits.charge(noon(), 90, Purpose::Sweep), Ok(()));
        let tomorrow = noon() + Duration::hours(25);
        assert_eq!(credits.charge(tomorrow, 90, Purpose::Sweep), Ok(()));
    }

    #[test]
    fn few_remaining_credits_stop_sweeps_for_a_quarter_of_an_hour() {
        let mut credits = Credits::new(100);
        credits.remaining = Some((noon(), 9));
        let soon = noon() + Duration::minutes(5);
        let wait = credits.charge(soon, 1, Purpose::Sweep);
        assert_eq!(wait, Err(Duration::minutes(10)));
        assert_eq!(credits.charge(soon, 1, Purpose::Wanted), Ok(()));
        let later = noon() + Duration::minutes(15);
        assert_eq!(credits.charge(later, 1, Purpose::Sweep), Ok(()));
    }
}
