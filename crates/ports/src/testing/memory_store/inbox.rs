//! Notices.

use async_trait::async_trait;
use chrono::Duration;
use mzi_domain::{Lane, Operation, Provenance, WorkKey};

use super::{
    MemoryStore, StoreCall,
    data::{Data, EventRow, Identity},
};
use crate::{
    error::StoreError,
    inbox::{Accepted, Inbox, NewEvent, RejectedEvent},
};

/// How long an identity holds (`contracts/bridge.md` §1).
const WINDOW: Duration = Duration::days(7);

#[async_trait]
impl Inbox for MemoryStore {
    async fn accept(&self, event: &NewEvent) -> Result<Accepted, StoreError> {
        self.call(StoreCall::Accept, |data| Ok(data.accept(event)))
    }

    async fn keep_rejected(&self, rejected: &RejectedEvent) -> Result<String, StoreError> {
        self.call(StoreCall::KeepRejected, |data| {
            data.rejected.push(rejected.clone());
            Ok(rejected.id.clone())
        })
    }
}

impl Data {
    fn accept(&mut self, event: &NewEvent) -> Accepted {
        let identity = identity_of(event);
        if let Some(repeated) = self.repeated(event, identity.as_ref()) {
            return repeated;
        }
        self.events.push(EventRow {
            event: event.clone(),
            identity,
        });
        for id in &event.records {
            let key = WorkKey::new(Lane::Refresh(event.entity), id.clone());
            let work = self.mark(&key, event.received_at);
            if event.operation == Operation::Delete {
                work.deletion_wanted = work.wanted;
            }
            if matches!(event.provenance, Provenance::ModifiedTime(_)) {
                work.recheck_wanted = work.wanted;
            }
        }
        Accepted::Fresh(event.id.clone())
    }

    /// What an earlier event makes of this one. An identity outside the window is let go.
    fn repeated(&mut self, event: &NewEvent, identity: Option<&Identity>) -> Option<Accepted> {
        let identity = identity?;
        let held = Some(identity);
        let earlier = self
            .events
            .iter_mut()
            .find(|row| row.identity.as_ref() == held)?;
        let id = earlier.event.id.clone();
        if matches!(identity, Identity::Unclaimed(..)) {
            return Some(Accepted::Coalesced(id));
        }
        if event.received_at - earlier.event.received_at < WINDOW {
            return Some(Accepted::Duplicate(id));
        }
        earlier.identity = None;
        None
    }

    /// Lets go of what absorbed repeats of the claimed record's events.
    pub(super) fn release_events(&mut self, key: &WorkKey) {
        let Lane::Refresh(claimed) = key.lane else {
            return;
        };
        for row in &mut self.events {
            if let Some(Identity::Unclaimed(entity, id, _)) = &row.identity
                && *entity == claimed
                && *id == key.id
            {
                row.identity = None;
            }
        }
    }
}

fn identity_of(event: &NewEvent) -> Option<Identity> {
    match (&event.provenance, event.records.as_slice()) {
        (Provenance::Sender(name), _) => Some(Identity::Sender(name.clone())),
        (Provenance::ModifiedTime(state), _) => Some(Identity::ModifiedTime(state.clone())),
        (Provenance::None, [id]) => Some(Identity::Unclaimed(
            event.entity,
            id.clone(),
            event.operation,
        )),
        (Provenance::None, _) => None,
    }
}
