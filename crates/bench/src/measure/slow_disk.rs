//! G3: the same while every fsync takes 2 ms longer. Its first row also proves that the bridge
//! waits for the disk: one connection cannot be quicker than one fsync a notice.

use anyhow::Result;

use super::{
    Setting,
    intake::{Taken, take_in},
};
use crate::{
    place::Disk,
    report::{Demand, Row},
};

const WHAT: &str = "intake, fsync 2 ms slower";

/// The rows of G3.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    if let Some(why) = Disk::Slow.missing() {
        return Ok(vec![Row::skipped("G3", WHAT, why)]);
    }
    let Taken {
        pairs: [single, many],
        ..
    } = take_in(setting, Disk::Slow, setting.plan.slow_disk)?;
    Ok(vec![
        single.rate("G3", WHAT),
        many.rate("G3", WHAT).demand(Demand::ShareAtLeast(0.95)),
        many.p99("G3", WHAT).demand(Demand::AtMost(12.0)),
    ])
}
