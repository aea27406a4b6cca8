//! G14: how long one edit in Zoho takes to the student's page and to Moodle, on an idle system.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Setting;
use crate::{
    bridge,
    college::{Before, College},
    http,
    latency::{Latencies, milliseconds},
    load,
    notice::{Notices, STUDENTS},
    place::Disk,
    process::Served,
    proof::PluginReads,
    report::{Demand, Row, Unit},
};

const LATENCY: Duration = Duration::from_millis(50);
const LOOK_EVERY: Duration = Duration::from_millis(5);
const LIMIT: Duration = Duration::from_secs(30);
/// Edits come at odd moments, so that no rhythm of the bridge hides or shows.
const PAUSE: Duration = Duration::from_millis(317);

/// The rows of G14.
pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>> {
    let college = College::open(setting.plan.edits, Before::EverybodyInMoodle, LATENCY)?;
    let place = setting.place()?;
    let served = bridge::start(&place, Disk::Own, Some(&college))?;
    let mut notices = Notices::series(8)?;
    load::run(
        served.address,
        &[notices.next(STUDENTS, &college.students)],
        1,
    )?
    .only(&[202])?;
    college.settle()?;
    let mut reads = college.reads("/api/v1/student/profile");
    let (mut to_page, mut to_moodle) = (Vec::new(), Vec::new());
    for (user, id) in college.linked_users().iter().zip(&college.students) {
        sleep(PAUSE);
        let name = format!("Edited{}", user.id);
        college
            .zoho
            .update("BTEC_Students", id, &json!({"First_Name": name}))?;
        let notice = notices.next(STUDENTS, std::slice::from_ref(id));
        let noticed = Instant::now();
        load::run(served.address, &[notice], 1)?.only(&[202])?;
        to_page.push(until(noticed, || {
            shows(&served, &mut reads, user.id, &name)
        })?);
        let has = || {
            Ok(college
                .moodle
                .user(user.id)
                .is_some_and(|user| user.firstname == name))
        };
        to_moodle.push(until(noticed, has).with_context(|| format!("edit of {id}"))?);
    }
    served.kill()?;
    Ok(vec![
        row("student API", to_page, 1_000.0),
        row("Moodle", to_moodle, 3_000.0),
    ])
}

fn row(to: &str, took: Vec<Duration>, most: f64) -> Row {
    let edits = took.len();
    let took = Latencies::new(took);
    let note = format!(
        "p50 {:.0} ms of {edits} edits; calls take {LATENCY:?}",
        milliseconds(took.median())
    );
    let what = format!("notice of an edit → {to}, p95");
    Row::new(
        "G14",
        what,
        Unit::Milliseconds,
        milliseconds(took.percentile(95)),
    )
    .demand(Demand::AtMost(most))
    .note(note)
}

fn until(since: Instant, mut is_there: impl FnMut() -> Result<bool>) -> Result<Duration> {
    while !is_there()? {
        if since.elapsed() > LIMIT {
            bail!("an edit did not arrive within {LIMIT:?}");
        }
        sleep(LOOK_EVERY);
    }
    Ok(since.elapsed())
}

fn shows(served: &Served, reads: &mut PluginReads, user: u64, name: &str) -> Result<bool> {
    let answer = http::call(served.address, &reads.request(user)?)?;
    Ok(answer.status == 200 && String::from_utf8_lossy(&answer.body).contains(name))
}
