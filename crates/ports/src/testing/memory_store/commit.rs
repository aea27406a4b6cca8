//! Writing down the result of a piece of work.

use chrono::{DateTime, Utc};
use mzi_domain::{Issue, IssueCode, Lane, RecordChange, StoredRecord, WorkKey, record::ChangeKind};

use super::{
    data::{Data, Held, HistoryEntry, StateRow},
    issues::IssueOwner,
    work::{Phase, Work},
};
use crate::ledger::{
    Committed, ConfirmedState, DesiredState, Effects, Lease, Link, LinkKind, Verdict, WorkResult,
};

impl Data {
    pub(super) fn commit(&mut self, result: &WorkResult, now: DateTime<Utc>) -> Committed {
        let lease = &result.lease;
        if !self.holds(lease) {
            return Committed::Fenced;
        }
        if let Some(holder) = self.holder_of(result.effects.link.as_ref()) {
            self.refuse_link(lease, &holder, now);
            return Committed::LinkTaken;
        }
        self.settle(lease, &result.verdict, result.effects.recheck_at, now);
        self.write_effects(lease, &result.effects, now);
        self.raise_issues(result, now);
        for key in &result.effects.wakes {
            self.wake(key, now);
        }
        Committed::Written
    }

    /// Claims and settlements raise the fence, so an equal one means nobody came in between.
    fn holds(&self, lease: &Lease) -> bool {
        let work = self.work.get(&lease.key);
        work.is_some_and(|work| work.fence == lease.fence)
    }

    /// The other record a Moodle id belongs to.
    fn holder_of(&self, wanted: Option<&Link>) -> Option<Link> {
        let wanted = wanted?;
        let mut links = self.links.iter();
        links
            .find(|link| {
                link.kind == wanted.kind
                    && link.moodle_id == wanted.moodle_id
                    && link.id != wanted.id
            })
            .cloned()
    }

    fn refuse_link(&mut self, lease: &Lease, holder: &Link, now: DateTime<Utc>) {
        let what = match holder.kind {
            LinkKind::User => "user",
            LinkKind::Course => "course",
        };
        let message = format!(
            "Moodle {what} {} belongs to the Zoho record {} already.",
            holder.moodle_id, holder.id
        );
        let issue = Issue::new(IssueCode::LinkTaken, message);
        self.raise(IssueOwner::Work(lease.key.clone()), &issue, now);
        let verdict = Verdict::Stopped { issue, on: None };
        self.settle(lease, &verdict, None, now);
    }

    fn write_effects(&mut self, lease: &Lease, effects: &Effects, now: DateTime<Utc>) {
        if let Some(change) = &effects.record {
            self.write_record(change, now);
        }
        if let Some(link) = &effects.link {
            self.links
                .retain(|held| held.kind != link.kind || held.id != link.id);
            self.links.push(link.clone());
        }
        for state in &effects.desired {
            self.want(state, now);
        }
        if let Some(confirmed) = &effects.confirmed {
            self.confirm(&lease.key, confirmed);
        }
        for key in &effects.marks {
            self.mark(key, now);
        }
        for (entity, id) in &effects.needs {
            let key = WorkKey::new(Lane::Refresh(*entity), id.clone());
            let held = self.records.contains_key(&(*entity, id.clone()));
            if !held && !self.work.get(&key).is_some_and(Work::is_active) {
                self.mark(&key, now);
            }
        }
    }

    fn write_record(&mut self, change: &RecordChange, now: DateTime<Utc>) {
        let key = (change.entity, change.id.clone());
        let reference = match self.records.get(&key) {
            Some(held) => held.reference.clone(),
            None => self.next_id("ref"),
        };
        let record = StoredRecord {
            id: change.id.clone(),
            modified_at: change.modified_at,
            content_hash: change.content_hash.clone(),
            deleted_at: (change.kind == ChangeKind::Deleted).then_some(now),
            values: change.values.clone(),
        };
        self.records.insert(
            key,
            Held {
                record,
                reference,
                updated_at: now,
            },
        );
        self.history.push(HistoryEntry {
            entity: change.entity,
            id: change.id.clone(),
            kind: change.kind,
            fields: change.fields.clone(),
            at: now,
        });
    }

