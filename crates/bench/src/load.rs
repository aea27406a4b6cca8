//! The load driver: prepared requests over a number of connections that are kept alive.

use std::{
    cell::Cell,
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;

use crate::{http::Connection, latency::Latencies};

/// No run may last longer, whatever the server does.
const LONGEST: Duration = Duration::from_secs(120);

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From the first request to the last answer.
    pub took: Duration,
    /// What each answer took.
    pub latencies: Latencies,
    /// How many answers had which status.
    pub by_status: BTreeMap<u16, u32>,
}

impl Outcome {
    /// Answers per second.
    pub fn per_second(&self) -> f64 {
        let answers: u32 = self.by_status.values().sum();
        f64::from(answers) / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// How many answers had this status.
    pub fn of(&self, status: u16) -> u32 {
        self.by_status.get(&status).copied().unwrap_or_default()
    }

    /// An error unless every answer had one of these statuses.
    pub fn only(self, allowed: &[u16]) -> Result<Self> {
        let strange = self
            .by_status
            .keys()
            .any(|status| !allowed.contains(status));
        ensure!(
            !strange,
            "expected only {allowed:?}, got {:?} (status: answers)",
            self.by_status
        );
        Ok(self)
    }
}

/// Sends every request once, in order, over as many connections.
pub fn run(address: SocketAddr, requests: &[Vec<u8>], connections: usize) -> Result<Outcome> {
    run_until(address, requests, connections, &AtomicBool::new(false))
}

/// The same, but sends nothing more once `stop` is set.
pub fn run_until(
    address: SocketAddr,
    requests: &[Vec<u8>],
    connections: usize,
    stop: &AtomicBool,
) -> Result<Outcome> {
    // One thread: more would take the servers' cores.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let run = async {
        let open = (0..connections).map(|_| Connection::open(address));
        let connections = try_join_all(open).await.context("connecting")?;
        let next = Cell::new(0);
        let started = Instant::now();
        let talks = connections
            .into_iter()
            .map(|one| converse(one, requests, &next, stop));
        let answers = try_join_all(talks).await?.concat();
        Ok(outcome(started.elapsed(), &answers))
    };
    runtime.block_on(async {
        let ended = tokio::time::timeout(LONGEST, run).await;
        ended.with_context(|| format!("the run took longer than {LONGEST:?}"))?
    })
}

async fn converse(
    mut connection: Connection,
    requests: &[Vec<u8>],
    next: &Cell<usize>,
    stop: &AtomicBool,
) -> Result<Vec<(u16, Duration)>> {
    let mut answers = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let mine = next.replace(next.get() + 1);
        let Some(request) = requests.get(mine) else {
            break;
        };
        let asked = Instant::now();
        let status = connection.call(request).await?;
        answers.push((status, asked.elapsed()));
    }
    Ok(answers)
}

fn outcome(took: Duration, answers: &[(u16, Duration)]) -> Outcome {
    let mut by_status = BTreeMap::new();
    for (status, _) in answers {
        *by_status.entry(*status).or_default() += 1;
    }
    let latencies = Latencies::new(answers.iter().map(|(_, took)| *took).collect());
    Outcome {
        took,
        latencies,
        by_status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_counts_answers_by_status() {
        let second = Duration::from_secs(1);
        let outcome = outcome(second * 2, &[(202, second), (503, second), (202, second)]);
        assert_eq!(
            (outcome.of(202), outcome.of(503), outcome.of(200)),
            (2, 1, 0)
        );
        assert!((outcome.per_second() - 1.5).abs() < 1e-9);
        assert!(outcome.only(&[202]).is_err());
    }
}
