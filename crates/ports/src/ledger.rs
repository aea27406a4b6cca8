//! The ledger: work that is due, and the one way in which its results are written down.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{Entity, Issue, Lane, RecordChange, StoredRecord, WorkKey, ZohoId};

use crate::error::StoreError;

/// Work and its results.
///
/// One work row exists per [`WorkKey`]. Marking it dirty raises `wanted`; a claim remembers the
/// `wanted` it saw; settling as done sets `done` to that, and the row is due again if it was
/// marked dirty meanwhile. A lease carries a fence that every claim raises, and results under an
/// older fence are refused.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Claims up to `limit` due rows of a lane, oldest due first.
    ///
    /// - MUST give a row to one claimer at a time, until its lease ends or it is committed.
    /// - MUST raise the fence with every claim.
    /// - MUST let go of the coalescing identity of the claimed records' events (see `Inbox`).
    async fn claim(&self, claim: &Claim) -> Result<Vec<Lease>, StoreError>;

    /// Lanes that have due rows now, and when the next row of any of them becomes due.
    async fn due(&self, lanes: &[Lane], now: DateTime<Utc>) -> Result<Due, StoreError>;

    /// Prolongs leases that are still held.
    async fn heartbeat(&self, leases: &[Lease], until: DateTime<Utc>) -> Result<(), StoreError>;

    /// Makes rows due again whose lease has ended or whose owner is certainly gone.
    ///
    /// - MUST leave rows alone whose owner still lives and whose lease has not ended.
    async fn recover(&self, owner: &str, now: DateTime<Utc>) -> Result<usize, StoreError>;

    /// Writes down results, all of them in one transaction, each only if its fence still holds.
    ///
    /// - MUST answer `Fenced` and write nothing for a lease that somebody else has claimed since.
    /// - MUST write record, history, desired states, links, confirmations, marks, wakes, issues
    ///   and the settling of the lease together or not at all.
    /// - MUST raise `wanted` of marked rows, creating them if needed.
    /// - MUST make rows due that wait on a woken key, also those an issue has stopped for waiting.
    /// - MUST NOT let a row sleep that was claimed before the wake and settles as waiting after it.
    /// - MUST resolve the open issues of a work row that is settled as done.
    /// - MUST count an issue that is open already instead of opening another.
    async fn commit(
        &self,
        results: &[WorkResult],
        now: DateTime<Utc>,
    ) -> Result<Vec<Committed>, StoreError>;

    /// Marks rows dirty outside any claim (a person asked, a setting changed).
    async fn mark(&self, keys: &[WorkKey], now: DateTime<Utc>) -> Result<(), StoreError>;

    /// The records we hold, of those asked for.
    async fn stored(&self, entity: Entity, ids: &[ZohoId])
    -> Result<Vec<StoredRecord>, StoreError>;

    /// Ids of the live records of `entity` whose `column` holds `parent`.
    async fn children(
        &self,
        entity: Entity,
        column: &'static str,
        parent: &ZohoId,
    ) -> Result<Vec<ZohoId>, StoreError>;

    /// Desired and confirmed states, of those asked for.
    async fn states(&self, keys: &[WorkKey]) -> Result<Vec<State>, StoreError>;

    /// Moodle ids of records that have one, of those asked for.
    async fn links(&self, kind: LinkKind, ids: &[ZohoId]) -> Result<Vec<Link>, StoreError>;

    /// Opens or counts an issue that belongs to no work row, or closes it.
    async fn connection_issue(
        &self,
        subject: &str,
        issue: Option<&Issue>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}

/// What to claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The lane.
    pub lane: Lane,
    /// At most this many rows.
    pub limit: u32,
    /// Who claims.
    pub owner: String,
    /// The present moment.
    pub now: DateTime<Utc>,
    /// How long the lease lasts without a heartbeat.
    pub lease_for: Duration,
}

