//! First convergence: students, classes and enrolments nobody has seen before become Moodle users,
//! courses and seats. And G9: how much of Moodle's patience is used.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Result;
use mzi_simulators::faults::Calls;

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
    zoho: Calls,
    moodle: Calls,
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
    let converged = Converged {
        took,
        users,
        seats,
        zoho: college.zoho.calls(),
        moodle: college.moodle.calls(),
        memory: served.memory(),
    };
    served.kill()?;
    Ok(converged)
}

impl Converged {
    fn rows(&self, college: &College, latency: Duration) -> Result<Vec<Row>> {
        let (students, seats) = (college.students.len(), college.enrolments.len());
        let at = format!("calls take {} ms", latency.as_millis());
        let what = format!("{students} students, {seats} seats converge, {at}");
        if self.users != students || self.seats != seats {
            let why = format!(
                "not within {LIMIT:?}: {} users, {} seats; to Zoho {}; to Moodle {}",
                self.users,
                self.seats,
                shares(&self.zoho),
                shares(&self.moodle)
            );
            return Ok(vec![Row::skipped("", what, &why)]);
        }
        let count = f64::from(u32::try_from(students)?);
        let seconds = self.took.as_secs_f64();
        let note = format!("{:.0} students/s", count / seconds);
        let mut rows = vec![Row::new("", what, Unit::Seconds, seconds).note(note)];
        for (side, calls) in [("Zoho", &self.zoho), ("Moodle", &self.moodle)] {
            let what = format!("calls per student to {side} meanwhile");
            let each = f64::from(u32::try_from(calls.total)?) / count;
            rows.push(Row::new("", what, Unit::Count, each).note(shares(calls)));
        }
        if !latency.is_zero() {
            rows.push(self.patience_used(latency)?);
        }
        if let Some(memory) = self.memory {
            let what = format!("memory, peak of that convergence, {at}");
            let row = Row::new("G13", what, Unit::Megabytes, memory.peak);
            rows.push(row.demand(Demand::AtMost(90.0)));
        }
        Ok(rows)
    }

    /// Calls per second against what so many calls at once could be at best.
    fn patience_used(&self, latency: Duration) -> Result<Row> {
        let calls = f64::from(u32::try_from(self.moodle.total)?);
        let at_once = f64::from(u32::try_from(self.moodle.max_in_flight)?);
        let what = "calls to Moodle meanwhile";
        Ok(
            Row::new("G9", what, Unit::PerSecond, calls / self.took.as_secs_f64())
                .limit(at_once / latency.as_secs_f64())
                .demand(Demand::ShareAtLeast(0.8))
                .note(format!(
                    "limit = {at_once} calls at once ÷ {} ms",
                    latency.as_millis()
                )),
        )
    }
}

/// The most frequent operations with their numbers.
fn shares(calls: &Calls) -> String {
    let mut each: Vec<(&String, &u64)> = calls.by_operation.iter().collect();
    each.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(**count));
    let words: Vec<String> = each
        .into_iter()
        .take(5)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_operations_come_first() {
        let by_operation = [("a", 1), ("b", 9), ("c", 5)].map(|(name, n)| (name.to_owned(), n));
        let calls = Calls {
            by_operation: by_operation.into(),
            ..Calls::default()
        };
        assert_eq!(shares(&calls), "9 b, 5 c, 1 a");
    }
}
