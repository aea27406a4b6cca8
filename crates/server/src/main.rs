//! `mzi`: the bridge's one binary.

mod cli;
mod commands;
mod demo;
mod process;
mod settings;
mod startup;
mod system;
mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    // One TLS implementation for the whole process, chosen before any client is built.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return cli::failed(&anyhow::anyhow!(
            "another TLS implementation is installed already"
        ));
    }
    match commands::run(arguments) {
        Ok(code) => code,
        Err(error) => cli::failed(&error),
    }
}
