//! What one side did in its turns.

use std::time::Duration;

use anyhow::Result;

use super::median;
use crate::{latency::milliseconds, load, process::Served};

/// Turns of one side at one volume; the median turn counts.
#[derive(Default)]
pub(super) struct Turns {
    per_second: Vec<f64>,
    middle: Vec<f64>,
    p99: Vec<f64>,
    processor: Duration,
    answers: u32,
}

impl Turns {
    /// Takes a turn: all requests, all of which must be answered with this status. Answers how
    /// many there were.
    pub(super) fn take(
        &mut self,
        served: &Served,
        requests: &[Vec<u8>],
        connections: usize,
        status: u16,
    ) -> Result<u32> {
        let before = served.processor_time();
        let outcome = load::run(served.address, requests, connections)?.only(&[status])?;
        if let Some((before, after)) = before.zip(served.processor_time()) {
            self.processor += after.saturating_sub(before);
        }
        self.answers += outcome.of(status);
        self.per_second.push(outcome.per_second());
        self.middle.push(milliseconds(outcome.latencies.median()));
        self.p99
            .push(milliseconds(outcome.latencies.percentile(99)));
        Ok(outcome.of(status))
    }

    /// Answers per second.
    pub(super) fn per_second(&self) -> f64 {
        median(self.per_second.clone())
    }

    /// The 99th percentile in milliseconds.
    pub(super) fn p99(&self) -> f64 {
        median(self.p99.clone())
    }

    /// Latencies, and the processor time of an answer, which other programs hardly disturb.
    pub(super) fn words(&self) -> String {
        let processor = self.processor.as_secs_f64() * 1_000_000.0 / f64::from(self.answers.max(1));
        format!(
            "p50 {:.2} ms, p99 {:.2} ms, {processor:.0} µs of processor",
            median(self.middle.clone()),
            self.p99(),
        )
    }
}
