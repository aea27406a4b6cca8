//! Claiming work, and keeping and freeing leases.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::{
    dsl::case_when,
    prelude::*,
    sql_types::{Nullable, Timestamp},
};
use mzi_domain::{Lane, WorkKey};
use mzi_ports::ledger::{Claim, Due, Lease};

use super::{
    inbox,
    work::{self, state},
};
use crate::{
    Db,
    connection::AnyConnection,
    error::Failure,
    moment,
    schema::system::{CONNECTION, work_items},
};

/// The part of a row that a lease shows.
#[derive(Queryable)]
struct DueRow {
    zoho_id: String,
    wanted: i64,
    done: i64,
    fence: i64,
    attempts: i32,
    failing_since: Option<NaiveDateTime>,
    waiting_since: Option<NaiveDateTime>,
    waiting_on: Option<String>,
    deletion_wanted: i64,
    recheck_wanted: i64,
}

pub(super) fn claim(conn: &mut AnyConnection, claim: &Claim) -> Result<Vec<Lease>, Failure> {
    let rows = due_rows(conn, claim)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = rows.iter().map(|row| row.zoho_id.as_str()).collect();
    let lease_for = TimeDelta::from_std(claim.lease_for).unwrap_or(TimeDelta::MAX);
    let until = claim.now.checked_add_signed(lease_for);
    let until = moment::stored(until.unwrap_or(DateTime::<Utc>::MAX_UTC));
    let now = Some(moment::stored(claim.now)).into_sql::<Nullable<Timestamp>>();
    let recheck_is_later = work_items::recheck_at.gt(now);
    let taken = (
        // A claim at or after its moment is the second look.
        work_items::recheck_at.eq(case_when(recheck_is_later, work_items::recheck_at)),
        work_items::state.eq(state::LEASED),
        work_items::owner.eq(&claim.owner),
        work_items::due_at.eq(until),
        work_items::fence.eq(work_items::fence + 1),
    );
    on_backend!(conn, c => diesel::update(work_items::table)
        .filter(work_items::connection_id.eq(CONNECTION))
        .filter(work_items::lane.eq(claim.lane.name()))
        .filter(work_items::zoho_id.eq_any(ids))
        .set(taken)
        .execute(c))?;
    let leases = rows
        .into_iter()
        .map(|row| {
            remember_wakes(conn, claim.lane, &row)?;
            row.into_lease(claim.lane)
        })
        .collect::<Result<Vec<Lease>, Failure>>()?;
    let keys: Vec<WorkKey> = leases.iter().map(|lease| lease.key.clone()).collect();
    inbox::release_events(conn, &keys)?;
    Ok(leases)
}

fn due_rows(conn: &mut AnyConnection, claim: &Claim) -> Result<Vec<DueRow>, Failure> {
    let query = work_items::table
        .filter(work_items::connection_id.eq(CONNECTION))
        .filter(work_items::lane.eq(claim.lane.name()))
        .filter(work_items::due_at.le(moment::stored(claim.now)))
        .order(work_items::due_at)
        .limit(i64::from(claim.limit))
        .select((
            work_items::zoho_id,
            work_items::wanted,
            work_items::done,
            work_items::fence,
            work_items::attempts,
            work_items::failing_since,
            work_items::waiting_since,
            work_items::waiting_on,
            work_items::deletion_wanted,
            work_items::recheck_wanted,
        ));
    Ok(match conn {
        AnyConnection::Sqlite(c) => query.load(c),
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => query.for_update().skip_locked().load(c),
    }?)
}

/// The claimer will see whatever earlier wakes were about, so only later ones count for it.
fn remember_wakes(conn: &mut AnyConnection, lane: Lane, row: &DueRow) -> Result<(), Failure> {
    let Some((on_lane, on_id)) = row.waiting_on.as_deref().and_then(|on| on.split_once('/')) else {
        return Ok(());
    };
    let query = work_items::table
        .filter(work::row_of(on_lane, on_id))
        .select(work_items::wakes);
    let wakes: Option<i64> = on_backend!(conn, c => query.get_result(c).optional())?;
    let seen = work_items::waited_wakes.eq(wakes.unwrap_or(0));
    let claimed = work::row_of(lane.name(), &row.zoho_id);
    let query = update!(work_items, seen, where claimed);
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}

impl DueRow {
    fn into_lease(self, lane: Lane) -> Result<Lease, Failure> {
        Ok(Lease {
            key: work::key_of(lane.name(), &self.zoho_id)?,
            fence: self.fence + 1,
            seen: self.wanted,
            attempts: u32::try_from(self.attempts).unwrap_or(0),
            failing_since: moment::read_opt(self.failing_since),
            deletion_reported: self.deletion_wanted > self.done,
            recheck: self.recheck_wanted > self.done,
            waiting_since: moment::read_opt(self.waiting_since),
        })
    }
}

/// Each lane is one look at the due index, however long the backlog.
pub(super) fn due(
    conn: &mut AnyConnection,
    lanes: &[Lane],
    now: NaiveDateTime,
) -> Result<Due, Failure> {
    let mut answer = Due::default();
    for lane in lanes {
        let earliest = work_items::table
            .filter(work_items::connection_id.eq(CONNECTION))
            .filter(work_items::lane.eq(lane.name()))
            .select(diesel::dsl::min(work_items::due_at));
        let first: Option<NaiveDateTime> = on_backend!(conn, c => earliest.get_result(c))?;
        if first.is_some_and(|at| at <= now) {
            answer.lanes.push(*lane);
        }
        let later = earliest.filter(work_items::due_at.gt(now));
        let later: Option<NaiveDateTime> = on_backend!(conn, c => later.get_result(c))?;
        answer.next_at = match (answer.next_at, moment::read_opt(later)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    Ok(answer)
}

pub(super) fn heartbeat(
    conn: &mut AnyConnection,
    leases: &[Lease],
    until: NaiveDateTime,
) -> Result<(), Failure> {
    for lease in leases {
        let held = work::row_of(lease.key.lane.name(), lease.key.id.as_str())
            .and(work_items::fence.eq(lease.fence))
            .and(work_items::state.eq(state::LEASED));
        let query = update!(work_items, work_items::due_at.eq(until), where held);
        on_backend!(conn, c => query.execute(c))?;
    }
    Ok(())
}

/// Frees ended leases, and those of owners that are certainly gone.
pub(super) fn recover(
    conn: &mut AnyConnection,
    db: &Db,
    now: NaiveDateTime,
) -> Result<usize, Failure> {
    let freed = (
        work_items::state.eq(state::READY),
        work_items::owner.eq(None::<&str>),
        work_items::due_at.eq(now),
    );
    let mut count = on_backend!(conn, c => diesel::update(work_items::table)
        .filter(work_items::owner.is_not_null())
        .filter(work_items::due_at.le(now))
        .set(freed)
        .execute(c))?;
    let owners = work_items::table
        .filter(work_items::owner.is_not_null())
        .select(work_items::owner)
        .distinct();
    let owners: Vec<Option<String>> = on_backend!(conn, c => owners.load(c))?;
    let owners: BTreeSet<String> = owners.into_iter().flatten().collect();
    for owner in owners {
        if db.is_gone(conn, &owner)? {
            count += on_backend!(conn, c => diesel::update(work_items::table)
                .filter(work_items::owner.eq(&owner))
                .set(freed)
                .execute(c))?;
        }
    }
    Ok(count)
}
