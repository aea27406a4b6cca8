//! Read models: what pages, the student API and health ask for.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{MoodleUserId, StoredRecord, ZohoId};
use serde::Serialize;

use crate::error::StoreError;

/// Reads that change nothing.
#[async_trait]
pub trait Views: Send + Sync {
    /// The student linked to a Moodle user, with whether a change of theirs is still unprocessed.
    async fn student_of(&self, user: MoodleUserId) -> Result<Option<StudentView>, StoreError>;

    /// The student's enrolments with their classes, newest start first.
    async fn classes_of(&self, student: &ZohoId) -> Result<Vec<ClassView>, StoreError>;

    /// How much work is where.
    async fn queue(&self) -> Result<QueueCounts, StoreError>;

    /// Whether the database can be written and its migrations are current.
    ///
    /// - MUST really write.
    async fn probe(&self) -> Result<StoreHealth, StoreError>;

    /// Issues, newest first.
    async fn issues(&self, filter: &IssueFilter) -> Result<Vec<IssueView>, StoreError>;
}

/// A student and what surrounds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentView {
    /// The record.
    pub record: StoredRecord,
    /// Our opaque id of the student, stable, never the Zoho id.
    pub student_ref: String,
    /// When the record was last read.
    pub as_of: DateTime<Utc>,
    /// Whether a known change of the student, or of their enrolments or classes, is unprocessed.
    pub pending: bool,
}

/// An enrolment with its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassView {
    /// Our opaque id of the enrolment.
    pub seat_ref: String,
    /// The enrolment.
    pub enrolment: StoredRecord,
    /// The class, if we hold it.
    pub class: Option<StoredRecord>,
    /// The class's unit, if we hold it.
    pub unit: Option<StoredRecord>,
    /// The class's course in Moodle.
    pub moodle_course_id: Option<i64>,
    /// Whether the student is enrolled there: `true` active, `false` suspended.
    pub seat_active: Option<bool>,
}

/// How much work is where (`contracts/bridge.md` §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct QueueCounts {
    /// Records to refresh.
    pub pending: i64,
    /// Work in hand.
    pub leased: i64,
    /// Work that waits for something else.
    pub waiting: i64,
    /// Changes to deliver.
    pub outbox: i64,
    /// Open issues.
    pub issues: i64,
}

/// Whether the store is fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreHealth {
    /// A write went through.
    pub writable: bool,
    /// No migration is pending.
    pub migrations_current: bool,
}

/// Which issues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueFilter {
    /// Only open ones, or only resolved ones.
    pub open: Option<bool>,
    /// Only with an id before this one (issues are listed newest first).
    pub before: Option<String>,
    /// At most this many.
    pub limit: u32,
}

/// An issue as shown (`contracts/bridge.md` §8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssueView {
    /// Its id.
    pub id: String,
    /// Groups issues with the same cause.
    pub fingerprint: String,
    /// The kind of record, if it is about one.
    pub entity: Option<String>,
    /// The record, if it is about one.
    pub zoho_id: Option<String>,
    /// The lane in which it arose.
    pub operation: Option<String>,
    /// Its code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// How often it was met.
    pub count: i32,
    /// When first.
    pub first_seen: DateTime<Utc>,
    /// When last.
    pub last_seen: DateTime<Utc>,
}
