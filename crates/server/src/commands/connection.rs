//! `mzi connection show | accept`: which organisation and site the stored ids belong to (I8).

use std::process::ExitCode;

use anyhow::{Context, Result};
use mzi_application::places::Standing;
use mzi_domain::Upstream;
use serde_json::json;

use super::{opened, pretty};
use crate::{
    cli::{Connection, say},
    settings::Settings,
};

pub(super) async fn run(command: Connection, settings: Settings) -> Result<ExitCode> {
    let bridge = opened(settings)?;
    let places = bridge
        .places()
        .context("Zoho and Moodle must both be configured")?;
    match command {
        Connection::Show(output) => {
            let mut rows = Vec::new();
            let mut right = true;
            for upstream in [Upstream::Zoho, Upstream::Moodle] {
                let found = match places.look(upstream).await {
                    Ok(Standing::Right) => "the stored place".to_owned(),
                    Ok(Standing::Other { stored, found }) => {
                        right = false;
                        format!("ANOTHER PLACE: stored is {stored}, now answers {found}")
                    }
                    Ok(Standing::Unknown) => "unknown".to_owned(),
                    Err(error) => {
                        right = false;
                        error.to_string()
                    }
                };
                rows.push((upstream.word(), found));
            }
            if output.json {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|(side, found)| json!({"side": side, "found": found}))
                    .collect();
                say(pretty(&rows)?);
            } else {
                rows.iter()
                    .for_each(|(side, found)| say(format!("{side:<7} {found}")));
            }
            Ok(if right {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Connection::Accept { side } => {
            let upstream = Upstream::from(side);
            match places.accept(upstream).await? {
                Some(found) => say(format!("{upstream}: {found} is the stored place now.")),
                None => say(format!(
                    "{upstream} does not tell which place it is; nothing to accept."
                )),
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
