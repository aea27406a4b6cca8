//! Writing down results: everything a result leads to and the settling of its lease, or nothing.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use mzi_domain::{Issue, IssueCode, Lane, WorkKey};
use mzi_ports::{
    IdSource,
    ledger::{Committed, Effects, Link, Verdict, WorkResult},
};

use super::{
    issues, records,
    settle::{self, Settled},
    states,
    work::{self, Flags, WorkRow, state},
};
use crate::{
    connection::AnyConnection, error::Failure, schema::system::work_items, text::storable,
};

pub(super) fn commit(
    conn: &mut AnyConnection,
    ids: &dyn IdSource,
    result: &WorkResult,
    now: NaiveDateTime,
) -> Result<Committed, Failure> {
    let Some(row) = held_row(conn, result)? else {
        return Ok(Committed::Fenced);
    };
    if let Some(link) = &result.effects.link
        && let Some(holder) = states::holder_of(conn, link)?
    {
        refuse_link(conn, ids, result, &row, link, &holder, now)?;
        return Ok(Committed::LinkTaken);
    }
    // Settled first: what the result marks, its own row included, is marked after its verdict.
    settle_row(conn, result, &row, now)?;
    write_effects(conn, ids, result, now)?;
    raise_issues(conn, ids, result, now)?;
    for key in &result.effects.wakes {
        work::wake(conn, key, now)?;
    }
    Ok(Committed::Written)
}

/// The lease's row, if nobody has claimed or settled it since: both raise the fence.
fn held_row(conn: &mut AnyConnection, result: &WorkResult) -> Result<Option<WorkRow>, Failure> {
    let row = work::lock_row(conn, &result.lease.key)?;
    Ok(row.filter(|row| row.fence == result.lease.fence))
}

fn write_effects(
    conn: &mut AnyConnection,
    ids: &dyn IdSource,
    result: &WorkResult,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let effects = &result.effects;
    if let Some(change) = &effects.record {
        records::write(conn, change, &ids.next(), now)?;
    }
    if let Some(link) = &effects.link {
        states::put_link(conn, link, now)?;
    }
    for desired in &effects.desired {
        states::want(conn, desired, now)?;
    }
    if let Some(confirmed) = &effects.confirmed {
        states::confirm(conn, &result.lease.key, confirmed, now)?;
    }
    for key in &effects.marks {
        work::mark(conn, key.lane, key.id.as_str(), Flags::default(), now)?;
    }
    for (entity, id) in &effects.needs {
        let lane = Lane::Refresh(*entity);
        if !records::exists(conn, *entity, id)? && !is_under_way(conn, lane, id)? {
            work::mark(conn, lane, id.as_str(), Flags::default(), now)?;
        }
    }
    Ok(())
}

fn is_under_way(
    conn: &mut AnyConnection,
    lane: Lane,
    id: &mzi_domain::ZohoId,
) -> Result<bool, Failure> {
    let found = work::state_of(conn, lane, id)?;
    Ok(found.is_some_and(|found| found != state::IDLE && found != state::STOPPED))
}

fn raise_issues(
    conn: &mut AnyConnection,
    ids: &dyn IdSource,
    result: &WorkResult,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let key = &result.lease.key;
    let raised = &result.effects.issues;
    for issue in raised {
        issues::raise(conn, ids, key, issue, now)?;
    }
    match &result.verdict {
        Verdict::Done => issues::resolve(conn, key, raised, now),
        Verdict::Stopped { issue, .. } => issues::raise(conn, ids, key, issue, now),
        Verdict::Retry { .. } | Verdict::Wait { .. } => Ok(()),
    }
}

/// Nothing of the result but the reason why.
fn refuse_link(
    conn: &mut AnyConnection,
    ids: &dyn IdSource,
    result: &WorkResult,
    row: &WorkRow,
    link: &Link,
    holder: &str,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let message = format!(
        "Moodle {} {} belongs to the Zoho record {holder} already.",
        states::kind_word(link.kind),
        link.moodle_id
    );
    let issue = Issue::new(IssueCode::LinkTaken, message);
    issues::raise(conn, ids, &result.lease.key, &issue, now)?;
    let refused = WorkResult {
        lease: result.lease.clone(),
        verdict: Verdict::Stopped { issue, on: None },
        effects: Effects::default(),
    };
    settle_row(conn, &refused, row, now)
}

fn settle_row(
    conn: &mut AnyConnection,
    result: &WorkResult,
    row: &WorkRow,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let wakes = match settle::awaited(&result.verdict) {
        Some(on) => work::lock_wakes(conn, on)?,
        None => 0,
    };
    let after = settle::settle(
        row,
        &result.lease,
        &result.verdict,
        &result.effects,
        wakes,
        now,
    );
    write_row(conn, &result.lease.key, after)
}

fn write_row(conn: &mut AnyConnection, key: &WorkKey, after: Settled) -> Result<(), Failure> {
    let reason = after.reason.as_deref().map(storable);
    let changes = (
        work_items::state.eq(after.state),
        work_items::due_at.eq(after.due_at),
        work_items::done.eq(after.done),
        work_items::fence.eq(work_items::fence + 1),
        work_items::owner.eq(None::<&str>),
        work_items::attempts.eq(after.attempts),
        work_items::failing_since.eq(after.failing_since),
        work_items::waiting_since.eq(after.waiting_since),
        work_items::waiting_on.eq(after.waiting_on),
        work_items::waited_wakes.eq(after.waited_wakes),
        work_items::recheck_at.eq(after.recheck_at),
        work_items::reason.eq(reason),
        work_items::done_at.eq(after.done_at),
    );
    let row = work::row_of(key.lane.name(), key.id.as_str());
    let query = update!(work_items, changes, where row);
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}