    fn want(&mut self, state: &DesiredState, now: DateTime<Utc>) {
        let stopped = self.work.get(&state.key).is_some_and(Work::is_stopped);
        let row = self.states.get_mut(&state.key);
        let same = row.as_ref().is_some_and(|row| row.desired == state.desired);
        if let Some(row) = row {
            row.desired.clone_from(&state.desired);
        } else {
            let row = StateRow {
                desired: state.desired.clone(),
                confirmed: None,
            };
            self.states.insert(state.key.clone(), row);
        }
        if !same || stopped {
            self.mark(&state.key, now);
        }
    }

    fn confirm(&mut self, key: &WorkKey, state: &ConfirmedState) {
        let row = self.states.entry(key.clone()).or_insert_with(|| StateRow {
            desired: "null".into(),
            confirmed: None,
        });
        row.confirmed = Some(state.confirmed.clone());
    }

    fn raise_issues(&mut self, result: &WorkResult, now: DateTime<Utc>) {
        let owner = IssueOwner::Work(result.lease.key.clone());
        for issue in &result.effects.issues {
            self.raise(owner.clone(), issue, now);
        }
        match &result.verdict {
            Verdict::Done => {
                let issues = result.effects.issues.iter();
                let raised: Vec<IssueCode> = issues.map(|issue| issue.code).collect();
                self.resolve(&owner, &raised);
            }
            Verdict::Stopped { issue, .. } => self.raise(owner, issue, now),
            Verdict::Retry { .. } | Verdict::Wait { .. } => {}
        }
    }

    fn settle(
        &mut self,
        lease: &Lease,
        verdict: &Verdict,
        recheck_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        let on = match verdict {
            Verdict::Wait { on, .. } => Some(on),
            Verdict::Stopped { on, .. } => on.as_ref(),
            Verdict::Done | Verdict::Retry { .. } => None,
        };
        let awaited = on.map(|key| (key.clone(), self.wakes_of(key)));
        if let Some(work) = self.work.get_mut(&lease.key) {
            work.settle(lease.seen, verdict, awaited, recheck_at, now);
        }
    }

    pub(super) fn wakes_of(&self, key: &WorkKey) -> i64 {
        self.work.get(key).map_or(0, |work| work.wakes)
    }
}

impl Work {
    fn settle(
        &mut self,
        seen: i64,
        verdict: &Verdict,
        awaited: Option<(WorkKey, i64)>,
        recheck_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        self.fence += 1;
        let missed_wake = self.missed_wake(awaited);
        // A second look stays promised until a claim at or after its moment.
        self.recheck_at = recheck_at.or(self.recheck_at);
        self.phase = self.phase_after(seen, verdict, now);
        if self.wanted > seen || missed_wake {
            self.phase = Phase::Ready { at: now };
        }
    }

    /// Whether the awaited key was woken after this row last looked at it, or before it ever did:
    /// then nobody knows whether the wake was meant for what this claim had read already.
    fn missed_wake(&mut self, awaited: Option<(WorkKey, i64)>) -> bool {
        let Some((key, wakes)) = awaited else {
            return false;
        };
        let known = match &self.waited {
            Some((waited, then)) if *waited == key => *then,
            _ => 0,
        };
        self.waited = Some((key, wakes));
        wakes != known
    }

    fn phase_after(&mut self, seen: i64, verdict: &Verdict, now: DateTime<Utc>) -> Phase {
        let recheck_at = self.recheck_at;
        match verdict {
            Verdict::Done => {
                self.done = seen;
                self.done_at = Some(now);
                self.waited = None;
                self.start_afresh();
                recheck_at.map_or(Phase::Idle, |at| Phase::Ready { at })
            }
            Verdict::Retry { at, counts, .. } => {
                if *counts {
                    self.attempts += 1;
                    self.failing_since.get_or_insert(now);
                }
                let at = recheck_at.map_or(*at, |recheck| recheck.min(*at));
                Phase::Ready { at }
            }
            Verdict::Wait { on, until, .. } => {
                self.waiting_since.get_or_insert(now);
                Phase::Waiting {
                    on: on.clone(),
                    until: sooner(*until, recheck_at),
                }
            }
            Verdict::Stopped { on, .. } => {
                self.start_afresh();
                if on.is_none() {
                    self.waited = None;
                }
                Phase::Stopped {
                    on: on.clone(),
                    until: recheck_at,
                }
            }
        }
    }

    /// A row that is done or stopped has all its patience again when it is next wanted.
    fn start_afresh(&mut self) {
        self.attempts = 0;
        self.failing_since = None;
        self.waiting_since = None;
    }
}

fn sooner(left: Option<DateTime<Utc>>, right: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (one, other) => one.or(other),
    }
}
