//! The inbox: notices are durable before they are acknowledged.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{Entity, Operation, Provenance, ZohoId};

use crate::error::StoreError;

/// Where notices are stored.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores the event and marks its records dirty, in one transaction.
    ///
    /// - MUST NOT return before both would survive a crash of the process and of the machine.
    /// - With an identity: MUST answer `Fresh` exactly once per identity within seven days, also
    ///   under concurrent calls and across restarts, and `Duplicate` with the first one's id
    ///   otherwise, which adds no row and no work.
    /// - Without one: MUST answer `Coalesced` with the earlier event's id while an event of the
    ///   same entity, single record and operation has not been claimed, and `Fresh` once it has.
    ///   An event with several records and no identity is always `Fresh`.
    async fn accept(&self, event: &NewEvent) -> Result<Accepted, StoreError>;

    /// Keeps an authenticated but unusable event for inspection; marks nothing dirty.
    async fn keep_rejected(&self, rejected: &RejectedEvent) -> Result<String, StoreError>;
}

/// A notice that records may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id, shown to the sender.
    pub id: String,
    /// The kind of record.
    pub entity: Entity,
    /// The module the sender named, if any.
    pub module: Option<String>,
    /// What the sender says happened.
    pub operation: Operation,
    /// Whose identity it has.
    pub provenance: Provenance,
    /// The records, at least one, at most 1 000, without repeats.
    pub records: Vec<ZohoId>,
    /// The body as it came, secrets removed.
    pub payload: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is new and durable.
    Fresh(String),
    /// The same event was stored before, under this id.
    Duplicate(String),
    /// An event that nobody has started on yet says the same, under this id.
    Coalesced(String),
}

/// A notice that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedEvent {
    /// Its id.
    pub id: String,
    /// Where it was sent.
    pub tail: String,
    /// The refusal's code.
    pub code: &'static str,
    /// The body as it came, cut to a bounded size, secrets removed.
    pub payload: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
}
