//! What the store holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mzi_domain::{
    Entity, Operation, StoredRecord, WorkKey, ZohoId,
    record::{ChangeKind, FieldChange},
};

use super::{issues::IssueRow, values::Setting, work::Work};
use crate::{
    inbox::{NewEvent, RejectedEvent},
    keys::ApiKey,
    ledger::Link,
    settings::StoredToken,
};

#[derive(Default)]
pub(super) struct Data {
    pub events: Vec<EventRow>,
    pub rejected: Vec<RejectedEvent>,
    pub work: BTreeMap<WorkKey, Work>,
    pub records: BTreeMap<(Entity, ZohoId), Held>,
    pub history: Vec<HistoryEntry>,
    pub states: BTreeMap<WorkKey, StateRow>,
    pub links: Vec<Link>,
    pub issues: Vec<IssueRow>,
    pub settings: BTreeMap<String, Setting>,
    pub token: Option<StoredToken>,
    pub keys: Vec<ApiKey>,
    /// Owners of leases that are certainly alive.
    pub living: BTreeSet<String>,
    ids: u64,
}

pub(super) struct EventRow {
    pub event: NewEvent,
    pub identity: Option<Identity>,
}

/// By what a repeat of an event is known.
#[derive(PartialEq, Eq)]
pub(super) enum Identity {
    /// The sender's own name for the event.
    Sender(String),
    /// The state the sender named.
    ModifiedTime(String),
    /// Nothing but the fact that nobody has started on it.
    Unclaimed(Entity, ZohoId, Operation),
}

pub(super) struct Held {
    pub record: StoredRecord,
    /// Our opaque id of the record.
    pub reference: String,
    pub updated_at: DateTime<Utc>,
}

pub(super) struct StateRow {
    pub desired: String,
    pub confirmed: Option<String>,
}

/// What happened to a record at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The kind of record.
    pub entity: Entity,
    /// Which record.
    pub id: ZohoId,
    /// What happened.
    pub kind: ChangeKind,
    /// What differs from before.
    pub fields: Vec<FieldChange>,
    /// When it was written.
    pub at: DateTime<Utc>,
}

impl Data {
    /// A new id that sorts after every earlier one.
    pub fn next_id(&mut self, what: &str) -> String {
        self.ids += 1;
        format!("{what}-{:08}", self.ids)
    }
}
