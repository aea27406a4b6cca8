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
    let mut rows = Vec::new();
    for (state, most) in [("an existing", 100.0), ("a fresh", 300.0)] {
        let start = match state {
            "a fresh" => fresh,
            _ => existing,
        };
        let limit = start(setting, Side::Limit)?;
        let bridge = start(setting, Side::Bridge)?;
        let note = format!(
            "longest of {}: {:.1} ms",
            setting.plan.starts,
            milliseconds(bridge.percentile(100))
        );
        rows.push(
            Row::new(
                "G12",
                format!("start on {state} database"),
                Unit::Milliseconds,
                milliseconds(bridge.median()),
            )
            .limit(milliseconds(limit.median()))
            .demand(Demand::AtMost(most))
            .note(note),
        );
    }
    Ok(rows)
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
