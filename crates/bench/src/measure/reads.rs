//! G10: signed reads of profiles, alone and while notices about the same students come in.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow, ensure};

use super::Setting;
use crate::{
    bridge,
    college::{Before, College},
    latency::milliseconds,
    limit,
    load::{self, Outcome},
    notice::{Notices, STUDENTS},
    place::Disk,
    process::Served,
    proof::PluginReads,
    report::{Demand, Row, Unit},
};

const TARGET: &str = "/api/v1/student/profile";
const CONNECTIONS: usize = 16;
const IDS_PER_NOTICE: usize = 100;
const WARM_UP: u32 = 500;

/// The rows of G10.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let plan = &setting.plan;
    let limit_place = setting.place()?;
    let served = limit::start(&limit_place, Disk::Own, plan.people)?;
    let users: Vec<u64> = (0..u64::from(plan.people)).collect();
    let mut tokens = PluginReads::of("https://moodle.example", TARGET);
    let limit = read(&served, &mut tokens, &users, plan.reads)?;
    drop(served);

    let college = College::open(plan.people, Before::EverybodyInMoodle, Duration::ZERO)?;
    let place = setting.place()?;
    let served = bridge::start(&place, Disk::Own, Some(&college))?;
    let users = link_everybody(&served, &college)?;
    let mut tokens = college.reads(TARGET);
    let alone = read(&served, &mut tokens, &users, plan.reads)?;
    let (beside, intake) = read_beside_intake(&served, &college, &mut tokens, &users, setting)?;
    let peak = served.memory().map(|memory| memory.peak);
    served.kill()?;

    let p99 = |outcome: &Outcome| milliseconds(outcome.latencies.percentile(99));
    let of = format!("of {} students, c{CONNECTIONS}", plan.people);
    let mut rows = vec![
        Row::new(
            "G10",
            format!("profile reads {of}"),
            Unit::PerSecond,
            alone.per_second(),
        )
        .limit(limit.per_second())
        .demand(Demand::ShareAtLeast(0.4)),
        Row::new(
            "G10",
            format!("p99 of reads {of}"),
            Unit::Milliseconds,
            p99(&alone),
        )
        .limit(p99(&limit))
        .demand(Demand::AtMost(4.0)),
        Row::new(
            "G10",
            "p99 of reads beside intake at c16",
            Unit::Milliseconds,
            p99(&beside),
        )
        .demand(Demand::AtMost(20.0))
        .note(format!("{:.0} reads/s", beside.per_second())),
        Row::new(
            "",
            "intake at c16 beside reads and work",
            Unit::PerSecond,
            intake.per_second(),
        )
        .note(format!(
            "p99 {:.2} ms; the records named are read again meanwhile",
            p99(&intake)
        )),
    ];
    if let Some(peak) = peak {
        let what = format!(
            "memory, peak: {} students read and linked, reads, intake",
            plan.people
        );
        rows.push(Row::new("G13", what, Unit::Megabytes, peak).demand(Demand::AtMost(90.0)));
    }
    Ok(rows)
}

/// Has the bridge read every student and recognise their Moodle user; answers the users' ids.
fn link_everybody(served: &Served, college: &College) -> Result<Vec<u64>> {
    let mut notices = Notices::series(3)?;
    let chunks = college.students.chunks(IDS_PER_NOTICE);
    let requests: Vec<Vec<u8>> = chunks.map(|ids| notices.next(STUDENTS, ids)).collect();
    load::run(served.address, &requests, 4)?.only(&[202])?;
    college.settle()?;
    let users: Vec<u64> = college.linked_users().iter().map(|user| user.id).collect();
    ensure!(
        users.len() == college.students.len(),
        "users were added to the prepared ones"
    );
    Ok(users)
}

fn read(served: &Served, tokens: &mut PluginReads, users: &[u64], count: u32) -> Result<Outcome> {
    let warm = requests(tokens, users, WARM_UP)?;
    load::run(served.address, &warm, CONNECTIONS)?.only(&[200])?;
    load::run(
        served.address,
        &requests(tokens, users, count)?,
        CONNECTIONS,
    )?
    .only(&[200])
}

/// Users in turn, far apart, so that neighbours in the database are not read one after the other.
fn requests(tokens: &mut PluginReads, users: &[u64], count: u32) -> Result<Vec<Vec<u8>>> {
    let spread = users
        .iter()
        .cycle()
        .step_by(7)
        .take(usize::try_from(count)?);
    spread.map(|user| tokens.request(*user)).collect()
}

fn read_beside_intake(
    served: &Served,
    college: &College,
    tokens: &mut PluginReads,
    users: &[u64],
    setting: &Setting,
) -> Result<(Outcome, Outcome)> {
    let mut notices = Notices::series(4)?;
    let ids = college
        .students
        .iter()
        .cycle()
        .take(setting.plan.beside_reads);
    let incoming: Vec<Vec<u8>> = ids
        .map(|id| notices.next(STUDENTS, std::slice::from_ref(id)))
        .collect();
    let reading = requests(tokens, users, setting.plan.reads)?;
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        let taking = scope.spawn(|| {
            load::run_until(served.address, &incoming, CONNECTIONS, &enough)?.only(&[202])
        });
        let read = load::run(served.address, &reading, CONNECTIONS);
        enough.store(true, Ordering::Relaxed);
        let taken = taking
            .join()
            .map_err(|_panic| anyhow!("the intake's driver panicked"))??;
        Ok((read?.only(&[200])?, taken))
    })
}
