//! G1 and G2: durable intake of notices that all differ, limit and bridge taking turns.
//!
//! Both run all the time, and short turns of each follow one another: what else the machine does
//! then meets both alike. Processor time is given too, for it is hardly disturbed at all.

use anyhow::{Result, ensure};

use super::{Setting, Side, turns::Turns};
use crate::{
    notice::{Notices, STUDENTS},
    place::{Disk, Place},
    plan::Volume,
    process::Served,
    report::{Demand, Row, Unit},
};

/// The share of the limit to reach, by connections (G1).
const SHARES: [f64; 3] = [0.50, 0.45, 0.45];
const WARM_UP: u32 = 200;

/// One side, running.
struct Taker {
    side: Side,
    place: Place,
    served: Served,
    notices: Notices,
    acknowledged: u32,
}

/// Both sides at one volume.
pub(super) struct Pair {
    volume: Volume,
    limit: Turns,
    bridge: Turns,
}

/// What was measured at every volume, and how many acknowledged events a kill lost.
pub(super) struct Taken<const N: usize> {
    /// One pair a volume.
    pub pairs: [Pair; N],
    /// Acknowledged, and not in the bridge's database.
    pub lost: i64,
}

/// The rows of G1 and G2, and whether anything acknowledged was lost.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let Taken { pairs, lost } = take_in(setting, Disk::Own, setting.plan.intake)?;
    let mut rows = Vec::new();
    for (pair, share) in pairs.iter().zip(SHARES) {
        rows.push(
            pair.rate("G1", "intake")
                .demand(Demand::ShareAtLeast(share)),
        );
    }
    let [_, sixteen, _] = &pairs;
    let p99 = sixteen.p99("G2", "intake");
    rows.push(
        p99.demand(Demand::TimesAtMost(2.5))
            .demand(Demand::AtMost(5.0)),
    );
    let what = "acknowledged events lost to kill -9 after the runs";
    let lost = f64::from(i32::try_from(lost)?);
    rows.push(Row::new("G4", what, Unit::Count, lost).demand(Demand::Exactly(0.0)));
    Ok(rows)
}

/// Runs every volume on fresh servers, then kills them.
pub(super) fn take_in<const N: usize>(
    setting: &Setting,
    disk: Disk,
    volumes: [Volume; N],
) -> Result<Taken<N>> {
    let mut limit = Taker::start(setting, Side::Limit, disk)?;
    let mut bridge = Taker::start(setting, Side::Bridge, disk)?;
    let mut pairs = volumes.map(|volume| Pair {
        volume,
        limit: Turns::default(),
        bridge: Turns::default(),
    });
    for turn in 0..setting.plan.turns {
        for pair in &mut pairs {
            for side in Side::in_turn(turn) {
                match side {
                    Side::Limit => limit.take(pair.volume, &mut pair.limit)?,
                    Side::Bridge => bridge.take(pair.volume, &mut pair.bridge)?,
                }
            }
        }
    }
    let lost = limit.end()?;
    ensure!(
        lost == 0,
        "the limit server lost {lost} acknowledged events"
    );
    Ok(Taken {
        pairs,
        lost: bridge.end()?,
    })
}

impl Taker {
    fn start(setting: &Setting, side: Side, disk: Disk) -> Result<Self> {
        let place = setting.place()?;
        let served = side.start(&place, disk)?;
        let mut taker = Self {
            side,
            place,
            served,
            notices: Notices::series(1)?,
            acknowledged: 0,
        };
        taker.take(
            Volume {
                connections: 4,
                requests: WARM_UP,
            },
            &mut Turns::default(),
        )?;
        Ok(taker)
    }

    fn take(&mut self, volume: Volume, turns: &mut Turns) -> Result<()> {
        let requests = self.notices.of_strangers(STUDENTS, volume.requests);
        self.acknowledged += turns.take(&self.served, &requests, volume.connections, 202)?;
        Ok(())
    }

    /// Kills the server, and answers how many acknowledged events its database does not hold.
    fn end(self) -> Result<i64> {
        self.served.kill()?;
        Ok(i64::from(self.acknowledged) - self.side.events(&self.place)?)
    }
}

impl Pair {
    /// Answers per second.
    pub(super) fn rate(&self, goal: &'static str, what: &str) -> Row {
        let Self {
            volume,
            limit,
            bridge,
        } = self;
        let what = format!("{what}, c{}", volume.connections);
        Row::new(goal, what, Unit::PerSecond, bridge.per_second())
            .limit(limit.per_second())
            .note(format!("{}; limit {}", bridge.words(), limit.words()))
    }

    /// The 99th percentile.
    pub(super) fn p99(&self, goal: &'static str, what: &str) -> Row {
        let what = format!("{what} p99, c{}", self.volume.connections);
        Row::new(goal, what, Unit::Milliseconds, self.bridge.p99()).limit(self.limit.p99())
    }
}
