//! `mzi config show`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::pretty;
use crate::{
    cli::{Output, say},
    settings::{Settings, names::NAMES},
};

pub(super) fn show(settings: &Settings, output: Output) -> Result<ExitCode> {
    let layers = &settings.layers;
    let rows: Vec<(&str, String, String)> = NAMES
        .iter()
        .filter_map(|name| {
            let raw = layers.raw(name.name)?;
            let shown = match (name.secret, raw.value.trim().is_empty()) {
                (_, true) => "(blank)".to_owned(),
                (true, false) => "(set)".to_owned(),
                (false, false) => raw.value.clone(),
            };
            Some((name.name, shown, raw.source.to_string()))
        })
        .collect();
    if output.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, value, source)| json!({"name": name, "value": value, "source": source}))
            .collect();
        say(pretty(
            &json!({"settings": rows, "warnings": layers.warnings}),
        )?);
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value, source) in rows {
        say(format!("{name:<36} {value:<40} {source}"));
    }
    for warning in &layers.warnings {
        say(format!("warning: {warning}"));
    }
    Ok(ExitCode::SUCCESS)
}
