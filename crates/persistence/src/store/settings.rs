//! Settings, clear and sealed, and the shared access token.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{prelude::*, upsert::excluded};
use mzi_ports::{SettingsStore, StoreError, TokenVault, settings::StoredToken};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::SqlStore;
use crate::{
    connection::AnyConnection,
    error::Failure,
    moment,
    schema::system::{CONNECTION, settings},
    text::storable,
};

/// Where the shared access token is kept; sealed as one piece.
const TOKEN: &str = "zoho.access_token";

#[async_trait]
impl SettingsStore for SqlStore {
    async fn find(&self, key: &str) -> Result<Option<String>, StoreError> {
        let held = self.held(key).await?;
        Ok(held.and_then(|held| held.clear))
    }

    async fn put(&self, key: &str, value: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.replace(key, Some(storable(value).into_owned()), None, now)
            .await
    }

    async fn put_if_absent(
        &self,
        key: &str,
        value: &str,
        now: DateTime<Utc>,
    ) -> Result<String, StoreError> {
        let (key, value) = (key.to_owned(), storable(value).into_owned());
        let now = moment::stored(now);
        self.db
            .write(move |conn| put_if_absent(conn, &key, &value, now))
            .await
    }

    async fn forget(&self, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.db
            .write(move |conn| {
                on_backend!(conn, c => diesel::delete(settings::table)
                    .filter(settings::connection_id.eq(CONNECTION))
                    .filter(settings::name.eq(&key)).execute(c))?;
                Ok(())
            })
            .await
    }

    async fn find_secret(&self, key: &str) -> Result<Option<SecretString>, StoreError> {
        let Some(sealed) = self.held(key).await?.and_then(|held| held.sealed) else {
            return Ok(None);
        };
        match self.key.open(key, &sealed) {
            Ok(secret) => Ok(Some(secret)),
            Err(error) => Err(StoreError::Corrupt {
                table: "settings",
                reason: format!("{key}: {error}"),
            }),
        }
    }

    async fn put_secret(
        &self,
        key: &str,
        value: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sealed = self.key.seal(key, value.expose_secret());
        let sealed = sealed.map_err(|error| StoreError::Internal {
            reason: error.to_string(),
        })?;
        self.replace(key, None, Some(sealed), now).await
    }
}

#[async_trait]
impl TokenVault for SqlStore {
    async fn load(&self) -> Result<Option<StoredToken>, StoreError> {
        let Some(secret) = self.find_secret(TOKEN).await? else {
            return Ok(None);
        };
        let read: Token = serde_json::from_str(secret.expose_secret()).map_err(|error| {
            StoreError::Corrupt {
                table: "settings",
                // The position only: serde's own words may show a piece of the token.
                reason: format!("{TOKEN} is malformed at column {}", error.column()),
            }
        })?;
        Ok(Some(StoredToken {
            token: SecretString::from(read.token),
            api_domain: read.api_domain,
            expires_at: read.expires_at,
            credentials: read.credentials,
        }))
    }

    async fn store(&self, token: &StoredToken) -> Result<(), StoreError> {
        let written = Token {
            token: token.token.expose_secret().to_owned(),
            api_domain: token.api_domain.clone(),
            expires_at: token.expires_at,
            credentials: token.credentials.clone(),
        };
        let text = serde_json::to_string(&written).map_err(|error| StoreError::Internal {
            reason: error.to_string(),
        })?;
        // The row's time is only for people; the token carries the one that matters.
        self.put_secret(TOKEN, &SecretString::from(text), token.expires_at)
            .await
    }
}

#[derive(Serialize, Deserialize)]
struct Token {
    token: String,
    api_domain: Option<String>,
    expires_at: DateTime<Utc>,
    credentials: String,
}

#[derive(Queryable)]
struct HeldSetting {
    clear: Option<String>,
    sealed: Option<String>,
}

impl SqlStore {
    async fn held(&self, key: &str) -> Result<Option<HeldSetting>, StoreError> {
        let key = key.to_owned();
        self.db.read(move |conn| held(conn, &key)).await
    }

    async fn replace(
        &self,
        key: &str,
        clear: Option<String>,
        sealed: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = Arc::<str>::from(key);
        let now = moment::stored(now);
        self.db
            .write(move |conn| {
                let row = (
                    settings::connection_id.eq(CONNECTION),
                    settings::name.eq(&*key),
                    settings::value.eq(clear.as_deref()),
                    settings::sealed.eq(sealed.as_deref()),
                    settings::updated_at.eq(now),
                );
                let changed = (
                    settings::value.eq(excluded(settings::value)),
                    settings::sealed.eq(excluded(settings::sealed)),
                    settings::updated_at.eq(excluded(settings::updated_at)),
                );
                let query = upsert!(settings, row, on (connection_id, name) set changed);
                on_backend!(conn, c => query.execute(c))?;
                Ok(())
            })
            .await
    }
}

fn held(conn: &mut AnyConnection, key: &str) -> Result<Option<HeldSetting>, Failure> {
    let query = settings::table
        .filter(settings::connection_id.eq(CONNECTION))
        .filter(settings::name.eq(key))
        .select((settings::value, settings::sealed));
    Ok(on_backend!(conn, c => query.get_result(c).optional())?)
}

fn put_if_absent(
    conn: &mut AnyConnection,
    key: &str,
    value: &str,
    now: NaiveDateTime,
) -> Result<String, Failure> {
    let row = (
        settings::connection_id.eq(CONNECTION),
        settings::name.eq(key),
        settings::value.eq(value),
        settings::updated_at.eq(now),
    );
    let query = upsert!(settings, row, on (connection_id, name) nothing);
    on_backend!(conn, c => query.execute(c))?;
    let held = held(conn, key)?.and_then(|held| held.clear);
    held.ok_or_else(|| Failure::internal(format!("the setting {key} holds a secret")))
}
