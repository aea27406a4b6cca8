//! Stores under test.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use diesel::{QueryableByName, RunQueryDsl, sql_types::Text};
use mzi_domain::{Entity, ZohoId};
use mzi_persistence::{AnyConnection, Db, Options, SealKey, SqlStore};
use mzi_ports::{IdSource, testing::store_contract::Subject};

/// Ids that sort by the order in which they were made, as UUIDs of version 7 do.
#[derive(Default)]
pub struct SortedIds(AtomicU64);

impl IdSource for SortedIds {
    fn next(&self) -> String {
        format!("id-{:012}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A store on some URL, with whatever must outlive it.
pub struct OnUrl<K> {
    pub url: String,
    pub store: Option<SqlStore>,
    /// Dropped, and so removed, with the subject.
    _keep: K,
    ids: Arc<SortedIds>,
}

impl<K> OnUrl<K> {
    /// Opens an empty database and migrates it.
    pub fn open(url: String, keep: K) -> Self {
        let mut subject = Self {
            url,
            store: None,
            _keep: keep,
            ids: Arc::default(),
        };
        let db = Db::open(&subject.url, &Options::default()).unwrap();
        db.migrate().unwrap();
        subject.store = Some(subject.store_on(db));
        subject
    }

    pub fn store_on(&self, db: Db) -> SqlStore {
        let ids: Arc<dyn IdSource> = self.ids.clone();
        SqlStore::new(db, SealKey::from_bytes([7; 32]), ids)
    }

    pub fn db(&self) -> &Db {
        self.store.as_ref().unwrap().db()
    }
}

#[async_trait]
impl<K: Send + Sync> Subject for OnUrl<K> {
    type Store = SqlStore;

    fn store(&self) -> SqlStore {
        self.store.clone().unwrap()
    }

    async fn restart(&mut self) {
        self.store = None;
        #[cfg(feature = "postgres")]
        crate::postgres::wait_until_alone(&self.url);
        let db = Db::open(&self.url, &Options::default()).unwrap();
        self.store = Some(self.store_on(db));
    }

    async fn history(&self, entity: Entity, id: &ZohoId) -> Vec<String> {
        let query = format!(
            "SELECT kind AS value FROM record_history \
             WHERE entity = '{entity}' AND zoho_id = '{id}' ORDER BY id"
        );
        texts(self.db(), &query).await
    }
}

#[derive(QueryableByName)]
struct OneText {
    #[diesel(sql_type = Text)]
    value: String,
}

/// The column `value` of a query's rows.
pub async fn texts(db: &Db, query: &str) -> Vec<String> {
    let query = query.to_owned();
    db.read(move |conn| Ok(load_texts(conn, &query)))
        .await
        .unwrap()
}

pub fn load_texts(conn: &mut AnyConnection, query: &str) -> Vec<String> {
    let query = diesel::sql_query(query);
    let rows: Vec<OneText> = match conn {
        AnyConnection::Sqlite(c) => query.load(c).unwrap(),
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => query.load(c).unwrap(),
    };
    rows.into_iter().map(|row| row.value).collect()
}

/// A folder with a SQLite URL in it.
pub fn sqlite_in(folder: &tempfile::TempDir) -> (String, PathBuf) {
    let path = folder.path().join("mzi.db");
    (format!("sqlite:///{}", path.display()), path)
}
