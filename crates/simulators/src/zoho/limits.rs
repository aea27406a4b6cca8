//! Credits and concurrency (`zoho.md` §9): too much of either is the same 429.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use super::{options::Limits, refusal::Refusal};
use crate::locked;

/// The window of credits, in hours.
const WINDOW_HOURS: i64 = 24;

/// What is used of an organisation's limits.
#[derive(Debug)]
pub(super) struct Meter {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limits: Limits,
    in_flight: u64,
    heavy_in_flight: u64,
    used: u64,
    /// Credits used per hour, oldest first.
    hours: VecDeque<(i64, u64)>,
}

/// What a call costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub credits: u64,
    pub heavy: bool,
}

/// A call's place among those in flight; it ends when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    meter: Arc<Meter>,
    heavy: bool,
    /// The credits left, once half of the window is used.
    pub remaining: Option<u64>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        let state = State {
            limits,
            in_flight: 0,
            heavy_in_flight: 0,
            used: 0,
            hours: VecDeque::new(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    pub(super) fn set(&self, limits: Limits) {
        locked(&self.state).limits = limits;
    }

    /// Takes a place for a call and pays for it.
    pub(super) fn enter(self: &Arc<Self>, cost: Cost, now: i64) -> Result<Slot, Refusal> {
        let mut state = locked(&self.state);
        state.forget_before(now / 3600 - WINDOW_HOURS);
        let limits = state.limits;
        let crowded = state.in_flight >= limits.concurrent
            || (cost.heavy && state.heavy_in_flight >= limits.concurrent_heavy);
        if crowded || state.used + cost.credits > limits.credits {
            return Err(too_many_requests());
        }
        state.pay(now / 3600, cost.credits);
        state.in_flight += 1;
        state.heavy_in_flight += u64::from(cost.heavy);
        let remaining = limits.credits - state.used;
        let remaining = (remaining <= limits.credits / 2).then_some(remaining);
        Ok(Slot {
            meter: Arc::clone(self),
            heavy: cost.heavy,
            remaining,
        })
    }
}

impl State {
    fn forget_before(&mut self, hour: i64) {
        while let Some((first, used)) = self
            .hours
            .front()
            .copied()
            .filter(|(first, _)| *first <= hour)
        {
            tracing::trace!(first, used, "an hour of credits is free again");
            self.used = self.used.saturating_sub(used);
            self.hours.pop_front();
        }
    }

    fn pay(&mut self, hour: i64, credits: u64) {
        self.used += credits;
        match self.hours.back_mut() {
            Some((last, used)) if *last == hour => *used += credits,
            _ => self.hours.push_back((hour, credits)),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = locked(&self.meter.state);
        state.in_flight = state.in_flight.saturating_sub(1);
        state.heavy_in_flight = state.heavy_in_flight.saturating_sub(u64::from(self.heavy));
    }
}

/// The refusal of one call too many.
pub(super) fn too_many_requests() -> Refusal {
    let message = "the limit of API credits or of concurrent calls is reached";
    Refusal::new(429, "TOO_MANY_REQUESTS", message)
}
