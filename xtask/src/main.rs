//! Reads the command line and calls the chore.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to the person who called it"
)]

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::suite::{self, Options, Scope};
use xtask::{graph, run, setup};

const HELP: &str = "\
cargo xtask <chore>

  setup                          install what the tests need (Debian), or list it (elsewhere)
  test [--setup] [--only sqlite] formatting, lints, crate graph, all tests on both databases, deploy checks
  ci   [--setup] [--only sqlite] the same and the documentation
  graph                          compare the edges between our crates with the design
  bench [ARGS...]                build the bridge and the load driver optimised, run mzi-bench with ARGS
  demo [ARGS...]                 run mzi demo with ARGS

  --setup          install what is missing first
  --only sqlite    only what needs nothing beyond Rust and a C compiler; says what it left out
";

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let chore = words.next().unwrap_or_default();
    match dispatch(&chore.to_string_lossy(), words.collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `Ok(false)` where the chore ran and found something wrong, which it has already said.
fn dispatch(chore: &str, words: Vec<OsString>) -> Result<bool> {
    match chore {
        "setup" => setup::install_missing(options(&words)?.scope).map(|()| true),
        "test" => suite::run(&options(&words)?),
        "ci" => suite::run(&Options {
            documentation: true,
            ..options(&words)?
        }),
        "graph" => graph::check_and_print(),
        "bench" => run::bench(&words),
        "demo" => run::demo(&words),
        "" | "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(true)
        }
        other => bail!("no chore is called {other:?}\n\n{HELP}"),
    }
}

fn options(words: &[OsString]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.as_ref() {
            "--setup" => options.setup = true,
            "--only" => match words.next().as_deref() {
                Some("sqlite") => options.scope = Scope::OnlySqlite,
                other => bail!("--only knows sqlite, not {other:?}"),
            },
            "--only=sqlite" => options.scope = Scope::OnlySqlite,
            other => bail!("unknown option {other:?}\n\n{HELP}"),
        }
    }
    Ok(options)
}
