//! How many calls run at once: fewer when the site suffers, more again as it recovers.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// After this many calls in a row without a sign of overload, one more may run at once.
const CALM_CALLS_TO_GROW: usize = 20;

/// Lets a number of calls run at once that follows how the site fares.
pub(crate) struct Limiter {
    places: Semaphore,
    pace: Mutex<Pace>,
    most: usize,
}

struct Pace {
    /// How many may run at once.
    limit: usize,
    /// How many places are still to be taken away, as calls in progress end.
    surplus: usize,
    /// Calls since the last sign of overload or change of the limit.
    calm: usize,
}

/// Leave to make one call.
pub(crate) struct Place<'a> {
    limiter: &'a Limiter,
    permit: Option<SemaphorePermit<'a>>,
}

impl Limiter {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            places: Semaphore::new(most),
            pace: Mutex::new(Pace {
                limit: most,
                surplus: 0,
                calm: 0,
            }),
            most,
        }
    }

    /// Waits for a place.
    pub(crate) async fn enter(&self) -> Place<'_> {
        Place {
            limiter: self,
            // Nobody closes the semaphore; if it were closed, no limit would be kept.
            permit: self.places.acquire().await.ok(),
        }
    }

    fn slow_down(&self) {
        let mut pace = self.pace();
        let limit = (pace.limit / 2).max(1);
        let surplus = pace.surplus + pace.limit - limit;
        pace.surplus = surplus - self.places.forget_permits(surplus);
        pace.limit = limit;
        pace.calm = 0;
    }

    fn take_heart(&self) {
        let mut pace = self.pace();
        pace.calm += 1;
        if pace.limit == self.most || pace.calm < CALM_CALLS_TO_GROW {
            return;
        }
        pace.limit += 1;
        pace.calm = 0;
        match pace.surplus.checked_sub(1) {
            Some(left) => pace.surplus = left,
            None => self.places.add_permits(1),
        }
    }

    /// Whether the place of a call that ended is to disappear.
    fn retires_a_place(&self) -> bool {
        let mut pace = self.pace();
        let left = pace.surplus.checked_sub(1);
        pace.surplus = left.unwrap_or(0);
        left.is_some()
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Gives the place back, saying whether the site showed a sign of overload.
    pub(crate) fn leave(self, overloaded: bool) {
        if overloaded {
            self.limiter.slow_down();
        } else {
            self.limiter.take_heart();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take()
            && self.limiter.retires_a_place()
        {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// How many calls could start now.
    fn room(limiter: &Limiter) -> usize {
        let places = std::iter::from_fn(|| limiter.enter().now_or_never());
        places.collect::<Vec<_>>().len()
    }

    async fn calls(limiter: &Limiter, count: usize, overloaded: bool) {
        for _ in 0..count {
            limiter.enter().await.leave(overloaded);
        }
    }

    #[tokio::test]
    async fn no_more_than_the_configured_calls_run_at_once() {
        let limiter = Limiter::new(3);
        calls(&limiter, 200, false).await;
        assert_eq!(room(&limiter), 3);
    }

    #[tokio::test]
    async fn overload_halves_and_calm_grows_back_slowly() {
        let limiter = Limiter::new(8);
        calls(&limiter, 1, true).await;
        assert_eq!(room(&limiter), 4);
        calls(&limiter, CALM_CALLS_TO_GROW - 1, false).await;
        assert_eq!(room(&limiter), 4);
        calls(&limiter, 1, false).await;
        assert_eq!(room(&limiter), 5);
        calls(&limiter, 10, true).await;
        assert_eq!(room(&limiter), 1);
    }

    #[tokio::test]
    async fn places_in_use_disappear_as_their_calls_end() {
        let limiter = Limiter::new(4);
        let busy = [limiter.enter().await, limiter.enter().await];
        let last = [limiter.enter().await, limiter.enter().await];
        for place in busy {
            place.leave(true);
        }
        drop(last);
        assert_eq!(room(&limiter), 1);
    }

    #[tokio::test]
    async fn an_abandoned_call_gives_its_place_back() {
        let limiter = Limiter::new(1);
        drop(limiter.enter().await);
        assert_eq!(room(&limiter), 1);
    }
}
