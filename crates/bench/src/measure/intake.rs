//! G1 and G2: durable intake of notices that all differ, in turn with the limit.

use anyhow::{Result, ensure};

use super::{Setting, Side, median};
use crate::{
    latency::milliseconds,
    load,
    notice::{Notices, STUDENTS},
    place::Disk,
    plan::Volume,
    report::{Demand, Row, Unit},
};

/// The share of the limit to reach, by connections (G1).
const SHARES: [f64; 3] = [0.50, 0.45, 0.45];
/// The volume at which G2 is judged: 16 connections.
const OF_G2: usize = 1;
const WARM_UP: u32 = 200;

/// What one side did in every round.
#[derive(Default)]
pub(super) struct Runs {
    per_second: Vec<f64>,
    median: Vec<f64>,
    p99: Vec<f64>,
}

/// The rows of G1 and G2, and whether anything acknowledged was lost.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let volumes = setting.plan.intake;
    let mut limit: [Runs; 3] = Default::default();
    let mut bridge: [Runs; 3] = Default::default();
    let mut lost = 0;
    for round in 0..setting.plan.rounds {
        for side in Side::in_turn(round) {
            let runs = if side == Side::Limit {
                &mut limit
            } else {
                &mut bridge
            };
            let missing = take_in(setting, side, Disk::Own, &volumes, runs)?;
            if side == Side::Bridge {
                lost += missing;
            } else {
                ensure!(
                    missing == 0,
                    "the limit server lost {missing} acknowledged events"
                );
            }
        }
    }
    let mut rows = Vec::new();
    for (((volume, share), limit), bridge) in volumes.iter().zip(SHARES).zip(&limit).zip(&bridge) {
        rows.push(
            bridge
                .row("G1", "intake", *volume, limit)
                .demand(Demand::ShareAtLeast(share)),
        );
    }
    if let (Some(limit), Some(bridge), Some(volume)) =
        (limit.get(OF_G2), bridge.get(OF_G2), volumes.get(OF_G2))
    {
        let what = format!("intake p99, c{}", volume.connections);
        rows.push(
            Row::new("G2", what, Unit::Milliseconds, bridge.p99())
                .limit(limit.p99())
                .demand(Demand::TimesAtMost(2.5))
                .demand(Demand::AtMost(5.0)),
        );
    }
    let what = "acknowledged events lost to kill -9 after the runs";
    rows.push(Row::new("G4", what, Unit::Count, f64::from(lost)).demand(Demand::Exactly(0.0)));
    Ok(rows)
}

/// Runs every volume on a fresh server, kills it, and answers how many acknowledged events its
/// database does not hold.
pub(super) fn take_in<const N: usize>(
    setting: &Setting,
    side: Side,
    disk: Disk,
    volumes: &[Volume; N],
    runs: &mut [Runs; N],
) -> Result<i32> {
    let place = setting.place()?;
    let served = side.start(&place, disk)?;
    let mut notices = Notices::series(1)?;
    let warm = notices.of_strangers(STUDENTS, WARM_UP);
    let mut acknowledged = load::run(served.address, &warm, 4)?.only(&[202])?.of(202);
    for (volume, runs) in volumes.iter().zip(runs) {
        let requests = notices.of_strangers(STUDENTS, volume.requests);
        let outcome = load::run(served.address, &requests, volume.connections)?.only(&[202])?;
        acknowledged += outcome.of(202);
        runs.per_second.push(outcome.per_second());
        runs.median.push(milliseconds(outcome.latencies.median()));
        runs.p99
            .push(milliseconds(outcome.latencies.percentile(99)));
    }
    served.kill()?;
    Ok(i32::try_from(
        i64::from(acknowledged) - side.events(&place)?,
    )?)
}

impl Runs {
    /// Answers per second against the limit's.
    pub(super) fn row(&self, goal: &'static str, what: &str, volume: Volume, limit: &Self) -> Row {
        let what = format!("{what}, c{}", volume.connections);
        let note = format!(
            "p50 {:.2} ms, p99 {:.2} ms; limit p50 {:.2} ms, p99 {:.2} ms",
            median(self.median.clone()),
            self.p99(),
            median(limit.median.clone()),
            limit.p99(),
        );
        Row::new(goal, what, Unit::PerSecond, median(self.per_second.clone()))
            .limit(median(limit.per_second.clone()))
            .note(note)
    }

    /// The median of the rounds' 99th percentiles, in milliseconds.
    pub(super) fn p99(&self) -> f64 {
        median(self.p99.clone())
    }
}
