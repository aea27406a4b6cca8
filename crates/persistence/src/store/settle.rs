//! How a verdict changes a work row. Pure: the row before, the row after.

use chrono::NaiveDateTime;
use mzi_domain::WorkKey;
use mzi_ports::ledger::{Effects, Lease, Verdict};

use super::work::{WorkRow, state};
use crate::moment;

/// A row after its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settled {
    pub state: &'static str,
    pub due_at: Option<NaiveDateTime>,
    pub done: i64,
    pub attempts: i32,
    pub failing_since: Option<NaiveDateTime>,
    pub waiting_since: Option<NaiveDateTime>,
    pub waiting_on: Option<String>,
    pub waited_wakes: i64,
    pub recheck_at: Option<NaiveDateTime>,
    pub reason: Option<String>,
    pub done_at: Option<NaiveDateTime>,
}

/// What a verdict waits for.
pub(super) fn awaited(verdict: &Verdict) -> Option<&WorkKey> {
    match verdict {
        Verdict::Wait { on, .. } => Some(on),
        Verdict::Stopped { on, .. } => on.as_ref(),
        Verdict::Done | Verdict::Retry { .. } => None,
    }
}

/// `wakes` is how often the awaited key was woken by now.
pub(super) fn settle(
    row: &WorkRow,
    lease: &Lease,
    verdict: &Verdict,
    effects: &Effects,
    wakes: i64,
    now: NaiveDateTime,
) -> Settled {
    let missed_wake = awaited(verdict).is_some_and(|on| {
        let waited = row.waiting_on.as_deref() == Some(on.to_string().as_str());
        let known = if waited { row.waited_wakes } else { 0 };
        wakes != known
    });
    let mut after = by_verdict(row, lease, verdict, wakes, now);
    // A second look stays promised until a claim at or after its moment, whatever comes before.
    after.recheck_at = moment::stored_opt(effects.recheck_at).or(row.recheck_at);
    after.due_at = sooner(after.due_at, after.recheck_at);
    if after.state == state::IDLE && after.due_at.is_some() {
        after.state = state::READY;
    }
    if row.wanted > lease.seen || missed_wake {
        // What came in meanwhile cannot wait.
        after.state = state::READY;
        after.due_at = Some(now);
    }
    after
}

fn by_verdict(
    row: &WorkRow,
    lease: &Lease,
    verdict: &Verdict,
    wakes: i64,
    now: NaiveDateTime,
) -> Settled {
    let before = Settled {
        state: state::IDLE,
        due_at: None,
        done: row.done,
        attempts: row.attempts,
        failing_since: row.failing_since,
        waiting_since: row.waiting_since,
        waiting_on: row.waiting_on.clone(),
        waited_wakes: row.waited_wakes,
        recheck_at: None,
        reason: None,
        done_at: row.done_at,
    };
    // A row that is done or stopped has all its patience again when it is next wanted.
    let afresh = Settled {
        attempts: 0,
        failing_since: None,
        waiting_since: None,
        waiting_on: None,
        waited_wakes: 0,
        ..before.clone()
    };
    match verdict {
        Verdict::Done => Settled {
            done: lease.seen,
            done_at: Some(now),
            ..afresh
        },
        Verdict::Retry { at, reason, counts } => Settled {
            state: state::READY,
            due_at: Some(moment::stored(*at)),
            attempts: before.attempts.saturating_add(i32::from(*counts)),
            failing_since: before.failing_since.or(counts.then_some(now)),
            reason: Some(reason.clone()),
            ..before
        },
        Verdict::Wait { on, reason, until } => Settled {
            state: state::WAITING,
            due_at: moment::stored_opt(*until),
            waiting_since: before.waiting_since.or(Some(now)),
            waiting_on: Some(on.to_string()),
            waited_wakes: wakes,
            reason: Some(reason.clone()),
            ..before
        },
        Verdict::Stopped { issue, on } => Settled {
            state: state::STOPPED,
            waiting_on: on.as_ref().map(ToString::to_string),
            waited_wakes: wakes,
            reason: Some(issue.message.clone()),
            ..afresh
        },
    }
}

fn sooner(one: Option<NaiveDateTime>, other: Option<NaiveDateTime>) -> Option<NaiveDateTime> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
