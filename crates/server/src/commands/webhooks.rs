//! `mzi webhooks status`: addresses, the static token and the channels.

use std::process::ExitCode;

use anyhow::Result;
use mzi_domain::Entity;
use mzi_ports::{SettingsStore, crm::Channel};
use serde_json::json;

use super::{opened, pretty};
use crate::{
    cli::{Output, say},
    settings::Settings,
};

pub(super) async fn status(settings: Settings, output: Output) -> Result<ExitCode> {
    let bridge = opened(settings)?;
    let base = bridge.settings.webhooks.base_url.clone();
    let secret = bridge.webhook_secret().await?;
    let token = secret.as_ref().map(|secret| secret.static_token());
    let mut channels: Vec<Channel> = Vec::new();
    for entity in Entity::ALL {
        let stored = bridge.store.find(&format!("channel:{entity}")).await?;
        channels.extend(stored.and_then(|json| serde_json::from_str::<Channel>(&json).ok()));
    }
    if output.json {
        let answer = json!({"webhook_base_url": base, "static_token": token, "channels": channels});
        say(pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    let shown = base.as_deref().unwrap_or("(WEBHOOK_BASE_URL is not set)");
    say(format!("address       {shown}/api/v1/webhooks/{{entity}}"));
    say(match &token {
        Some(token) => format!("static token  {token}"),
        None => "static token  none: the webhook secret is blank or too short".to_owned(),
    });
    for channel in channels {
        let expiry = channel
            .expires_at
            .map_or_else(|| "unknown".to_owned(), |at| at.to_rfc3339());
        say(format!(
            "channel       {} {} until {expiry}",
            channel.channel_id, channel.module
        ));
    }
    Ok(ExitCode::SUCCESS)
}
