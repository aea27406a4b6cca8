//! Settings, the shared token and API keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::{MemoryStore, StoreCall};
use crate::{
    error::StoreError,
    keys::{ApiKey, KeyStore},
    settings::{SettingsStore, StoredToken, TokenVault},
};

pub(super) enum Setting {
    Clear(String),
    Secret(SecretString),
}

#[async_trait]
impl SettingsStore for MemoryStore {
    async fn find(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.call(StoreCall::Values, |data| {
            Ok(match data.settings.get(key) {
                Some(Setting::Clear(value)) => Some(value.clone()),
                Some(Setting::Secret(_)) | None => None,
            })
        })
    }

    async fn put(&self, key: &str, value: &str, _now: DateTime<Utc>) -> Result<(), StoreError> {
        self.call(StoreCall::Values, |data| {
            data.settings
                .insert(key.to_owned(), Setting::Clear(value.to_owned()));
            Ok(())
        })
    }

    async fn put_if_absent(
        &self,
        key: &str,
        value: &str,
        _now: DateTime<Utc>,
    ) -> Result<String, StoreError> {
        self.call(StoreCall::Values, |data| {
            let held = data
                .settings
                .entry(key.to_owned())
                .or_insert_with(|| Setting::Clear(value.to_owned()));
            match held {
                Setting::Clear(value) => Ok(value.clone()),
                Setting::Secret(_) => Err(StoreError::Internal {
                    reason: format!("the setting {key} holds a secret"),
                }),
            }
        })
    }

    async fn forget(&self, key: &str) -> Result<(), StoreError> {
        self.call(StoreCall::Values, |data| {
            data.settings.remove(key);
            Ok(())
        })
    }

    async fn find_secret(&self, key: &str) -> Result<Option<SecretString>, StoreError> {
        self.call(StoreCall::Values, |data| {
            Ok(match data.settings.get(key) {
                Some(Setting::Secret(value)) => Some(value.clone()),
                Some(Setting::Clear(_)) | None => None,
            })
        })
    }

    async fn put_secret(
        &self,
        key: &str,
        value: &SecretString,
        _now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.call(StoreCall::Values, |data| {
            data.settings
                .insert(key.to_owned(), Setting::Secret(value.clone()));
            Ok(())
        })
    }
}

#[async_trait]
impl TokenVault for MemoryStore {
    async fn load(&self) -> Result<Option<StoredToken>, StoreError> {
        self.call(StoreCall::Values, |data| Ok(data.token.clone()))
    }

    async fn store(&self, token: &StoredToken) -> Result<(), StoreError> {
        self.call(StoreCall::Values, |data| {
            data.token = Some(token.clone());
            Ok(())
        })
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn add(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.call(StoreCall::Values, |data| {
            if data.keys.iter().any(|held| held.id == key.id) {
                return Err(StoreError::Internal {
                    reason: "an API key with this id exists".into(),
                });
            }
            data.keys.push(key.clone());
            Ok(())
        })
    }

    async fn find(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        self.call(StoreCall::Values, |data| {
            Ok(data.keys.iter().find(|key| key.id == id).cloned())
        })
    }

    async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.call(StoreCall::Values, |data| {
            let mut keys = data.keys.clone();
            keys.sort_by_key(|key| std::cmp::Reverse(key.created_at));
            Ok(keys)
        })
    }

    async fn revoke(&self, id: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.call(StoreCall::Values, |data| {
            let mut keys = data.keys.iter_mut();
            let live = keys.find(|key| key.id == id && key.revoked_at.is_none());
            Ok(live.map(|key| key.revoked_at = Some(now)).is_some())
        })
    }
}
