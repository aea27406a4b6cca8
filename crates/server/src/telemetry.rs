//! Logs: readable on a terminal, JSON for machines, never with secrets.

use anyhow::{Context, Result, bail};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::Layers;

/// Starts logging as the settings say; `quiet` shows warnings only.
pub fn start(layers: &Layers, quiet: bool) -> Result<()> {
    let level = if quiet {
        "warn"
    } else {
        layers.text("LOG_LEVEL").unwrap_or("info")
    };
    let filter = EnvFilter::try_new(level).context("LOG_LEVEL is not a level or filter")?;
    let registry = tracing_subscriber::registry().with(filter);
    let started = match layers.text("LOG_FORMAT").unwrap_or("pretty") {
        "json" => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
        "pretty" => registry
            .with(fmt::layer().with_target(false).with_writer(std::io::stderr))
            .try_init(),
        other => bail!("LOG_FORMAT is {other}, neither pretty nor json"),
    };
    started.context("logging was started twice")
}
