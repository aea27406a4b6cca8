//! The gate: everything that must hold before a change is pushed.

use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::counts::Counts;
use crate::graph;
use crate::postgres::TemporaryPostgres;
use crate::report::{Report, Row};
use crate::run::{announce, cargo, check, tests};
use crate::setup;
use crate::tools;

/// How much is run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Both databases and the deploy files.
    #[default]
    Everything,
    /// What needs nothing beyond Rust and a C compiler.
    OnlySqlite,
}

#[derive(Debug, Default)]
pub struct Options {
    pub setup: bool,
    pub scope: Scope,
    pub documentation: bool,
}

/// The feature of the binary that turns on the one of the same name further in.
const POSTGRES: &str = "--features=mzi-server/postgres";

/// Runs every step, also after one has failed, so that one run tells everything. `false` where anything failed.
pub fn run(options: &Options) -> Result<bool> {
    if options.setup
        && let Err(error) = setup::install_missing(options.scope)
    {
        println!("{error:#}");
    }
    let mut report = Report::default();
    let missing = tools::missing(options.scope);
    if missing.is_empty() {
        static_checks(&mut report, options);
        dynamic_checks(&mut report, options.scope);
    } else {
        println!("{}", tools::explain(&missing));
        println!("`--only sqlite` runs what needs none of these but the C compiler.");
        for tool in missing {
            report.push(failed_row(tool.name, "missing"));
        }
    }
    println!("\n{}", report.table());
    if options.scope == Scope::OnlySqlite {
        println!("Left out by --only sqlite: the PostgreSQL back end (build, lints and tests),");
        println!("the checks of the systemd unit and of the nginx file.\n");
    }
    println!("{}", report.closing_line());
    Ok(report.is_clean())
}

fn static_checks(report: &mut Report, options: &Options) {
    report.push(check(
        "formatting",
        cargo(["fmt", "--all", "--", "--check"]),
    ));
    report.push(graph_row());
    if options.scope == Scope::Everything {
        report.push(check(
            "lints, both databases",
            clippy(&["--workspace", POSTGRES]),
        ));
        // A build without the feature is what a newcomer gets: it must be as clean.
        report.push(check(
            "lints, only SQLite",
            clippy(&["--package", "mzi-server", "--package", "mzi-persistence"]),
        ));
    } else {
        report.push(check("lints, only SQLite", clippy(&["--workspace"])));
    }
    if options.documentation {
        let mut doc = cargo(["doc", "--workspace", "--no-deps"]);
        if options.scope == Scope::Everything {
            doc.arg(POSTGRES);
        }
        doc.env("RUSTDOCFLAGS", "-D warnings");
        report.push(check("documentation", doc));
    }
}

fn clippy(selection: &[&str]) -> Command {
    let mut command = cargo(["clippy", "--all-targets"]);
    command.args(selection).args(["--", "-D", "warnings"]);
    command
}

fn graph_row() -> Row {
    announce("crate graph");
    let started = Instant::now();
    let (passed, note) = match graph::check_and_print() {
        Ok(true) => (true, None),
        Ok(false) => (false, Some("an edge outside the design".to_owned())),
        Err(error) => (false, Some(format!("{error:#}"))),
    };
    Row {
        step: "crate graph".to_owned(),
        counts: Counts::of_check(passed),
        took: started.elapsed(),
        note,
    }
}

fn dynamic_checks(report: &mut Report, scope: Scope) {
    let server = match scope {
        Scope::OnlySqlite => None,
        Scope::Everything => match TemporaryPostgres::start() {
            Ok(server) => Some(server),
            Err(error) => {
                println!("{error:#}");
                report.push(failed_row("temporary PostgreSQL", "did not start"));
                None
            }
        },
    };
    // xtask apart: it is running, and Windows cannot replace a program that runs.
    let ours = ["--workspace", "--exclude=xtask"];
    let everywhere = match scope {
        Scope::Everything => "tests, both databases",
        Scope::OnlySqlite => "tests, only SQLite",
    };
    let runner = Runner::installed();
    report.push(tests(everywhere, with(&server, runner.command(), &ours)));
    if runner == Runner::Nextest {
        // nextest leaves these out; `cargo test` has just run them.
        let examples = cargo(["test", "--doc"]);
        report.push(tests(
            "examples in the docs",
            with(&server, examples, &ours),
        ));
    }
    let chores = ["--package=xtask", "--lib", "--bins", "--test=files"];
    report.push(tests(
        "tests of the chores",
        with(&None, runner.command(), &chores),
    ));
    if scope == Scope::Everything {
        let deploy = ["--package=xtask", "--test=deploy"];
        report.push(tests(
            "deploy checks",
            with(&None, runner.command(), &deploy),
        ));
    }
}

/// nextest where it is installed; a machine with nothing but Rust has `cargo test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    Nextest,
    CargoTest,
}

impl Runner {
    fn installed() -> Self {
        let answer = cargo(["nextest", "--version"]).output();
        if answer.is_ok_and(|output| output.status.success()) {
            Self::Nextest
        } else {
            Self::CargoTest
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Nextest => cargo(["nextest", "run", "--no-fail-fast", "--no-tests=pass"]),
            Self::CargoTest => cargo(["test", "--no-fail-fast"]),
        }
    }
}

/// Adds the selection and, where there is a server, the feature and the address its tests need.
fn with(server: &Option<TemporaryPostgres>, mut command: Command, selection: &[&str]) -> Command {
    command.args(selection);
    if let Some(server) = server {
        command.arg(POSTGRES);
        command.env("MZI_TEST_POSTGRES_URL", server.url());
    }
    command
}

fn failed_row(step: &str, note: &str) -> Row {
    Row {
        step: step.to_owned(),
        counts: Counts::of_check(false),
        took: std::time::Duration::ZERO,
        note: Some(note.to_owned()),
    }
}
