//! One access token for the whole process, kept across restarts and shared with other instances.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use mzi_ports::{Clock, CrmError, TokenVault, settings::StoredToken};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use url::Url;

use crate::{oauth, settings::ZohoSettings};

/// A token is replaced this long before it expires, so that none expires in flight.
const EARLY: Duration = Duration::minutes(2);

/// Hands out the one token and replaces it when it must.
pub(crate) struct TokenSource {
    settings: Arc<ZohoSettings>,
    credentials: String,
    http: Client,
    vault: Arc<dyn TokenVault>,
    clock: Arc<dyn Clock>,
    /// Locked during a refresh: callers that come meanwhile wait for its result.
    state: Mutex<State>,
}

/// A token with the API it is good for.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) token: SecretString,
    pub(crate) api: Url,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failure: Option<Failure>,
    /// The token the API refused last: it is not taken again, though it has not expired.
    refused: Option<SecretString>,
    /// When that token was replaced.
    replaced_at: Option<DateTime<Utc>>,
}

#[derive(Clone)]
struct Held {
    access: Access,
    expires_at: DateTime<Utc>,
}

/// A refresh that failed: it is not tried again before `until`.
struct Failure {
    error: CrmError,
    until: DateTime<Utc>,
}

impl TokenSource {
    pub(crate) fn new(
        settings: Arc<ZohoSettings>,
        http: Client,
        vault: Arc<dyn TokenVault>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            credentials: settings.credentials(),
            settings,
            http,
            vault,
            clock,
            state: Mutex::default(),
        }
    }

    /// A token that is good for a while.
    pub(crate) async fn access(&self) -> Result<Access, CrmError> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        match &state.held {
            Some(held) if held.expires_at - EARLY > now => return Ok(held.access.clone()),
            _ => {}
        }
        let old = state.held.clone().filter(|held| held.expires_at > now);
        match (self.obtain(&mut state).await, old) {
            (Ok(access), _) => Ok(access),
            // The early refresh failed, but the old token still has a moment to live.
            (Err(_), Some(old)) => Ok(old.access),
            (Err(error), None) => Err(error),
        }
    }

    /// Another token in place of one the API refused with `code`, once a minute at most.
    pub(crate) async fn replace(&self, refused: &Access, code: &str) -> Result<Access, CrmError> {
        let mut state = self.state.lock().await;
        if let Some(held) = &state.held
            && !same(&held.access.token, &refused.token)
        {
            return Ok(held.access.clone());
        }
        let now = self.clock.now();
        if state.replaced_at.is_some_and(|at| now < at + cool_down()) {
            return Err(CrmError::Unauthorised {
                code: code.to_owned(),
            });
        }
        state.refused = Some(refused.token.clone());
        state.held = None;
        let access = self.obtain(&mut state).await?;
        state.replaced_at = Some(now);
        Ok(access)
    }

    /// Takes the token another instance stored meanwhile, or else asks Zoho.
    async fn obtain(&self, state: &mut State) -> Result<Access, CrmError> {
        let now = self.clock.now();
        let refused = |token| state.refused.as_ref().is_some_and(|old| same(old, token));
        if let Some(held) = self.stored(now).await
            && !refused(&held.access.token)
        {
            return Ok(keep(state, held));
        }
        if let Some(failure) = &state.failure
            && now < failure.until
        {
            return Err(failure.error_at(now));
        }
        match self.refresh(now).await {
            Ok(held) => Ok(keep(state, held)),
            Err(error) => {
                tracing::warn!(error = %error, "Zoho gave no new access token");
                let until = now + cool_down();
                state.failure = Some(Failure {
                    error: error.clone(),
                    until,
                });
                Err(error)
            }
        }
    }

    /// The stored token, if it is ours and good for a while.
    async fn stored(&self, now: DateTime<Utc>) -> Option<Held> {
        let stored = match self.vault.load().await {
            Ok(stored) => stored?,
            Err(error) => {
                tracing::warn!(error = %error, "the stored Zoho access token could not be read");
                return None;
            }
        };
        if stored.credentials != self.credentials || stored.expires_at - EARLY <= now {
            return None;
        }
        self.held(&stored).ok()
    }

    async fn refresh(&self, now: DateTime<Utc>) -> Result<Held, CrmError> {
        let minted = oauth::refresh(&self.settings, &self.http).await?;
        let life = Duration::from_std(minted.lives_for).unwrap_or(EARLY);
        let stored = StoredToken {
            token: minted.token,
            api_domain: minted.api_domain,
            expires_at: now + life,
            credentials: self.credentials.clone(),
        };
        let held = self.held(&stored)?;
        // Without a vault the token is still good for this process.
        if let Err(error) = self.vault.store(&stored).await {
            tracing::warn!(error = %error, "the new Zoho access token could not be stored");
        }
        tracing::info!(token.expires_at = %held.expires_at, "Zoho gave a new access token");
        Ok(held)
    }

    fn held(&self, stored: &StoredToken) -> Result<Held, CrmError> {
        let api = self.settings.api_base(stored.api_domain.as_deref());
        Ok(Held {
            access: Access {
                token: stored.token.clone(),
                api: api.map_err(|invalid| CrmError::Protocol {
                    detail: invalid.to_string(),
                })?,
            },
            expires_at: stored.expires_at,
        })
    }
}

impl Failure {
    /// The failure as it looks now: the pause Zoho asked for has become shorter.
    fn error_at(&self, now: DateTime<Utc>) -> CrmError {
        match &self.error {
            CrmError::RateLimited { .. } => CrmError::RateLimited {
                after: (self.until - now).to_std().ok(),
            },
            error => error.clone(),
        }
    }
}

fn keep(state: &mut State, held: Held) -> Access {
    state.failure = None;
    let access = held.access.clone();
    state.held = Some(held);
    access
}

fn cool_down() -> Duration {
    Duration::from_std(oauth::COOL_DOWN).unwrap_or(EARLY)
}

/// Both are ours, so the comparison need not take constant time.
fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