/// A claimed row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The work.
    pub key: WorkKey,
    /// Refuses results of earlier claims.
    pub fence: i64,
    /// The `wanted` this claim will satisfy.
    pub seen: i64,
    /// Attempts that failed since it was last done or stopped.
    pub attempts: u32,
    /// When it first failed since it was last done or stopped; an outage does not count.
    pub failing_since: Option<DateTime<Utc>>,
    /// A notice said the record was deleted.
    pub deletion_reported: bool,
    /// An event's identity was only a `Modified_Time`: look once more a little later.
    pub recheck: bool,
    /// When it began to wait for something else, since it was last done or stopped.
    pub waiting_since: Option<DateTime<Utc>>,
}

/// Lanes with due rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Lanes that have due rows now.
    pub lanes: Vec<Lane>,
    /// When the earliest row that is not due yet becomes due.
    pub next_at: Option<DateTime<Utc>>,
}

/// How a piece of work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done, for what was wanted when it was claimed.
    Done,
    /// It failed and is due again at this moment.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// Why, in words fit for a person.
        reason: String,
        /// Whether this counts as an attempt: an outage of the other side does not.
        counts: bool,
    },
    /// It cannot go on before something else is done; a wake makes it due.
    Wait {
        /// What it waits for.
        on: WorkKey,
        /// Why, in words fit for a person.
        reason: String,
        /// When to give the wait up and look again.
        until: Option<DateTime<Utc>>,
    },
    /// A person must see it. The row rests until it is marked dirty, woken or replayed.
    Stopped {
        /// What a person sees.
        issue: Issue,
        /// Something else that, when done, makes this due again.
        on: Option<WorkKey>,
    },
}

/// The result of one piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkResult {
    /// The claim it came from.
    pub lease: Lease,
    /// How it ended.
    pub verdict: Verdict,
    /// What it leads to.
    pub effects: Effects,
}

/// What a result writes besides settling its lease.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// The row and history of a changed record.
    pub record: Option<RecordChange>,
    /// Desired states; each marks its own work row dirty.
    pub desired: Vec<DesiredState>,
    /// What the other side is now known to be like.
    pub confirmed: Option<ConfirmedState>,
    /// A Moodle id that now belongs to a record.
    pub link: Option<Link>,
    /// Other work to mark dirty.
    pub marks: Vec<WorkKey>,
    /// Work to mark dirty only if the record it reads is not held yet.
    pub needs: Vec<(Entity, ZohoId)>,
    /// Keys whose waiters become due.
    pub wakes: Vec<WorkKey>,
    /// The same row again at this moment, besides what the verdict says.
    pub recheck_at: Option<DateTime<Utc>>,
    /// Things a person should see although the work itself went well.
    pub issues: Vec<Issue>,
}

/// What the other side should look like, for one piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredState {
    /// The work that converges it.
    pub key: WorkKey,
    /// A JSON text the lane understands.
    pub desired: String,
}

/// What the other side is known to look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmedState {
    /// A JSON text the lane understands.
    pub confirmed: String,
    /// What was done, in one word: created, linked, updated, enrolled, suspended, unchanged, left.
    pub outcome: &'static str,
}

/// Desired and confirmed state as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The work that converges it.
    pub key: WorkKey,
    /// What is wanted; `null` if something was confirmed that no state had asked for.
    pub desired: String,
    /// What is known.
    pub confirmed: Option<String>,
}

/// What a Moodle id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// A student's user.
    User,
    /// A class's course.
    Course,
}

/// A record's Moodle id. A record has at most one, and an id at most one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it stands for.
    pub kind: LinkKind,
    /// The record.
    pub id: ZohoId,
    /// The Moodle id.
    pub moodle_id: i64,
}

/// What became of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It is written.
    Written,
    /// Somebody else has claimed the row since: nothing was written.
    Fenced,
    /// The Moodle id belongs to another record already: nothing was written but an issue.
    LinkTaken,
}
