//! A breaker for each upstream: while the other side is down, work waits without being tried.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use mzi_domain::Upstream;

/// Failures in a row that open it.
const IN_A_ROW: u32 = 5;
/// How many outcomes are looked back on, and how many bad ones among them open it.
const WINDOW: usize = 20;
const BAD_IN_WINDOW: usize = 10;
/// How long it stays open before one call may try.
const PROBE_AFTER_SECONDS: i64 = 30;
/// The same after refused credentials: at most one refresh a minute.
const PROBE_AFTER_REFUSAL_SECONDS: i64 = 60;

/// What may be claimed from an upstream now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// Anything.
    All,
    /// One piece, to see whether the other side is back.
    Probe,
    /// Nothing before this moment.
    NothingUntil(DateTime<Utc>),
}

/// How an upstream is, in the words of health.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamState {
    /// When a call last succeeded.
    pub last_success: Option<DateTime<Utc>>,
    /// Whether the breaker is open.
    pub down_since: Option<DateTime<Utc>>,
    /// Whether the credentials were refused.
    pub refused: bool,
}

/// The breakers of both upstreams.
#[derive(Debug, Default)]
pub struct Breakers {
    zoho: Breaker,
    moodle: Breaker,
}

#[derive(Debug, Default)]
struct Breaker(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    recent: VecDeque<bool>,
    bad_in_a_row: u32,
    state: UpstreamState,
    probe_at: Option<DateTime<Utc>>,
}

impl Breakers {
    /// What may be claimed now. `Probe` is answered once; then nothing until its outcome is told
    /// or its time is over.
    pub fn allowance(&self, upstream: Upstream, now: DateTime<Utc>) -> Allowance {
        let mut inner = self.of(upstream);
        match (inner.state.down_since, inner.probe_at) {
            (None, _) | (_, None) => Allowance::All,
            (Some(_), Some(at)) if at > now => Allowance::NothingUntil(at),
            (Some(_), Some(_)) => {
                inner.probe_at = Some(now + Duration::seconds(PROBE_AFTER_SECONDS));
                Allowance::Probe
            }
        }
    }

    /// Until when nothing may be claimed, without asking for the probe.
    pub fn parked_until(&self, upstream: Upstream) -> Option<DateTime<Utc>> {
        let inner = self.of(upstream);
        inner.state.down_since.and(inner.probe_at)
    }

    /// A call was answered, whatever the answer was.
    pub fn succeeded(&self, upstream: Upstream, now: DateTime<Utc>) {
        let mut inner = self.of(upstream);
        if inner.state.down_since.is_some() {
            *inner = Inner::default();
        }
        inner.bad_in_a_row = 0;
        inner.remember(false);
        inner.state.last_success = Some(now);
    }

    /// Work ended without a call, so that the other side is as unknown as before: a probe that
    /// was given out for it may be taken by the next piece.
    pub fn not_asked(&self, upstream: Upstream, now: DateTime<Utc>) {
        let mut inner = self.of(upstream);
        if inner.state.down_since.is_some() {
            inner.probe_at = Some(now);
        }
    }

    /// The other side was unwell. Answers whether that opened the breaker.
    pub fn failed(&self, upstream: Upstream, refused: bool, now: DateTime<Utc>) -> bool {
        let mut inner = self.of(upstream);
        inner.bad_in_a_row += 1;
        inner.remember(true);
        let bad = inner.recent.iter().filter(|bad| **bad).count();
        let opens = refused || inner.bad_in_a_row >= IN_A_ROW || bad >= BAD_IN_WINDOW;
        if !opens {
            return false;
        }
        let newly = inner.state.down_since.is_none();
        let pause = if refused {
            PROBE_AFTER_REFUSAL_SECONDS
        } else {
            PROBE_AFTER_SECONDS
        };
        inner.probe_at = Some(now + Duration::seconds(pause));
        inner.state.down_since.get_or_insert(now);
        // A refusal followed by an outage is still one nobody has seen the end of.
        inner.state.refused |= refused;
        newly
    }

    /// How an upstream is.
    pub fn state(&self, upstream: Upstream) -> UpstreamState {
        self.of(upstream).state.clone()
    }

    fn of(&self, upstream: Upstream) -> std::sync::MutexGuard<'_, Inner> {
        let breaker = match upstream {
            Upstream::Zoho => &self.zoho,
            Upstream::Moodle => &self.moodle,
        };
        breaker.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remember(&mut self, bad: bool) {
        self.recent.push_back(bad);
        if self.recent.len() > WINDOW {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it_and_one_probe_closes_it() {
        let breakers = Breakers::default();
        let now = DateTime::<Utc>::UNIX_EPOCH;
        for _ in 0..4 {
            assert!(!breakers.failed(Upstream::Zoho, false, now));
        }
        assert_eq!(breakers.allowance(Upstream::Zoho, now), Allowance::All);
        assert!(breakers.failed(Upstream::Zoho, false, now));

        let later = now + Duration::seconds(30);
        assert_eq!(
            breakers.allowance(Upstream::Zoho, now),
            Allowance::NothingUntil(later)
        );
        assert_eq!(breakers.allowance(Upstream::Zoho, later), Allowance::Probe);
        assert!(matches!(
            breakers.allowance(Upstream::Zoho, later),
            Allowance::NothingUntil(_)
        ));
        assert_eq!(breakers.allowance(Upstream::Moodle, later), Allowance::All);

        breakers.succeeded(Upstream::Zoho, later);
        assert_eq!(breakers.allowance(Upstream::Zoho, later), Allowance::All);
    }

    #[test]
    fn a_refusal_is_remembered_through_an_outage_until_a_call_succeeds() {
        let breakers = Breakers::default();
        let now = DateTime::<Utc>::UNIX_EPOCH;
        breakers.failed(Upstream::Moodle, true, now);
        breakers.failed(Upstream::Moodle, false, now);
        assert!(breakers.state(Upstream::Moodle).refused);
        breakers.succeeded(Upstream::Moodle, now);
        assert!(!breakers.state(Upstream::Moodle).refused);
    }

    #[test]
    fn refused_credentials_open_it_at_once_for_a_minute() {
        let breakers = Breakers::default();
        let now = DateTime::<Utc>::UNIX_EPOCH;
        assert!(breakers.failed(Upstream::Moodle, true, now));
        let minute = now + Duration::seconds(60);
        assert_eq!(
            breakers.allowance(Upstream::Moodle, now),
            Allowance::NothingUntil(minute)
        );
        assert!(breakers.state(Upstream::Moodle).refused);
    }
}
