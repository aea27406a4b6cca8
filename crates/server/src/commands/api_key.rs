//! `mzi api-key add | list | revoke`.

use std::process::ExitCode;

use anyhow::Result;
use chrono::{Duration, SecondsFormat};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{opened, pretty};
use crate::{
    cli::{ApiKey, Output, say},
    settings::Settings,
};

pub(super) async fn run(command: ApiKey, settings: Settings) -> Result<ExitCode> {
    let bridge = opened(settings)?;
    let keys = bridge.keys();
    match command {
        ApiKey::Add { name, role, days } => {
            let ends = days.map(|days| bridge.clock.now() + Duration::days(days.into()));
            let made = keys.add(&name, role.into(), ends).await?;
            say(made.token.expose_secret());
        }
        ApiKey::List(output) => list(&keys.list().await?, output)?,
        ApiKey::Revoke { id } => {
            if !keys.revoke(&id).await? {
                say(format!("There is no key {id} to revoke."));
                return Ok(ExitCode::FAILURE);
            }
            say(format!("Key {id} is revoked."));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(keys: &[mzi_ports::keys::ApiKey], output: Output) -> Result<()> {
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    if output.json {
        let rows: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "id": key.id,
                    "name": key.name,
                    "role": key.role.word(),
                    "created_at": time(key.created_at),
                    "expires_at": key.expires_at.map(time),
                    "revoked_at": key.revoked_at.map(time),
                })
            })
            .collect();
        say(pretty(&rows)?);
        return Ok(());
    }
    for key in keys {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {}", time(at)),
            (None, Some(at)) => format!("until {}", time(at)),
            (None, None) => "without end".to_owned(),
        };
        say(format!(
            "{}  {:<9}  {state}  {}",
            key.id,
            key.role.word(),
            key.name
        ));
    }
    Ok(())
}
