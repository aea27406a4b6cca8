//! G13: resident memory, as the system counts it for the process.

use std::{thread::sleep, time::Duration};

use anyhow::Result;

use super::{Setting, Side};
use crate::{
    bridge,
    college::{Before, College},
    load,
    notice::{Notices, STUDENTS},
    place::Disk,
    process::Memory,
    report::{Demand, Row, Unit},
};

const IDLE: Duration = Duration::from_secs(3);

/// The rows of G13 that no other figure gives.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let limit = while_taking_in(setting, Side::Limit)?;
    let alone = while_taking_in(setting, Side::Bridge)?;
    let (Some(idle), Some((limit_idle, limit_peak)), Some((_, peak))) =
        (idle(setting)?, limit, alone)
    else {
        let why = "needs /proc, which this system does not have";
        return Ok(vec![Row::skipped("G13", "resident memory", why)]);
    };
    let intake = format!(
        "memory, peak of intake at c{}",
        setting.plan.weighed.connections
    );
    Ok(vec![
        Row::new("G13", "memory, idle and live", Unit::Megabytes, idle.now)
            .limit(limit_idle.now)
            .demand(Demand::AtMost(25.0)),
        Row::new("G13", intake, Unit::Megabytes, peak.peak)
            .limit(limit_peak.peak)
            .demand(Demand::AtMost(60.0)),
    ])
}

/// A live bridge with both sides connected and nothing to do.
fn idle(setting: &Setting) -> Result<Option<Memory>> {
    let college = College::open(1, Before::EverybodyInMoodle, Duration::ZERO)?;
    let place = setting.place()?;
    let served = bridge::start(&place, Disk::Own, Some(&college))?;
    sleep(IDLE);
    Ok(served.memory())
}

/// Before and after taking notices in.
fn while_taking_in(setting: &Setting, side: Side) -> Result<Option<(Memory, Memory)>> {
    let place = setting.place()?;
    let served = side.start(&place, Disk::Own)?;
    let before = served.memory();
    let volume = setting.plan.weighed;
    let requests = Notices::series(6)?.of_strangers(STUDENTS, volume.requests);
    load::run(served.address, &requests, volume.connections)?.only(&[202])?;
    Ok(before.zip(served.memory()))
}
