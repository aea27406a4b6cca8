//! The command line: what can be asked, and how answers leave.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use mzi_domain::{Upstream, role::Role};

/// Moodle–Zoho Integration: one bridge between Zoho CRM and Moodle.
#[derive(Debug, Parser)]
#[command(name = "mzi", version, arg_required_else_help = true)]
pub struct Cli {
    /// A TOML file of settings, below the environment.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the bridge.
    Serve(Serve),
    /// Show the whole way from Zoho to the student's page, with invented data and no account.
    Demo(Demo),
    /// Bring the database up to this version.
    Migrate,
    /// Check database, Zoho and Moodle, and say how to mend what is amiss.
    Doctor(Output),
    /// Zoho's credentials.
    #[command(subcommand)]
    Zoho(Zoho),
    /// Settings.
    #[command(subcommand)]
    Config(Config),
    /// Print the OpenAPI document.
    Openapi,
    /// API keys.
    #[command(subcommand)]
    ApiKey(ApiKey),
    /// Zoho's webhooks.
    #[command(subcommand)]
    Webhooks(Webhooks),
    /// The Zoho organisation and the Moodle site the stored ids belong to.
    #[command(subcommand)]
    Connection(Connection),
}

/// How to run.
#[derive(Debug, Args)]
pub struct Serve {
    /// Refuse to start when a migration is pending, instead of running it.
    #[arg(long)]
    pub no_migrate: bool,
}

/// How to show.
#[derive(Debug, Args)]
pub struct Demo {
    /// How many students Zoho begins with.
    #[arg(long, default_value_t = 20)]
    pub students: usize,
    /// End after the story instead of waiting for Ctrl-C.
    #[arg(long)]
    pub once: bool,
    /// Where the bridge listens; another free port is taken if this one is not free.
    #[arg(long, default_value = "127.0.0.1:8001")]
    pub bind: std::net::SocketAddr,
}

/// How answers look.
#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// Answer in JSON.
    #[arg(long)]
    pub json: bool,
}

/// Zoho's credentials.
#[derive(Debug, Subcommand)]
pub enum Zoho {
    /// Trade a grant code for a refresh token.
    Token {
        /// The code from the API console's Self Client; it works once and for minutes only.
        #[arg(long)]
        code: String,
    },
}

/// Settings.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Show every setting with its source; secrets only as set or not set.
    Show(Output),
}

/// API keys.
#[derive(Debug, Subcommand)]
pub enum ApiKey {
    /// Make a key and show it, once.
    Add {
        /// What people call it.
        #[arg(long, default_value = "command line")]
        name: String,
        /// What it may do.
        #[arg(long)]
        role: RoleName,
        /// In how many days it ends; never, if left out.
        #[arg(long)]
        days: Option<u16>,
    },
    /// List keys, without their secrets.
    List(Output),
    /// Revoke a key.
    Revoke {
        /// The part between the first and the second underscore.
        id: String,
    },
}

/// Zoho's webhooks.
#[derive(Debug, Subcommand)]
pub enum Webhooks {
    /// Show addresses, the static token and the notification channels.
    Status(Output),
}

/// Places.
#[derive(Debug, Subcommand)]
pub enum Connection {
    /// Show what is stored and what answers now.
    Show(Output),
    /// Accept what answers now: it is the same place under another address.
    Accept {
        /// Which side.
        side: Side,
    },
}

/// A side of the bridge.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Side {
    /// Zoho CRM.
    Zoho,
    /// Moodle.
    Moodle,
}

impl From<Side> for Upstream {
    fn from(side: Side) -> Self {
        match side {
            Side::Zoho => Self::Zoho,
            Side::Moodle => Self::Moodle,
        }
    }
}

/// A role by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    /// Reads records and events.
    Viewer,
    /// Works with people's records.
    Registrar,
    /// Runs the bridge.
    Operator,
    /// Everything.
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Registrar => Self::Registrar,
            RoleName::Operator => Self::Operator,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Writes a line to standard output; a closed pipe is nobody's mistake.
pub fn say(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()));
}

/// Writes the one line that says why nothing came of it.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    let mut out = std::io::stderr().lock();
    drop(writeln!(out, "mzi: {error:#}"));
    ExitCode::FAILURE
}
