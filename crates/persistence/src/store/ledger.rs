//! The ledger: each call one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{Entity, Issue, Lane, StoredRecord, WorkKey, ZohoId};
use mzi_ports::{
    Ledger, StoreError,
    ledger::{Claim, Committed, Due, Lease, Link, LinkKind, State, WorkResult},
};

use super::{SqlStore, claims, commit, issues, records, states, work};
use crate::moment;

#[async_trait]
impl Ledger for SqlStore {
    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>, StoreError> {
        let (db, claim) = (self.db.clone(), claim.clone());
        self.db
            .write(move |conn| {
                db.register_owner(&claim.owner)?;
                claims::claim(conn, &claim)
            })
            .await
    }

    async fn due(&self, lanes: &[Lane], now: DateTime<Utc>) -> Result<Due, StoreError> {
        let (lanes, now) = (lanes.to_vec(), moment::stored(now));
        self.db
            .read(move |conn| claims::due(conn, &lanes, now))
            .await
    }

    async fn heartbeat(&self, leases: &[Lease], until: DateTime<Utc>) -> Result<(), StoreError> {
        let (leases, until) = (leases.to_vec(), moment::stored(until));
        self.db
            .write(move |conn| claims::heartbeat(conn, &leases, until))
            .await
    }

    async fn recover(&self, owner: &str, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let (db, owner) = (self.db.clone(), owner.to_owned());
        let now = moment::stored(now);
        self.db
            .write(move |conn| {
                db.register_owner(&owner)?;
                claims::recover(conn, &db, now)
            })
            .await
    }

    async fn commit(
        &self,
        results: &[WorkResult],
        now: DateTime<Utc>,
    ) -> Result<Vec<Committed>, StoreError> {
        let (results, now) = (results.to_vec(), moment::stored(now));
        let ids = Arc::clone(&self.ids);
        self.db
            .write(move |conn| {
                let each = results.iter();
                each.map(|result| commit::commit(conn, &*ids, result, now))
                    .collect()
            })
            .await
    }

    async fn mark(&self, keys: &[WorkKey], now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut keys = keys.to_vec();
        self.db
            .write(move |conn| work::mark_all(conn, &mut keys, now))
            .await
    }

    async fn stored(
        &self,
        entity: Entity,
        ids: &[ZohoId],
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let ids = ids.to_vec();
        self.db
            .read(move |conn| records::stored(conn, entity, &ids))
            .await
    }

    async fn children(
        &self,
        entity: Entity,
        column: &'static str,
        parent: &ZohoId,
    ) -> Result<Vec<ZohoId>, StoreError> {
        let parent = parent.clone();
        self.db
            .read(move |conn| records::children(conn, entity, column, &parent))
            .await
    }

    async fn states(&self, keys: &[WorkKey]) -> Result<Vec<State>, StoreError> {
        let keys = keys.to_vec();
        self.db.read(move |conn| states::states(conn, &keys)).await
    }

    async fn links(&self, kind: LinkKind, ids: &[ZohoId]) -> Result<Vec<Link>, StoreError> {
        let ids = ids.to_vec();
        self.db
            .read(move |conn| states::links_of(conn, kind, &ids))
            .await
    }

    async fn connection_issue(
        &self,
        subject: &str,
        issue: Option<&Issue>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (subject, issue) = (subject.to_owned(), issue.cloned());
        let (ids, now) = (Arc::clone(&self.ids), moment::stored(now));
        self.db
            .write(move |conn| match &issue {
                Some(issue) => issues::raise_for_connection(conn, &*ids, &subject, issue, now),
                None => issues::resolve_for_connection(conn, &subject, now),
            })
            .await
    }
}
