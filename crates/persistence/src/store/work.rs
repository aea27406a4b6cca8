//! Work rows: marking, waking, and reading the one a lease names.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::{dsl::case_when, prelude::*, upsert::excluded};
use mzi_domain::{Lane, WorkKey, ZohoId};

use crate::{
    connection::AnyConnection,
    error::Failure,
    moment,
    schema::system::{CONNECTION, work_items},
};

/// What a work row does.
pub(super) mod state {
    pub const IDLE: &str = "idle";
    pub const READY: &str = "ready";
    pub const LEASED: &str = "leased";
    pub const WAITING: &str = "waiting";
    pub const STOPPED: &str = "stopped";
}

/// What a notice adds to a mark.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// It said the record was deleted.
    pub deletion: bool,
    /// Its identity was only a `Modified_Time`.
    pub recheck: bool,
}

/// The part of a row that settling needs.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(super) struct WorkRow {
    pub state: String,
    pub wanted: i64,
    pub done: i64,
    pub fence: i64,
    pub attempts: i32,
    pub failing_since: Option<NaiveDateTime>,
    pub waiting_since: Option<NaiveDateTime>,
    pub waiting_on: Option<String>,
    pub waited_wakes: i64,
    pub recheck_at: Option<NaiveDateTime>,
    pub done_at: Option<NaiveDateTime>,
}

/// The columns of a [`WorkRow`].
pub(super) const WORK_ROW: (
    work_items::state,
    work_items::wanted,
    work_items::done,
    work_items::fence,
    work_items::attempts,
    work_items::failing_since,
    work_items::waiting_since,
    work_items::waiting_on,
    work_items::waited_wakes,
    work_items::recheck_at,
    work_items::done_at,
) = (
    work_items::state,
    work_items::wanted,
    work_items::done,
    work_items::fence,
    work_items::attempts,
    work_items::failing_since,
    work_items::waiting_since,
    work_items::waiting_on,
    work_items::waited_wakes,
    work_items::recheck_at,
    work_items::done_at,
);

/// The one row of a lane and record.
#[diesel::dsl::auto_type]
pub(super) fn row_of<'a>(lane: &'a str, id: &'a str) -> _ {
    let connection: &'static str = CONNECTION;
    work_items::connection_id
        .eq(connection)
        .and(work_items::lane.eq(lane))
        .and(work_items::zoho_id.eq(id))
}

/// The row of a key, locked against others until the transaction ends.
pub(super) fn lock_row(
    conn: &mut AnyConnection,
    key: &WorkKey,
) -> Result<Option<WorkRow>, Failure> {
    let query = work_items::table
        .filter(row_of(key.lane.name(), key.id.as_str()))
        .select(WORK_ROW);
    let row = match conn {
        // The one writer is lock enough.
        AnyConnection::Sqlite(c) => query.get_result(c).optional(),
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => query.for_update().get_result(c).optional(),
    };
    Ok(row?)
}

/// What the row of a key does, if there is one.
pub(super) fn state_of(
    conn: &mut AnyConnection,
    lane: Lane,
    id: &ZohoId,
) -> Result<Option<String>, Failure> {
    let query = work_items::table
        .filter(row_of(lane.name(), id.as_str()))
        .select(work_items::state);
    Ok(on_backend!(conn, c => query.get_result(c).optional())?)
}

