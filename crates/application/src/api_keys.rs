//! API keys: made once, shown once, kept as a hash.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use mzi_domain::role::Role;
use mzi_ports::{Clock, KeyStore, StoreError, keys::ApiKey};
use rand::RngCore;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What every key begins with, so that people and scanners recognise one.
const PREFIX: &str = "mzik_";

/// Makes and checks API keys.
pub struct ApiKeys {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
}

/// A key that has just been made; its secret is not kept anywhere else.
pub struct NewKey {
    /// What is stored.
    pub key: ApiKey,
    /// `mzik_<id>_<secret>`.
    pub token: SecretString,
}

impl ApiKeys {
    /// Keeps keys in `store`.
    pub fn new(store: Arc<dyn KeyStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Makes a key.
    pub async fn add(
        &self,
        name: &str,
        role: Role,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<NewKey, StoreError> {
        let id = hex::encode(random::<6>());
        let secret = URL_SAFE_NO_PAD.encode(random::<32>());
        let key = ApiKey {
            id: id.clone(),
            name: name.to_owned(),
            secret_hash: hash(&secret),
            role,
            created_at: self.clock.now(),
            expires_at,
            revoked_at: None,
        };
        self.store.add(&key).await?;
        Ok(NewKey {
            key,
            token: format!("{PREFIX}{id}_{secret}").into(),
        })
    }

    /// Every key, newest first.
    pub async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.store.list().await
    }

    /// Revokes a key; answers whether there was one to revoke.
    pub async fn revoke(&self, id: &str) -> Result<bool, StoreError> {
        self.store.revoke(id, self.clock.now()).await
    }

    /// The role behind a token, if it is a key that is neither revoked nor expired.
    pub async fn role_of(&self, token: &str) -> Result<Option<Role>, StoreError> {
        let Some((id, secret)) = token
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
        else {
            return Ok(None);
        };
        let Some(key) = self.store.find(id).await? else {
            return Ok(None);
        };
        let given = hash(secret);
        let same: bool = given.as_bytes().ct_eq(key.secret_hash.as_bytes()).into();
        let now = self.clock.now();
        let alive = key.revoked_at.is_none() && key.expires_at.is_none_or(|end| end > now);
        Ok((same && alive).then_some(key.role))
    }
}

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}
