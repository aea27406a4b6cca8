//! API keys.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use mzi_domain::role::Role;
use mzi_ports::{KeyStore, StoreError, keys::ApiKey};

use super::SqlStore;
use crate::{error::Failure, moment, schema::system::api_keys, text::storable};

#[async_trait]
impl KeyStore for SqlStore {
    async fn add(&self, key: &ApiKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.db
            .write(move |conn| {
                let row = (
                    api_keys::id.eq(&key.id),
                    api_keys::name.eq(storable(&key.name)),
                    api_keys::secret_hash.eq(&key.secret_hash),
                    api_keys::role.eq(key.role.word()),
                    api_keys::created_at.eq(moment::stored(key.created_at)),
                    api_keys::expires_at.eq(moment::stored_opt(key.expires_at)),
                    api_keys::revoked_at.eq(moment::stored_opt(key.revoked_at)),
                );
                on_backend!(conn, c => diesel::insert_into(api_keys::table)
                    .values(row).execute(c))?;
                Ok(())
            })
            .await
    }

    async fn find(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        let id = id.to_owned();
        self.db
            .read(move |conn| {
                let query = api_keys::table.filter(api_keys::id.eq(&id));
                let row: Option<KeyRow> = on_backend!(conn, c => query.get_result(c).optional())?;
                row.map(KeyRow::into_key).transpose()
            })
            .await
    }

    async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.db
            .read(|conn| {
                let query =
                    api_keys::table.order((api_keys::created_at.desc(), api_keys::id.desc()));
                let rows: Vec<KeyRow> = on_backend!(conn, c => query.load(c))?;
                rows.into_iter().map(KeyRow::into_key).collect()
            })
            .await
    }

    async fn revoke(&self, id: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let (id, now) = (id.to_owned(), moment::stored(now));
        self.db
            .write(move |conn| {
                let live = api_keys::id.eq(&id).and(api_keys::revoked_at.is_null());
                let query = update!(api_keys, api_keys::revoked_at.eq(now), where live);
                let revoked = on_backend!(conn, c => query.execute(c))?;
                Ok(revoked == 1)
            })
            .await
    }
}

#[derive(Queryable)]
struct KeyRow {
    id: String,
    name: String,
    secret_hash: String,
    role: String,
    created_at: NaiveDateTime,
    expires_at: Option<NaiveDateTime>,
    revoked_at: Option<NaiveDateTime>,
}

impl KeyRow {
    fn into_key(self) -> Result<ApiKey, Failure> {
        let role = Role::parse(&self.role)
            .ok_or_else(|| Failure::corrupt("api_keys", format!("role {}", self.role)))?;
        Ok(ApiKey {
            id: self.id,
            name: self.name,
            secret_hash: self.secret_hash,
            role,
            created_at: self.created_at.and_utc(),
            expires_at: moment::read_opt(self.expires_at),
            revoked_at: moment::read_opt(self.revoked_at),
        })
    }
}
