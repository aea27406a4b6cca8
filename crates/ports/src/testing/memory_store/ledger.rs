//! Work: claiming, keeping and freeing leases, and what a claim may read.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use mzi_domain::{Entity, Issue, Lane, StoredRecord, WorkKey, ZohoId};

use super::{MemoryStore, StoreCall, data::Data, issues::IssueOwner, work::Phase};
use crate::{
    error::StoreError,
    ledger::{Claim, Committed, Due, Lease, Ledger, Link, LinkKind, State, WorkResult},
};

#[async_trait]
impl Ledger for MemoryStore {
    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>, StoreError> {
        self.call(StoreCall::Claim, |data| Ok(data.claim(claim)))
    }

    async fn due(&self, lanes: &[Lane], now: DateTime<Utc>) -> Result<Due, StoreError> {
        self.call(StoreCall::Due, |data| Ok(data.due(lanes, now)))
    }

    async fn heartbeat(&self, leases: &[Lease], until: DateTime<Utc>) -> Result<(), StoreError> {
        self.call(StoreCall::Heartbeat, |data| {
            for lease in leases {
                data.prolong(lease, until);
            }
            Ok(())
        })
    }

    async fn recover(&self, owner: &str, now: DateTime<Utc>) -> Result<usize, StoreError> {
        self.call(StoreCall::Recover, |data| {
            data.living.insert(owner.to_owned());
            Ok(data.recover(now))
        })
    }

    async fn commit(
        &self,
        results: &[WorkResult],
        now: DateTime<Utc>,
    ) -> Result<Vec<Committed>, StoreError> {
        self.call(StoreCall::Commit, |data| {
            Ok(results
                .iter()
                .map(|result| data.commit(result, now))
                .collect())
        })
    }

    async fn mark(&self, keys: &[WorkKey], now: DateTime<Utc>) -> Result<(), StoreError> {
        self.call(StoreCall::Mark, |data| {
            for key in keys {
                data.mark(key, now);
            }
            Ok(())
        })
    }

    async fn stored(
        &self,
        entity: Entity,
        ids: &[ZohoId],
    ) -> Result<Vec<StoredRecord>, StoreError> {
        self.call(StoreCall::Read, |data| {
            let found = ids
                .iter()
                .filter_map(|id| data.records.get(&(entity, id.clone())));
            Ok(found.map(|held| held.record.clone()).collect())
        })
    }

    async fn children(
        &self,
        entity: Entity,
        column: &'static str,
        parent: &ZohoId,
    ) -> Result<Vec<ZohoId>, StoreError> {
        self.call(StoreCall::Read, |data| {
            let records = data.records.iter();
            Ok(records
                .filter(|((kind, _), held)| {
                    *kind == entity
                        && held.record.deleted_at.is_none()
                        && held.record.values.text(column) == Some(parent.as_str())
                })
                .map(|((_, id), _)| id.clone())
                .collect())
        })
    }

    async fn states(&self, keys: &[WorkKey]) -> Result<Vec<State>, StoreError> {
        self.call(StoreCall::Read, |data| {
            let found = keys.iter().filter_map(|key| {
                let row = data.states.get(key)?;
                Some(State {
                    key: key.clone(),
                    desired: row.desired.clone(),
                    confirmed: row.confirmed.clone(),
                })
            });
            Ok(found.collect())
        })
    }

    async fn links(&self, kind: LinkKind, ids: &[ZohoId]) -> Result<Vec<Link>, StoreError> {
        self.call(StoreCall::Read, |data| {
            let links = data.links.iter();
            Ok(links
                .filter(|link| link.kind == kind && ids.contains(&link.id))
                .cloned()
                .collect())
        })
    }

    async fn connection_issue(
        &self,
        subject: &str,
        issue: Option<&Issue>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.call(StoreCall::ConnectionIssue, |data| {
            let owner = IssueOwner::Connection(subject.to_owned());
            match issue {
                Some(issue) => data.raise(owner, issue, now),
                None => data.resolve(&owner, &[]),
            }
            Ok(())
        })
    }
}

impl Data {
    fn claim(&mut self, claim: &Claim) -> Vec<Lease> {
        self.living.insert(claim.owner.clone());
        let mut due: Vec<(DateTime<Utc>, WorkKey)> = self
            .work
            .iter()
            .filter(|(key, _)| key.lane == claim.lane)
            .filter_map(|(key, work)| Some((work.due_at()?, key.clone())))
            .filter(|(at, _)| *at <= claim.now)
            .collect();
        due.sort();
        due.truncate(usize::try_from(claim.limit).unwrap_or(usize::MAX));
        due.into_iter()
            .filter_map(|(_, key)| self.lease(key, claim))
            .collect()
    }

    fn lease(&mut self, key: WorkKey, claim: &Claim) -> Option<Lease> {
        self.release_events(&key);
        // Earlier wakes are seen by this claim; only later ones can be missed.
        let waited = self.work.get(&key).and_then(|work| work.waited.clone());
        let waited = waited.map(|(on, _)| (self.wakes_of(&on), on));
        let work = self.work.get_mut(&key)?;
        work.waited = waited.map(|(wakes, on)| (on, wakes));
        let lease_for = TimeDelta::from_std(claim.lease_for).unwrap_or(TimeDelta::MAX);
        work.recheck_at = work.recheck_at.filter(|at| *at > claim.now);
        work.fence += 1;
        work.phase = Phase::Leased {
            owner: claim.owner.clone(),
            until: claim.now + lease_for,
        };
        Some(Lease {
            fence: work.fence,
            seen: work.wanted,
            attempts: work.attempts,
            failing_since: work.failing_since,
            deletion_reported: work.deletion_wanted > work.done,
            recheck: work.recheck_wanted > work.done,
            waiting_since: work.waiting_since,
            key,
        })
    }

    fn due(&self, lanes: &[Lane], now: DateTime<Utc>) -> Due {
        let mut answer = Due::default();
        let work = self.work.iter();
        for (key, work) in work.filter(|(key, _)| lanes.contains(&key.lane)) {
            let Some(at) = work.due_at() else { continue };
            if at > now {
                let sooner = answer.next_at.map_or(at, |next| next.min(at));
                answer.next_at = Some(sooner);
            } else if !answer.lanes.contains(&key.lane) {
                answer.lanes.push(key.lane);
            }
        }
        answer
            .lanes
            .sort_by_key(|lane| lanes.iter().position(|asked| asked == lane));
        answer
    }

    fn prolong(&mut self, lease: &Lease, later: DateTime<Utc>) {
        let Some(work) = self.work.get_mut(&lease.key) else {
            return;
        };
        if work.fence == lease.fence
            && let Phase::Leased { until, .. } = &mut work.phase
        {
            *until = later;
        }
    }

    fn recover(&mut self, now: DateTime<Utc>) -> usize {
        let mut freed = 0;
        for work in self.work.values_mut() {
            let Phase::Leased { owner, until } = &work.phase else {
                continue;
            };
            if *until <= now || !self.living.contains(owner) {
                work.phase = Phase::Ready { at: now };
                freed += 1;
            }
        }
        freed
    }
}
