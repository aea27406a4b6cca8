//! First convergence: students, classes and enrolments nobody has seen before become Moodle users,
//! courses and seats. And G9: how much of Moodle's patience is used.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::Setting;
use crate::{
    bridge,
    college::{Before, College},
    load,
    notice::{CLASSES, ENROLMENTS, Notices, STUDENTS},
    place::Disk,
    process::Memory,
    report::{Demand, Row, Unit},
};

const LATENCIES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(50)];
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(180);

/// What one convergence took.
struct Converged {
    took: Duration,
    users: usize,
    seats: usize,
    zoho_calls: u64,
    moodle_calls: u64,
    moodle_at_once: u64,
    memory: Option<Memory>,
}

/// Rows for both latencies.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for latency in LATENCIES {
        let college = College::open(setting.plan.converging, Before::NobodyInMoodle, latency)?;
        let converged = converge(setting, &college)?;
        rows.extend(converged.rows(&college, latency)?);
    }
    Ok(rows)
}

fn converge(setting: &Setting, college: &College) -> Result<Converged> {
    let place = setting.place()?;
    let served = bridge::start(&place, Disk::Own, Some(college))?;
    let mut notices = Notices::series(7)?;
    let mut requests = notices.one_each(STUDENTS, &college.students);
    requests.extend(notices.one_each(CLASSES, &college.classes));
    requests.extend(notices.one_each(ENROLMENTS, &college.enrolments));
    let began = Instant::now();
    load::run(served.address, &requests, 16)?.only(&[202])?;
    let (mut users, mut seats) = (0, 0);
    while began.elapsed() < LIMIT {
        (users, seats) = (
            college.linked_users().len(),
            college.moodle.enrolments().len(),
        );
        if users == college.students.len() && seats == college.enrolments.len() {
            break;
        }
        sleep(LOOK_EVERY);
    }
    let took = began.elapsed();
    let moodle = college.moodle.calls();
    let converged = Converged {
        took,
        users,
        seats,
        zoho_calls: college.zoho.calls().total,
        moodle_calls: moodle.total,
        moodle_at_once: moodle.max_in_flight,
        memory: served.memory(),
    };
    served.kill()?;
    Ok(converged)
}

impl Converged {
    fn rows(&self, college: &College, latency: Duration) -> Result<Vec<Row>> {
        let (students, seats) = (college.students.len(), college.enrolments.len());
        let at = format!("calls take {} ms", latency.as_millis());
        let count = f64::from(u32::try_from(students)?);
        let whole = self.users == students && self.seats == seats;
        let what = format!("{students} students, {seats} seats converge, {at}");
        if !whole {
            let why = format!(
                "not within {LIMIT:?}: {} users, {} seats; {} calls to Zoho, {} to Moodle",
                self.users, self.seats, self.zoho_calls, self.moodle_calls
            );
            return Ok(vec![Row::skipped("", what, &why)]);
        }
        let seconds = self.took.as_secs_f64();
        let moodle_calls = f64::from(u32::try_from(self.moodle_calls)?);
        let zoho_calls = f64::from(u32::try_from(self.zoho_calls)?);
        let mut rows = vec![Row::new("", what, Unit::Seconds, seconds).note(format!(
            "{:.0} students/s; calls per student: {:.2} to Zoho, {:.2} to Moodle",
            count / seconds,
            zoho_calls / count,
            moodle_calls / count,
        ))];
        if !latency.is_zero() {
            let at_once = f64::from(u32::try_from(self.moodle_at_once)?);
            let note = format!(
                "limit = {at_once} calls at once ÷ {} ms",
                latency.as_millis()
            );
            rows.push(
                Row::new(
                    "G9",
                    "calls to Moodle meanwhile",
                    Unit::PerSecond,
                    moodle_calls / seconds,
                )
                .limit(at_once / latency.as_secs_f64())
                .demand(Demand::ShareAtLeast(0.8))
                .note(note),
            );
        }
        if let Some(memory) = self.memory {
            let what = format!("memory, peak of that convergence, {at}");
            rows.push(
                Row::new("G13", what, Unit::Megabytes, memory.peak).demand(Demand::AtMost(90.0)),
            );
        }
        Ok(rows)
    }
}