/// Raises `wanted` and makes the row due, unless somebody is at it: then settling does.
pub(super) fn mark(
    conn: &mut AnyConnection,
    lane: Lane,
    id: &str,
    flags: Flags,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let row = (
        work_items::connection_id.eq(CONNECTION),
        work_items::lane.eq(lane.name()),
        work_items::zoho_id.eq(id),
        work_items::state.eq(state::READY),
        work_items::due_at.eq(now),
        work_items::wanted.eq(1_i64),
        work_items::deletion_wanted.eq(i64::from(flags.deletion)),
        work_items::recheck_wanted.eq(i64::from(flags.recheck)),
    );
    let is_leased = work_items::state.eq(state::LEASED);
    let is_due_sooner = work_items::due_at.lt(excluded(work_items::due_at));
    let next = work_items::wanted + 1;
    let is_deletion = excluded(work_items::deletion_wanted).gt(0);
    let is_recheck = excluded(work_items::recheck_wanted).gt(0);
    let changed = (
        work_items::wanted.eq(next),
        work_items::state
            .eq(case_when(is_leased, work_items::state).otherwise(excluded(work_items::state))),
        work_items::due_at.eq(case_when(
            is_leased.nullable().or(is_due_sooner),
            work_items::due_at,
        )
        .otherwise(excluded(work_items::due_at))),
        work_items::deletion_wanted
            .eq(case_when(is_deletion, next).otherwise(work_items::deletion_wanted)),
        work_items::recheck_wanted
            .eq(case_when(is_recheck, next).otherwise(work_items::recheck_wanted)),
    );
    let query = upsert!(work_items, row, on (connection_id, lane, zoho_id) set changed);
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}

/// Makes everything due that waits for `key`, and counts the wake for whoever is about to wait.
pub(super) fn wake(
    conn: &mut AnyConnection,
    key: &WorkKey,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let row = (
        work_items::connection_id.eq(CONNECTION),
        work_items::lane.eq(key.lane.name()),
        work_items::zoho_id.eq(key.id.as_str()),
        work_items::state.eq(state::IDLE),
        work_items::wakes.eq(1_i64),
    );
    // Holding this row keeps a waiter from settling between the count and the search below.
    let counted = work_items::wakes.eq(work_items::wakes + 1);
    let query = upsert!(work_items, row, on (connection_id, lane, zoho_id) set counted);
    on_backend!(conn, c => query.execute(c))?;
    let waits = work_items::state
        .eq(state::WAITING)
        .or(work_items::state.eq(state::STOPPED));
    let waiters = work_items::connection_id
        .eq(CONNECTION)
        .and(work_items::waiting_on.eq(key.to_string()))
        .and(waits);
    let woken = (
        work_items::state.eq(state::READY),
        work_items::due_at.eq(now),
    );
    let query = update!(work_items, woken, where waiters);
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}

/// How often the waiters for `key` were woken, with its row held so that no wake slips by.
pub(super) fn lock_wakes(conn: &mut AnyConnection, key: &WorkKey) -> Result<i64, Failure> {
    let row = (
        work_items::connection_id.eq(CONNECTION),
        work_items::lane.eq(key.lane.name()),
        work_items::zoho_id.eq(key.id.as_str()),
        work_items::state.eq(state::IDLE),
    );
    let query = upsert!(work_items, row, on (connection_id, lane, zoho_id) nothing);
    on_backend!(conn, c => query.execute(c))?;
    let query = work_items::table
        .filter(row_of(key.lane.name(), key.id.as_str()))
        .select(work_items::wakes);
    Ok(match conn {
        AnyConnection::Sqlite(c) => query.get_result(c),
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => query.for_update().get_result(c),
    }?)
}

/// Marks rows dirty, in the order of their keys: callers that mark the same rows in different
/// orders would lock each other out.
pub(super) fn mark_all(
    conn: &mut AnyConnection,
    keys: &mut [WorkKey],
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let now = moment::stored(now);
    keys.sort_unstable();
    for key in keys {
        mark(conn, key.lane, key.id.as_str(), Flags::default(), now)?;
    }
    Ok(())
}

/// A row's own name of its work.
pub(super) fn key_of(lane: &str, id: &str) -> Result<WorkKey, Failure> {
    let known = Lane::from_name(lane);
    let lane = known.ok_or_else(|| Failure::corrupt("work_items", format!("lane {lane}")))?;
    let id =
        ZohoId::parse(id).map_err(|invalid| Failure::corrupt("work_items", invalid.to_string()))?;
    Ok(WorkKey::new(lane, id))
}
