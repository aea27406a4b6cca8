//! G5: ten thousand equal notices have one effect, also after a restart.

use anyhow::{Context, Result};

use super::{Setting, Side};
use crate::{
    bridge,
    college::{Before, College},
    limit, load,
    notice::{Notices, STUDENTS},
    place::Disk,
    report::{Demand, Row, Unit},
};

const CONNECTIONS: usize = 64;

/// The rows of G5.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let college = College::open(2, Before::EverybodyInMoodle, std::time::Duration::ZERO)?;
    let (first, second) = college.students.split_first().context("no students")?;
    let mut notices = Notices::series(2)?;
    let opening = notices.next(STUDENTS, std::slice::from_ref(first));
    let equal = notices.next(STUDENTS, second);
    let flood = vec![equal; setting.plan.duplicates];

    let limit_place = setting.place()?;
    let served = limit::start(&limit_place, Disk::Own, 0)?;
    let limit = load::run(served.address, &flood, CONNECTIONS)?.only(&[200, 202])?;
    drop(served);

    let place = setting.place()?;
    let served = bridge::start(&place, Disk::Own, Some(&college))?;
    // The first notice alone pays for what any first read needs: token, fields, the programme.
    load::run(served.address, &[opening], 1)?.only(&[202])?;
    college.settle()?;
    let reads_before = college.record_reads();
    let flooded = load::run(served.address, &flood, CONNECTIONS)?.only(&[200, 202])?;
    college.settle()?;
    let reads = college.record_reads() - reads_before;
    served.kill()?;

    let served = bridge::start(&place, Disk::Own, Some(&college))?;
    let reads_before = college.record_reads();
    let again = load::run(served.address, &flood, CONNECTIONS)?.only(&[200, 202])?;
    college.settle()?;
    let reads_again = college.record_reads() - reads_before;
    served.kill()?;

    let sent = setting.plan.duplicates;
    let one = |what: String, count: f64| {
        Row::new("G5", what, Unit::Count, count).demand(Demand::Exactly(1.0))
    };
    let none = |what: &str, count: f64| {
        Row::new("G5", what, Unit::Count, count).demand(Demand::Exactly(0.0))
    };
    let rows = Side::Bridge.events(&place)? - 1;
    Ok(vec![
        Row::new(
            "G5",
            format!("equal notices, c{CONNECTIONS}"),
            Unit::PerSecond,
            flooded.per_second(),
        )
        .limit(limit.per_second())
        .demand(Demand::ShareAtLeast(0.5)),
        one(
            format!("rows of {sent} equal notices, before and after a restart"),
            whole(rows)?,
        ),
        one(
            format!("accepted of {sent} equal notices"),
            f64::from(flooded.of(202)),
        ),
        one(
            "reads from Zoho they caused".to_owned(),
            whole(i64::try_from(reads)?)?,
        ),
        none(
            "accepted of them after a kill and restart",
            f64::from(again.of(202)),
        ),
        none(
            "reads from Zoho after a kill and restart",
            whole(i64::try_from(reads_again)?)?,
        ),
    ])
}

fn whole(count: i64) -> Result<f64> {
    Ok(f64::from(i32::try_from(count)?))
}
