//! Business rows and their history.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use mzi_domain::{Entity, RecordChange, StoredRecord, Value, ZohoId, record::ChangeKind};

use crate::{
    connection::AnyConnection,
    error::Failure,
    moment,
    schema::{
        business::{Held, Writing},
        system::{CONNECTION, record_history},
    },
    text::storable,
};

/// Up to this many rows SQLite reads one by one: a statement that is prepared already beats a
/// list that is not.
const FEW: usize = 16;
/// Keeps the number of bound values within SQLite's limit.
const CHUNK: usize = 1_000;

/// Writes the row and the history that explains it.
pub(super) fn write(
    conn: &mut AnyConnection,
    change: &RecordChange,
    public_ref: &str,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let writing = Writing {
        change,
        public_ref,
        deleted_at: (change.kind == ChangeKind::Deleted).then_some(now),
        now,
    };
    on_table!(change.entity, write(conn, &writing))?;
    let row = (
        record_history::connection_id.eq(CONNECTION),
        record_history::entity.eq(change.entity.key()),
        record_history::zoho_id.eq(change.id.as_str()),
        record_history::kind.eq(change.kind.word()),
        record_history::zoho_modified_at.eq(moment::stored_opt(change.modified_at)),
        record_history::mapping_version.eq(change.mapping_version),
        record_history::changes.eq(explain(change)?),
        record_history::written_at.eq(now),
    );
    on_backend!(conn, c => diesel::insert_into(record_history::table).values(row).execute(c))?;
    Ok(())
}

pub(super) fn find_many(
    conn: &mut AnyConnection,
    entity: Entity,
    ids: &[&str],
) -> Result<Vec<Held>, Failure> {
    let few = ids.len() <= FEW && matches!(conn, AnyConnection::Sqlite(_));
    let mut found = Vec::with_capacity(ids.len());
    if few {
        for id in ids {
            found.extend(find(conn, entity, id)?);
        }
    } else {
        for chunk in ids.chunks(CHUNK) {
            found.extend(on_table!(entity, find_many(conn, chunk))?);
        }
    }
    Ok(found)
}

pub(super) fn find(
    conn: &mut AnyConnection,
    entity: Entity,
    id: &str,
) -> Result<Option<Held>, Failure> {
    on_table!(entity, find(conn, id))
}

pub(super) fn exists(
    conn: &mut AnyConnection,
    entity: Entity,
    id: &ZohoId,
) -> Result<bool, Failure> {
    on_table!(entity, exists(conn, id.as_str()))
}

pub(super) fn stored(
    conn: &mut AnyConnection,
    entity: Entity,
    ids: &[ZohoId],
) -> Result<Vec<StoredRecord>, Failure> {
    let ids: Vec<&str> = ids.iter().map(ZohoId::as_str).collect();
    let held = find_many(conn, entity, &ids)?;
    Ok(held.into_iter().map(|held| held.record).collect())
}

pub(super) fn children(
    conn: &mut AnyConnection,
    entity: Entity,
    column: &str,
    parent: &ZohoId,
) -> Result<Vec<ZohoId>, Failure> {
    let ids = on_table!(entity, children(conn, column, parent.as_str()))?;
    let parse = |id: String| {
        ZohoId::parse(&id).map_err(|invalid| Failure::corrupt(entity.key(), invalid.to_string()))
    };
    ids.into_iter().map(parse).collect()
}

/// `[[column, field, rule, before, after], …]`; lists, because there are many of them.
fn explain(change: &RecordChange) -> Result<String, Failure> {
    let shown = |value: &Option<Value>| {
        let value = value.as_ref()?;
        Some(storable(&value.display()).into_owned())
    };
    let rows: Vec<_> = change
        .fields
        .iter()
        .map(|field| {
            let (before, after) = (shown(&field.before), shown(&field.after));
            (field.column, &field.field, field.rule, before, after)
        })
        .collect();
    serde_json::to_string(&rows).map_err(|error| Failure::internal(error.to_string()))
}
