//! Values the bridge keeps for itself: settings, places, watermarks, the shared access token.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::error::StoreError;

/// Stored settings.
#[async_trait]
pub trait SettingsStore: Send + Sync {
    /// The value of a key.
    async fn find(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Stores a value in the clear.
    async fn put(&self, key: &str, value: &str, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// Stores a value only if the key has none, and answers the value that holds afterwards.
    ///
    /// - MUST answer the same value to concurrent callers.
    async fn put_if_absent(
        &self,
        key: &str,
        value: &str,
        now: DateTime<Utc>,
    ) -> Result<String, StoreError>;

    /// Forgets a key; no error if it has no value.
    async fn forget(&self, key: &str) -> Result<(), StoreError>;

    /// A secret, unsealed.
    ///
    /// - MUST fail with `Corrupt` when the seal does not open with the present key.
    async fn find_secret(&self, key: &str) -> Result<Option<SecretString>, StoreError>;

    /// Seals and stores a secret; its plain text never reaches the database.
    async fn put_secret(
        &self,
        key: &str,
        value: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}

/// The access token, shared by every instance and kept across restarts.
#[async_trait]
pub trait TokenVault: Send + Sync {
    /// The token last stored, whether or not it has expired.
    async fn load(&self) -> Result<Option<StoredToken>, StoreError>;

    /// Replaces the stored token.
    async fn store(&self, token: &StoredToken) -> Result<(), StoreError>;
}

/// An access token with what came along.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// The token.
    pub token: SecretString,
    /// The API host the token answer named.
    pub api_domain: Option<String>,
    /// When it expires, by our clock.
    pub expires_at: DateTime<Utc>,
    /// Tells which credentials it belongs to, without showing them.
    pub credentials: String,
}
