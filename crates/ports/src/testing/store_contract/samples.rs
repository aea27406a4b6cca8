//! Invented data and short cuts of the contract tests.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use mzi_domain::{
    Entity, Issue, IssueCode, Lane, Operation, Provenance, RecordChange, Value, Values, WorkKey,
    ZohoId,
    record::{ChangeKind, FieldChange, content_hash},
};

use super::Subject;
use crate::{
    Ledger, Views,
    inbox::NewEvent,
    ledger::{Claim, Committed, Effects, Lease, Verdict, WorkResult},
    views::{IssueFilter, IssueView},
};

/// How long a lease lasts in these tests.
pub const LEASE: Duration = Duration::from_secs(90);

/// The moment at which most tests begin.
pub fn noon() -> DateTime<Utc> {
    let noon = Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).single();
    noon.unwrap_or_default()
}

/// Some seconds after noon.
pub fn noon_plus(seconds: i64) -> DateTime<Utc> {
    noon() + TimeDelta::seconds(seconds)
}

/// The invented Zoho id with this number.
pub fn zoho_id(number: u64) -> ZohoId {
    match ZohoId::parse(&format!("{}", 900_000_000_000_000 + number)) {
        Ok(id) => id,
        Err(reason) => panic!("{reason}"),
    }
}

/// Reading a student.
pub fn read_student(number: u64) -> WorkKey {
    WorkKey::new(Lane::Refresh(Entity::Students), zoho_id(number))
}

/// A student's account.
pub fn account(number: u64) -> WorkKey {
    WorkKey::new(Lane::Account, zoho_id(number))
}

/// A notice about students.
pub fn event(id: &str, provenance: Provenance, records: &[u64]) -> NewEvent {
    NewEvent {
        id: id.to_owned(),
        entity: Entity::Students,
        module: Some("BTEC_Students".into()),
        operation: Operation::Update,
        provenance,
        records: records.iter().copied().map(zoho_id).collect(),
        payload: "{}".into(),
        received_at: noon(),
    }
}

/// A notice with a name of the sender's.
pub fn named(id: &str, name: &str, record: u64) -> NewEvent {
    event(id, Provenance::Sender(name.to_owned()), &[record])
}

/// A notice without identity.
pub fn nameless(id: &str, record: u64) -> NewEvent {
    event(id, Provenance::None, &[record])
}

/// A claim of up to a hundred rows by the usual owner.
pub fn claim_of(lane: Lane, now: DateTime<Utc>) -> Claim {
    Claim {
        lane,
        limit: 100,
        owner: "worker-1".into(),
        now,
        lease_for: LEASE,
    }
}

/// Claims what is due in a lane.
pub async fn claim<S: Subject>(subject: &S, lane: Lane, now: DateTime<Utc>) -> Vec<Lease> {
    let claimed = subject.store().claim(&claim_of(lane, now)).await;
    claimed.unwrap_or_else(|reason| panic!("{reason}"))
}

/// Claims what is due in a lane, which must be exactly this.
pub async fn claim_one<S: Subject>(subject: &S, key: &WorkKey, now: DateTime<Utc>) -> Lease {
    let mut leases = claim(subject, key.lane, now).await;
    match (leases.pop(), leases.is_empty()) {
        (Some(lease), true) if lease.key == *key => lease,
        other => panic!("expected {key} alone, got {other:?} and {leases:?}"),
    }
}

/// Marks a row and claims it.
pub async fn mark_and_claim<S: Subject>(subject: &S, key: &WorkKey, now: DateTime<Utc>) -> Lease {
    mark(subject, key, now).await;
    claim_one(subject, key, now).await
}

/// Marks a row.
pub async fn mark<S: Subject>(subject: &S, key: &WorkKey, now: DateTime<Utc>) {
    let marked = subject.store().mark(std::slice::from_ref(key), now).await;
    marked.unwrap_or_else(|reason| panic!("{reason}"));
}

/// Commits one result.
pub async fn commit<S: Subject>(
    subject: &S,
    lease: Lease,
    verdict: Verdict,
    effects: Effects,
    now: DateTime<Utc>,
) -> Committed {
    let result = WorkResult {
        lease,
        verdict,
        effects,
    };
    let committed = subject.store().commit(&[result], now).await;
    match committed.as_deref() {
        Ok([one]) => *one,
        other => panic!("expected one answer, got {other:?}"),
    }
}

/// Commits a result, which must be written.
pub async fn written<S: Subject>(
    subject: &S,
    lease: Lease,
    verdict: Verdict,
    effects: Effects,
    now: DateTime<Utc>,
) {
    let committed = commit(subject, lease, verdict, effects, now).await;
    assert_eq!(committed, Committed::Written);
}

/// Marks, claims and settles a row as done with these effects.
pub async fn done_with<S: Subject>(
    subject: &S,
    key: &WorkKey,
    effects: Effects,
    now: DateTime<Utc>,
) {
    let lease = mark_and_claim(subject, key, now).await;
    written(subject, lease, Verdict::Done, effects, now).await;
}

/// Stores a record by the way of its refresh lane.
pub async fn store_record<S: Subject>(subject: &S, change: RecordChange, now: DateTime<Utc>) {
    let key = WorkKey::new(Lane::Refresh(change.entity), change.id.clone());
    let effects = Effects {
        record: Some(change),
        ..Effects::default()
    };
    done_with(subject, &key, effects, now).await;
}

/// A wait for another key, without an end.
pub fn wait_for(on: &WorkKey) -> Verdict {
    Verdict::Wait {
        on: on.clone(),
        reason: "waits in a test".into(),
        until: None,
    }
}

/// A stop for a missing e-mail address.
pub fn stop(on: Option<&WorkKey>) -> Verdict {
    Verdict::Stopped {
        issue: Issue::new(IssueCode::MissingEmail, "No address.").about("academic_email"),
        on: on.cloned(),
    }
}

/// Effects that wake a key.
pub fn waking(key: &WorkKey) -> Effects {
    Effects {
        wakes: vec![key.clone()],
        ..Effects::default()
    }
}

/// Values of text columns.
pub fn texts(pairs: &[(&'static str, &str)]) -> Values {
    pairs
        .iter()
        .map(|(column, text)| (*column, Some(Value::Text((*text).to_owned()))))
        .collect()
}

/// A record that is new to us.
pub fn created(entity: Entity, number: u64, values: Values) -> RecordChange {
    let fields = values
        .iter()
        .map(|(column, value)| FieldChange {
            column,
            field: "Some_Field".into(),
            rule: "value",
            before: None,
            after: value.cloned(),
        })
        .collect();
    RecordChange {
        entity,
        id: zoho_id(number),
        kind: ChangeKind::Created,
        modified_at: Some(noon()),
        mapping_version: 1,
        content_hash: content_hash(&values),
        values,
        fields,
    }
}

/// Open issues, newest first.
pub async fn open_issues<S: Subject>(subject: &S) -> Vec<IssueView> {
    let filter = IssueFilter {
        open: Some(true),
        before: None,
        limit: 100,
    };
    let issues = subject.store().issues(&filter).await;
    issues.unwrap_or_else(|reason| panic!("{reason}"))
}
