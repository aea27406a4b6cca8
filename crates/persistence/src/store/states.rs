//! Desired and confirmed states, and links to Moodle ids.

use chrono::NaiveDateTime;
use diesel::{prelude::*, upsert::excluded};
use mzi_domain::{WorkKey, ZohoId};
use mzi_ports::ledger::{ConfirmedState, DesiredState, Link, LinkKind, State};

use super::work::{self, Flags, state};
use crate::{
    connection::AnyConnection,
    error::Failure,
    schema::system::{CONNECTION, links, outbox},
    text::storable,
};

/// Stands for a desired state that nobody has asked for.
const NOTHING: &str = "null";

/// Keeps the number of bound values within SQLite's limit.
const CHUNK: usize = 1_000;

/// The one row of a lane and record.
#[diesel::dsl::auto_type]
fn row_of<'a>(lane: &'a str, id: &'a str) -> _ {
    let connection: &'static str = CONNECTION;
    outbox::connection_id
        .eq(connection)
        .and(outbox::lane.eq(lane))
        .and(outbox::zoho_id.eq(id))
}

/// Stores a desired state, and marks its work unless the same is wanted already.
pub(super) fn want(
    conn: &mut AnyConnection,
    wanted: &DesiredState,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let key = &wanted.key;
    let desired = storable(&wanted.desired);
    let held = outbox::table
        .filter(row_of(key.lane.name(), key.id.as_str()))
        .select(outbox::desired);
    let held: Option<String> = on_backend!(conn, c => held.get_result(c).optional())?;
    if held.as_deref() == Some(desired.as_ref()) {
        let found = work::state_of(conn, key.lane, &key.id)?;
        if found.as_deref() != Some(state::STOPPED) {
            return Ok(());
        }
    }
    let row = (
        outbox::connection_id.eq(CONNECTION),
        outbox::lane.eq(key.lane.name()),
        outbox::zoho_id.eq(key.id.as_str()),
        outbox::desired.eq(desired),
        outbox::desired_at.eq(now),
    );
    let changed = (
        outbox::desired.eq(excluded(outbox::desired)),
        outbox::desired_at.eq(excluded(outbox::desired_at)),
    );
    let query = upsert!(outbox, row, on (connection_id, lane, zoho_id) set changed);
    on_backend!(conn, c => query.execute(c))?;
    work::mark(conn, key.lane, key.id.as_str(), Flags::default(), now)
}

pub(super) fn confirm(
    conn: &mut AnyConnection,
    key: &WorkKey,
    state: &ConfirmedState,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let row = (
        outbox::connection_id.eq(CONNECTION),
        outbox::lane.eq(key.lane.name()),
        outbox::zoho_id.eq(key.id.as_str()),
        outbox::desired.eq(NOTHING),
        outbox::confirmed.eq(storable(&state.confirmed)),
        outbox::outcome.eq(state.outcome),
        outbox::confirmed_at.eq(now),
    );
    let changed = (
        outbox::confirmed.eq(excluded(outbox::confirmed)),
        outbox::outcome.eq(excluded(outbox::outcome)),
        outbox::confirmed_at.eq(excluded(outbox::confirmed_at)),
    );
    let query = upsert!(outbox, row, on (connection_id, lane, zoho_id) set changed);
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}

pub(super) fn states(conn: &mut AnyConnection, keys: &[WorkKey]) -> Result<Vec<State>, Failure> {
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some((desired, confirmed)) = state_of(conn, key)? {
            found.push(State {
                key: key.clone(),
                desired,
                confirmed,
            });
        }
    }
    Ok(found)
}

/// Desired and confirmed state of one key.
pub(super) fn state_of(
    conn: &mut AnyConnection,
    key: &WorkKey,
) -> Result<Option<(String, Option<String>)>, Failure> {
    let query = outbox::table
        .filter(row_of(key.lane.name(), key.id.as_str()))
        .select((outbox::desired, outbox::confirmed));
    Ok(on_backend!(conn, c => query.get_result(c).optional())?)
}

/// The other record that a link's Moodle id belongs to.
pub(super) fn holder_of(conn: &mut AnyConnection, link: &Link) -> Result<Option<String>, Failure> {
    let holder = record_of(conn, link.kind, link.moodle_id)?;
    Ok(holder.filter(|holder| holder != link.id.as_str()))
}

/// The record a Moodle id belongs to.
pub(super) fn record_of(
    conn: &mut AnyConnection,
    kind: LinkKind,
    moodle_id: i64,
) -> Result<Option<String>, Failure> {
    let query = links::table
        .filter(links::connection_id.eq(CONNECTION))
        .filter(links::kind.eq(kind_word(kind)))
        .filter(links::moodle_id.eq(moodle_id))
        .select(links::zoho_id);
    Ok(on_backend!(conn, c => query.get_result(c).optional())?)
}

/// The Moodle id of a record.
pub(super) fn moodle_id_of(
    conn: &mut AnyConnection,
    kind: LinkKind,
    id: &str,
) -> Result<Option<i64>, Failure> {
    let query = links::table
        .filter(links::connection_id.eq(CONNECTION))
        .filter(links::kind.eq(kind_word(kind)))
        .filter(links::zoho_id.eq(id))
        .select(links::moodle_id);
    Ok(on_backend!(conn, c => query.get_result(c).optional())?)
}

pub(super) fn put_link(
    conn: &mut AnyConnection,
    link: &Link,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let row = (
        links::connection_id.eq(CONNECTION),
        links::kind.eq(kind_word(link.kind)),
        links::zoho_id.eq(link.id.as_str()),
        links::moodle_id.eq(link.moodle_id),
        links::linked_at.eq(now),
    );
    let changed = (
        links::moodle_id.eq(excluded(links::moodle_id)),
        links::linked_at.eq(excluded(links::linked_at)),
    );
    let query = upsert!(links, row, on (connection_id, kind, zoho_id) set changed);
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}

pub(super) fn links_of(
    conn: &mut AnyConnection,
    kind: LinkKind,
    ids: &[ZohoId],
) -> Result<Vec<Link>, Failure> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let wanted: Vec<&str> = chunk.iter().map(ZohoId::as_str).collect();
        let query = links::table
            .filter(links::connection_id.eq(CONNECTION))
            .filter(links::kind.eq(kind_word(kind)))
            .filter(links::zoho_id.eq_any(wanted))
            .select((links::zoho_id, links::moodle_id));
        let rows: Vec<(String, i64)> = on_backend!(conn, c => query.load(c))?;
        for (id, moodle_id) in rows {
            let id = ZohoId::parse(&id)
                .map_err(|invalid| Failure::corrupt("links", invalid.to_string()))?;
            found.push(Link {
                kind,
                id,
                moodle_id,
            });
        }
    }
    Ok(found)
}

pub(super) const fn kind_word(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::User => "user",
        LinkKind::Course => "course",
    }
}
