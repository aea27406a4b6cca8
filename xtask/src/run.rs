//! Child processes: cargo itself, and runs whose output is shown and counted at the same time.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::counts::Counts;
use crate::report::Row;

/// The folder of the workspace, wherever the caller stands.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The cargo that started us, in the workspace's folder.
pub fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command.stdin(Stdio::null());
    command
}

/// A step that passes or fails as a whole, judged by its exit code.
pub fn check(step: &str, mut command: Command) -> Row {
    announce(step);
    let started = Instant::now();
    let (passed, note) = match command.status() {
        Ok(status) if status.success() => (true, None),
        Ok(status) => (false, Some(status.to_string())),
        Err(error) => (false, Some(format!("did not start: {error}"))),
    };
    Row {
        step: step.to_owned(),
        counts: Counts::of_check(passed),
        took: started.elapsed(),
        note,
    }
}

/// A step of many tests, judged by the summaries in its output and by its exit code.
pub fn tests(step: &str, command: Command) -> Row {
    announce(step);
    let started = Instant::now();
    let (counts, note) = match shown_and_counted(command) {
        Ok((status, seen)) => judge(status.success(), seen),
        Err(error) => (Counts::of_check(false), Some(format!("{error:#}"))),
    };
    Row {
        step: step.to_owned(),
        counts,
        took: started.elapsed(),
        note,
    }
}

/// Builds the bridge and the load driver as they are shipped, then runs the driver.
pub fn bench(arguments: &[OsString]) -> Result<bool> {
    let mut build = cargo(["build", "--profile", "dist"]);
    build.args(["--package", "mzi-server", "--package", "mzi-bench"]);
    if !build.status().context("cargo build")?.success() {
        return Ok(false);
    }
    let mut run = cargo(["run", "--quiet", "--profile", "dist"]);
    run.args(["--package", "mzi-bench", "--"]).args(arguments);
    Ok(run.status().context("mzi-bench")?.success())
}

/// The bridge with both simulators, until Ctrl-C.
pub fn demo(arguments: &[OsString]) -> Result<bool> {
    let mut run = cargo(["run", "--package", "mzi-server", "--bin", "mzi", "--"]);
    run.arg("demo").args(arguments).stdin(Stdio::inherit());
    Ok(run.status().context("mzi demo")?.success())
}

pub fn announce(step: &str) {
    println!("\n==> {step}");
}

/// What the run is worth. A runner that fails without a failed test did not build, or died; one that ends well without a
/// single summary was not understood, and silence must not pass for success.
fn judge(ended_well: bool, seen: Option<Counts>) -> (Counts, Option<String>) {
    let mut counts = seen.unwrap_or_default();
    let note = match (ended_well, seen) {
        (true, Some(_)) => None,
        (true, None) => Some("printed no summary of its tests".to_owned()),
        (false, _) if counts.failed == 0 => Some("did not build, or stopped early".to_owned()),
        (false, _) => None,
    };
    if note.is_some() {
        counts.failed += 1;
    }
    (counts, note)
}

fn shown_and_counted(mut command: Command) -> Result<(ExitStatus, Option<Counts>)> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("did not start")?;
    let output = child.stdout.take().context("no output to read")?;
    let errors = child.stderr.take().context("no errors to read")?;
    let seen = thread::scope(|scope| {
        let output = scope.spawn(|| relay(output, std::io::stdout()));
        let errors = scope.spawn(|| relay(errors, std::io::stderr()));
        [output.join(), errors.join()]
    });
    let status = child.wait().context("waiting for the tests")?;
    let mut sum: Option<Counts> = None;
    for counts in seen.into_iter().filter_map(Result::ok).flatten() {
        sum.get_or_insert_default().add(counts);
    }
    Ok((status, sum))
}

/// Copies line by line, and sums the summaries on the way. A line that cannot be shown is still counted.
fn relay(from: impl Read, mut to: impl Write) -> Option<Counts> {
    let mut from = BufReader::new(from);
    let mut sum: Option<Counts> = None;
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let _closed = to.write_all(&line).and_then(|()| to.flush());
        if let Some(counts) = Counts::from_line(&String::from_utf8_lossy(&line)) {
            sum.get_or_insert_default().add(counts);
        }
        line.clear();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_summed_while_the_output_passes_through() {
        let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored;\n\
                      noise\ntest result: ok. 3 passed; 0 failed; 0 ignored;\n";
        let mut shown = Vec::new();
        let counts = relay(output.as_bytes(), &mut shown).unwrap();
        assert_eq!((counts.passed, counts.failed, counts.skipped), (5, 0, 1));
        assert_eq!(shown, output.as_bytes());
    }

    #[test]
    fn a_run_that_fails_without_a_failed_test_counts_as_one_failure() {
        let (counts, note) = judge(false, None);
        assert_eq!(counts.failed, 1);
        assert_eq!(note.as_deref(), Some("did not build, or stopped early"));
    }

    #[test]
    fn a_run_that_ends_well_but_says_nothing_counts_as_one_failure() {
        assert_eq!(judge(true, None).0.failed, 1);
        assert_eq!(judge(true, Some(Counts::default())).0.failed, 0);
    }
}
