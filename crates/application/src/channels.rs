//! Keeps a notification channel alive for every entity that is switched on.
//!
//! A channel lives at most a week, and one asked for longer silently lives an hour: what Zoho
//! really keeps is read back and remembered, and a channel is replaced while two days are left.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use mzi_domain::{Entity, Issue, IssueCode};
use mzi_ports::{
    Clock, Crm, CrmError, Ledger, SettingsStore, StoreError,
    crm::{Channel, ChannelRequest},
};
use rand::Rng;
use tokio_util::sync::CancellationToken;

use crate::{mappings::Mappings, policy::Policy, receive_webhook::WebhookSecret};

/// How long a channel is asked to live: half a day less than Zoho's week.
const LIFE_HOURS: i64 = 6 * 24 + 12;
/// Replaced when less is left.
const RENEW_BELOW_HOURS: i64 = 48;
/// Below this, somebody must know.
const ALARM_BELOW_HOURS: i64 = 24;
/// How often channels are looked at; soon again after a failure.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(15 * 60);
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Keeps channels.
pub struct Channels {
    crm: Arc<dyn Crm>,
    settings: Arc<dyn SettingsStore>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    mappings: Arc<Mappings>,
    policy: Arc<Policy>,
    secret: WebhookSecret,
    /// `WEBHOOK_BASE_URL`, without a trailing slash.
    base_url: String,
}

/// Why an entity has no good channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// Zoho refused or could not be reached.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// What is known of channels could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Zoho gave it a shorter life than was asked for.
    #[error("Zoho lets the channel end at {0}, which is too soon")]
    ShortLived(String),
}

impl Channels {
    /// Keeps channels that notify `{base_url}/api/v1/webhooks/{entity}`.
    #[expect(
        clippy::too_many_arguments,
        reason = "a keeper is made once, in the wiring"
    )]
    pub fn new(
        crm: Arc<dyn Crm>,
        settings: Arc<dyn SettingsStore>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        mappings: Arc<Mappings>,
        policy: Arc<Policy>,
        secret: WebhookSecret,
        base_url: String,
    ) -> Self {
        Self {
            crm,
            settings,
            ledger,
            clock,
            mappings,
            policy,
            secret,
            base_url,
        }
    }

    /// Looks after the channels until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let pause = if self.keep().await {
                LOOK_EVERY
            } else {
                LOOK_AGAIN
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Makes every entity's channel good; answers whether all are. A failure becomes an issue of
    /// the connection, never a reason not to run.
    pub async fn keep(&self) -> bool {
        let mut all = true;
        let existing = match self.crm.channels().await {
            Ok(channels) => Some(channels),
            Err(error) => {
                tracing::warn!(%error, "the existing channels cannot be listed");
                None
            }
        };
        for entity in self.policy.services.entities() {
            let outcome = self.keep_one(entity, existing.as_deref()).await;
            let issue = outcome.as_ref().err().map(|error| {
                let message = format!("The notification channel of {entity}: {error}");
                Issue::new(IssueCode::ChannelFailed, message).about(entity.key())
            });
            all &= issue.is_none();
            let subject = format!("channel:{entity}");
            let told = self
                .ledger
                .connection_issue(&subject, issue.as_ref(), self.clock.now())
                .await;
            if let Err(error) = told {
                tracing::error!(%error, %entity, "the channel's issue could not be stored");
            }
        }
        all
    }

    async fn keep_one(
        &self,
        entity: Entity,
        existing: Option<&[Channel]>,
    ) -> Result<(), ChannelError> {
        let now = self.clock.now();
        let known = self.known(entity).await?;
        let url = format!("{}/api/v1/webhooks/{entity}", self.base_url);
        if let Some(channel) = &known
            && is_good(channel, &url, existing, now)
        {
            return Ok(());
        }
        let channel_id = known.map_or_else(new_channel_id, |channel| channel.channel_id);
        let request = ChannelRequest {
            token: self.secret.channel_token(&channel_id),
            module: self.mappings.module(entity).to_owned(),
            notify_url: url.clone(),
            expires_at: now + Duration::hours(LIFE_HOURS),
            channel_id,
        };
        let kept = self.crm.subscribe(&request).await?;
        let kept = Channel {
            notify_url: Some(url),
            ..kept
        };
        self.remember(entity, &kept).await?;
        tracing::info!(%entity, zoho.module = request.module, "the notification channel is registered");
        match kept.expires_at {
            Some(at) if at - now < Duration::hours(ALARM_BELOW_HOURS) => {
                Err(ChannelError::ShortLived(at.to_rfc3339()))
            }
            _ => Ok(()),
        }
    }

    async fn known(&self, entity: Entity) -> Result<Option<Channel>, StoreError> {
        let stored = self.settings.find(&setting(entity)).await?;
        Ok(stored.and_then(|json| serde_json::from_str(&json).ok()))
    }

    async fn remember(&self, entity: Entity, channel: &Channel) -> Result<(), StoreError> {
        let json = serde_json::to_string(channel).map_err(|error| StoreError::Internal {
            reason: error.to_string(),
        })?;
        self.settings
            .put(&setting(entity), &json, self.clock.now())
            .await
    }
}

fn setting(entity: Entity) -> String {
    format!("channel:{entity}")
}

/// It points here, lives long enough, and Zoho still lists it (where Zoho lets us look).
fn is_good(channel: &Channel, url: &str, existing: Option<&[Channel]>, now: DateTime<Utc>) -> bool {
    let here = channel.notify_url.as_deref() == Some(url);
    let long = channel
        .expires_at
        .is_some_and(|at| at - now >= Duration::hours(RENEW_BELOW_HOURS));
    let listed = existing.is_none_or(|channels| {
        channels
            .iter()
            .any(|one| one.channel_id == channel.channel_id)
    });
    here && long && listed
}

/// A number nobody else is likely to have chosen; Zoho takes any long.
fn new_channel_id() -> String {
    rand::rng()
        .random_range(1_000_000_000_000_u64..9_000_000_000_000_000)
        .to_string()
}
