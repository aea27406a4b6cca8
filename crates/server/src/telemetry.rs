//! Logs: readable on a terminal, JSON for machines, never with secrets.

use std::io::IsTerminal;

use anyhow::{Context, Result, bail};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::Layers;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// As `LOG_LEVEL` says: a server.
    AsSet,
    /// Warnings: a command whose answer is on standard output.
    Warnings,
    /// Errors only: a story that is being told.
    Errors,
}

/// Starts logging to standard error as the settings say.
pub fn start(layers: &Layers, volume: Volume) -> Result<()> {
    let level = match volume {
        Volume::AsSet => layers.text("LOG_LEVEL").unwrap_or("info"),
        Volume::Warnings => "warn",
        Volume::Errors => "error",
    };
    // The HTTP server's own chatter says nothing an operator can use.
    let filter = EnvFilter::try_new(format!("actix_server=warn,{level}"))
        .context("LOG_LEVEL is not a level or filter")?;
    let registry = tracing_subscriber::registry().with(filter);
    let started = match layers.text("LOG_FORMAT").unwrap_or("pretty") {
        "json" => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
        "pretty" => registry
            .with(
                fmt::layer()
                    .with_target(false)
                    .with_ansi(std::io::stderr().is_terminal())
                    .with_writer(std::io::stderr),
            )
            .try_init(),
        other => bail!("LOG_FORMAT is {other}, neither pretty nor json"),
    };
    started.context("logging was started twice")
}
