//! G10: signed reads of profiles, alone and while notices about the same students come in.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow, ensure};

use super::{Setting, Side, turns::Turns};
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

/// The rows of G10.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let plan = &setting.plan;
    let limit_place = setting.place()?;
    let limit = limit::start(&limit_place, Disk::Own, plan.people)?;
    let limit_users: Vec<u64> = (0..u64::from(plan.people)).collect();
    let mut limit_tokens = PluginReads::of("https://moodle.example", TARGET);

    let college = College::open(plan.people, Before::EverybodyInMoodle, Duration::ZERO)?;
    let place = setting.place()?;
    let served = bridge::start(&place, Disk::Own, Some(&college))?;
    let users = link_everybody(&served, &college)?;
    let mut tokens = college.reads(TARGET);

    let (mut of_limit, mut of_bridge) = (Turns::default(), Turns::default());
    for turn in 0..plan.turns {
        for side in Side::in_turn(turn) {
            let (server, turns, requests) = match side {
                Side::Limit => (
                    &limit,
                    &mut of_limit,
                    requests(&mut limit_tokens, &limit_users, plan.reads)?,
                ),
                Side::Bridge => (
                    &served,
                    &mut of_bridge,
                    requests(&mut tokens, &users, plan.reads)?,
                ),
            };
            turns.take(server, &requests, CONNECTIONS, 200)?;
        }
    }
    drop(limit);
    let (beside, intake) = read_beside_intake(&served, &college, &mut tokens, &users, setting)?;
    let peak = served.memory().map(|memory| memory.peak);
    served.kill()?;

    let mut rows = alone(plan.people, &of_limit, &of_bridge).to_vec();
    rows.extend(together(&beside, &intake));
    if let Some(peak) = peak {
        let what = format!(
            "memory, peak: {} students linked, reads, intake",
            plan.people
        );
        rows.push(Row::new("G13", what, Unit::Megabytes, peak).demand(Demand::AtMost(90.0)));
    }
    Ok(rows)
}

fn alone(people: u32, limit: &Turns, bridge: &Turns) -> [Row; 2] {
    let what = format!("profile reads of {people} students, c{CONNECTIONS}");
    let rate = Row::new("G10", what, Unit::PerSecond, bridge.per_second())
        .limit(limit.per_second())
        .demand(Demand::ShareAtLeast(0.4))
        .note(format!("{}; limit {}", bridge.words(), limit.words()));
    let what = format!("profile reads p99, c{CONNECTIONS}");
    let p99 = Row::new("G10", what, Unit::Milliseconds, bridge.p99())
        .limit(limit.p99())
        .demand(Demand::AtMost(4.0));
    [rate, p99]
}

fn together(reads: &Outcome, intake: &Outcome) -> [Row; 2] {
    let p99 = |outcome: &Outcome| milliseconds(outcome.latencies.percentile(99));
    let what = "profile reads p99 beside intake at c16";
    let reads = Row::new("G10", what, Unit::Milliseconds, p99(reads))
        .demand(Demand::AtMost(20.0))
        .note(format!("{:.0} reads/s", reads.per_second()));
    let what = "intake at c16 beside those reads and its own work";
    let note = format!(
        "p99 {:.2} ms; the records named are read again meanwhile",
        p99(intake)
    );
    [
        reads,
        Row::new("", what, Unit::PerSecond, intake.per_second()).note(note),
    ]
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
