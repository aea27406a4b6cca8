//! Durations in order, for percentiles.

use std::time::Duration;

/// What one run's answers took, shortest first.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Takes them in any order.
    pub fn new(mut unordered: Vec<Duration>) -> Self {
        unordered.sort_unstable();
        Self(unordered)
    }

    /// The shortest duration that at least this share of all did not exceed (nearest rank).
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0
            .get(rank - 1)
            .or(self.0.last())
            .copied()
            .unwrap_or_default()
    }

    /// The middle one.
    pub fn median(&self) -> Duration {
        self.percentile(50)
    }
}

/// Milliseconds with their fraction.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: &[u64]) -> Latencies {
        Latencies::new(
            milliseconds
                .iter()
                .copied()
                .map(Duration::from_millis)
                .collect(),
        )
    }

    #[test]
    fn a_percentile_is_a_duration_that_was_measured() {
        let hundred = of(&(1..=100).rev().collect::<Vec<_>>());
        assert_eq!(hundred.percentile(99), Duration::from_millis(99));
        assert_eq!(hundred.median(), Duration::from_millis(50));
        assert_eq!(of(&[7, 3]).percentile(99), Duration::from_millis(7));
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert_eq!(of(&[]).percentile(99), Duration::ZERO);
    }
}
