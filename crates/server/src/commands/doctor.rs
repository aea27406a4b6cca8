//! `mzi doctor`: exit code 0 when all is well, 1 when something is not.

use std::process::ExitCode;

use anyhow::Result;

use super::{opened, pretty};
use crate::{
    cli::{Output, say},
    settings::Settings,
};

pub(super) async fn run(settings: Settings, output: Output) -> Result<ExitCode> {
    let bridge = opened(settings)?;
    let report = bridge.health().await?.report().await;
    let findings = bridge.doctor().examine(&report).await;
    let well = findings.iter().all(|finding| finding.ok);
    if output.json {
        say(pretty(&findings)?);
    } else {
        for finding in &findings {
            let mark = if finding.ok { "ok  " } else { "FAIL" };
            say(format!("{mark}  {:<18} {}", finding.check, finding.found));
            if let Some(fix) = &finding.fix {
                say(format!("      {:<18} → {fix}", ""));
            }
        }
    }
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
