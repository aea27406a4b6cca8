//! `mzi-bench`: measures the bridge against a limit server on the same machine, in the same run.
//!
//! `cargo xtask bench` builds `mzi` and this program side by side and starts it. It asserts
//! nothing about time: it prints what it measured, beside what the design asks for.

mod bridge;
mod college;
mod http;
mod latency;
mod limit;
mod load;
mod machine;
mod measure;
mod notice;
mod place;
mod plan;
mod process;
mod proof;
mod report;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::{
    measure::{Figure, Setting},
    plan::Plan,
    report::{Report, Row},
};

/// Measures the bridge, and prints one table.
#[derive(Debug, Parser)]
#[command(name = "mzi-bench", version, args_conflicts_with_subcommands = true)]
struct Cli {
    /// What to measure; everything, if left out.
    #[arg(value_enum, default_value = "all")]
    figures: Vec<Figure>,
    /// Small numbers, to see that everything runs.
    #[arg(long)]
    quick: bool,
    /// Also writes the table as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where databases are made, and so which disk is measured; beside this program, if left out.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    part: Option<Part>,
}

/// Parts this program runs as processes of their own.
#[derive(Debug, Subcommand)]
enum Part {
    /// Serves the limit: the least that keeps the same promises.
    #[command(hide = true)]
    LimitServer(limit::LimitServer),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match &cli.part {
        Some(Part::LimitServer(options)) => limit::serve(options).map(|()| true),
        None => run(&cli),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&mut io::stderr(), &format!("mzi-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Measures one figure after the other; `false` when one of them could not be.
fn run(cli: &Cli) -> Result<bool> {
    let plan = if cli.quick { Plan::QUICK } else { Plan::FULL };
    let folder = match &cli.folder {
        Some(folder) => folder.clone(),
        None => std::env::current_exe()?
            .parent()
            .map(PathBuf::from)
            .unwrap_or_default(),
    };
    let setting = Setting { plan, folder };
    say(&mut io::stdout(), &machine::describe(&setting.folder)?);
    let mut report = Report::default();
    let mut whole = true;
    for figure in cli.figures.iter().flat_map(|figure| figure.parts()) {
        say(&mut io::stderr(), &format!("measuring {} …", figure.name()));
        match figure.measure(&setting) {
            Ok(rows) => report.0.extend(rows),
            Err(error) => {
                whole = false;
                report.0.push(Row::skipped(
                    "",
                    figure.name(),
                    &format!("FAILED: {error:#}"),
                ));
            }
        }
    }
    say(&mut io::stdout(), &report.to_string());
    if let Some(path) = &cli.json {
        std::fs::write(path, report.json()?).with_context(|| path.display().to_string())?;
    }
    Ok(whole)
}

/// A closed pipe is nobody's mistake.
fn say(out: &mut dyn Write, text: &str) {
    let _closed = writeln!(out, "{text}").and_then(|()| out.flush()).is_err();
}
