//! API keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::role::Role;

use crate::error::StoreError;

/// Where API keys are kept; only hashes, never keys.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Adds a key.
    async fn add(&self, key: &ApiKey) -> Result<(), StoreError>;

    /// The key with this id, revoked or expired or not.
    async fn find(&self, id: &str) -> Result<Option<ApiKey>, StoreError>;

    /// Every key, newest first.
    async fn list(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes a key; answers whether there was one to revoke.
    async fn revoke(&self, id: &str, now: DateTime<Utc>) -> Result<bool, StoreError>;
}

/// An API key as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The public half, part of the key.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the secret half, lower-case hex.
    pub secret_hash: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}
