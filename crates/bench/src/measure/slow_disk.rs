//! G3: the same while every fsync takes 2 ms longer. Its first row also proves that the bridge
//! waits for the disk: one connection cannot be quicker than one fsync a notice.

use anyhow::Result;

use super::{
    Setting, Side,
    intake::{Runs, take_in},
};
use crate::{
    place::Disk,
    report::{Demand, Row, Unit},
};

const WHAT: &str = "intake with 2 ms more per fsync";

/// The rows of G3.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    if let Some(why) = Disk::Slow.missing() {
        return Ok(vec![Row::skipped("G3", WHAT, why)]);
    }
    let [single, many] = setting.plan.slow_disk;
    let mut limit: [Runs; 2] = Default::default();
    let mut bridge: [Runs; 2] = Default::default();
    for side in [Side::Limit, Side::Bridge] {
        let runs = if side == Side::Limit {
            &mut limit
        } else {
            &mut bridge
        };
        take_in(setting, side, Disk::Slow, &[single, many], runs)?;
    }
    let [limit_single, limit_many] = &limit;
    let [bridge_single, bridge_many] = &bridge;
    let p99 = format!("p99 of {WHAT}, c{}", many.connections);
    Ok(vec![
        bridge_single.row("G3", WHAT, single, limit_single),
        bridge_many
            .row("G3", WHAT, many, limit_many)
            .demand(Demand::ShareAtLeast(0.95)),
        Row::new("G3", p99, Unit::Milliseconds, bridge_many.p99())
            .limit(limit_many.p99())
            .demand(Demand::AtMost(12.0)),
    ])
}
