//! G12: from exec to the first 200 on `/health/live`.

use anyhow::Result;

use super::{Setting, Side};
use crate::{
    latency::{Latencies, milliseconds},
    load,
    notice::{Notices, STUDENTS},
    place::{Disk, Place},
    process::Served,
    report::{Demand, Row, Unit},
};

const EVENTS: u32 = 2_000;

/// The rows of G12.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let (limit, bridge) = (
        existing(setting, Side::Limit)?,
        existing(setting, Side::Bridge)?,
    );
    let on_existing = row("an existing", &limit, &bridge).demand(Demand::AtMost(100.0));
    let (limit, bridge) = (fresh(setting, Side::Limit)?, fresh(setting, Side::Bridge)?);
    let on_fresh = row("a fresh", &limit, &bridge).demand(Demand::AtMost(300.0));
    Ok(vec![on_existing, on_fresh])
}

fn row(state: &str, limit: &Latencies, bridge: &Latencies) -> Row {
    let what = format!("start on {state} database, median");
    Row::new(
        "G12",
        what,
        Unit::Milliseconds,
        milliseconds(bridge.median()),
    )
    .limit(milliseconds(limit.median()))
    .note(format!(
        "longest {:.1} ms",
        milliseconds(bridge.percentile(100))
    ))
}

fn fresh(setting: &Setting, side: Side) -> Result<Latencies> {
    let mut took = Vec::new();
    for _ in 0..setting.plan.starts {
        let place = setting.place()?;
        let served = side.start(&place, Disk::Own)?;
        took.push(served.started_in);
        served.stop()?;
    }
    Ok(Latencies::new(took))
}

fn existing(setting: &Setting, side: Side) -> Result<Latencies> {
    let place = setting.place()?;
    let served = filled(&place, side)?;
    served.stop()?;
    let mut took = Vec::new();
    for _ in 0..setting.plan.starts {
        let served = side.start(&place, Disk::Own)?;
        took.push(served.started_in);
        served.stop()?;
    }
    Ok(Latencies::new(took))
}

fn filled(place: &Place, side: Side) -> Result<Served> {
    let served = side.start(place, Disk::Own)?;
    let requests = Notices::series(5)?.of_strangers(STUDENTS, EVENTS);
    load::run(served.address, &requests, 16)?.only(&[202])?;
    Ok(served)
}
