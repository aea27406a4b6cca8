//! Issues: open once, counted while open, resolved together with their work.

use chrono::NaiveDateTime;
use diesel::{prelude::*, upsert::excluded};
use mzi_domain::{Issue, WorkKey};
use mzi_ports::{
    IdSource,
    views::{IssueFilter, IssueView},
};
use sha2::{Digest, Sha256};

use crate::{
    connection::AnyConnection,
    error::Failure,
    schema::system::{CONNECTION, issues},
    text::storable,
};

/// Opens an issue of a work row, or counts the open one with the same code.
pub(super) fn raise(
    conn: &mut AnyConnection,
    ids: &dyn IdSource,
    key: &WorkKey,
    issue: &Issue,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let place = Place {
        open_key: format!("{key}/{}", issue.code.word()),
        entity: Some(key.lane.entity().key()),
        zoho_id: Some(key.id.as_str()),
        operation: Some(key.lane.name()),
        subject: issue.subject.as_deref(),
    };
    put(conn, ids, &place, issue, now)
}

/// Opens or counts an issue about a whole connection.
pub(super) fn raise_for_connection(
    conn: &mut AnyConnection,
    ids: &dyn IdSource,
    subject: &str,
    issue: &Issue,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let place = Place {
        open_key: format!("connection/{subject}/{}", issue.code.word()),
        entity: None,
        zoho_id: None,
        operation: None,
        subject: Some(subject),
    };
    put(conn, ids, &place, issue, now)
}

/// Resolves the row's open issues, except those with a code that still holds.
pub(super) fn resolve(
    conn: &mut AnyConnection,
    key: &WorkKey,
    except: &[Issue],
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let open = issues::operation
        .eq(key.lane.name())
        .and(issues::zoho_id.eq(key.id.as_str()))
        .and(issues::resolved_at.is_null());
    let resolved = (
        issues::resolved_at.eq(now),
        issues::open_key.eq(None::<&str>),
    );
    if except.is_empty() {
        let query = update!(issues, resolved, where open);
        on_backend!(conn, c => query.execute(c))?;
    } else {
        let codes: Vec<&str> = except.iter().map(|issue| issue.code.word()).collect();
        on_backend!(conn, c => diesel::update(issues::table)
            .filter(open)
            .filter(issues::code.ne_all(codes))
            .set(resolved)
            .execute(c))?;
    }
    Ok(())
}

/// Resolves everything open about a connection's `subject`.
pub(super) fn resolve_for_connection(
    conn: &mut AnyConnection,
    subject: &str,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let open = issues::operation
        .is_null()
        .and(issues::zoho_id.is_null())
        .and(issues::subject.eq(subject))
        .and(issues::resolved_at.is_null());
    let resolved = (
        issues::resolved_at.eq(now),
        issues::open_key.eq(None::<&str>),
    );
    let query = update!(issues, resolved, where open);
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}

/// Ids sort by time, so the order of ids is the order of opening.
pub(super) fn list(
    conn: &mut AnyConnection,
    filter: &IssueFilter,
) -> Result<Vec<IssueView>, Failure> {
    let mut query = issues::table
        .select((
            issues::id,
            issues::fingerprint,
            issues::entity,
            issues::zoho_id,
            issues::operation,
            issues::code,
            issues::message,
            issues::hint,
            issues::count,
            issues::first_seen,
            issues::last_seen,
        ))
        .order(issues::id.desc())
        .limit(i64::from(filter.limit))
        .into_boxed();
    query = match filter.open {
        Some(true) => query.filter(issues::resolved_at.is_null()),
        Some(false) => query.filter(issues::resolved_at.is_not_null()),
        None => query,
    };
    if let Some(before) = &filter.before {
        query = query.filter(issues::id.lt(before));
    }
    let rows: Vec<IssueRow> = query.load(conn)?;
    Ok(rows.into_iter().map(IssueRow::into_view).collect())
}

/// How many are open.
pub(super) fn open_count(conn: &mut AnyConnection) -> Result<i64, Failure> {
    let query = issues::table.filter(issues::resolved_at.is_null()).count();
    Ok(on_backend!(conn, c => query.get_result(c))?)
}

struct Place<'a> {
    /// Unique while the issue is open.
    open_key: String,
    entity: Option<&'a str>,
    zoho_id: Option<&'a str>,
    operation: Option<&'a str>,
    subject: Option<&'a str>,
}

fn put(
    conn: &mut AnyConnection,
    ids: &dyn IdSource,
    place: &Place<'_>,
    issue: &Issue,
    now: NaiveDateTime,
) -> Result<(), Failure> {
    let row = (
        issues::id.eq(ids.next()),
        issues::connection_id.eq(CONNECTION),
        issues::open_key.eq(storable(&place.open_key)),
        issues::fingerprint.eq(fingerprint(place, issue)),
        issues::entity.eq(place.entity),
        issues::zoho_id.eq(place.zoho_id),
        issues::operation.eq(place.operation),
        issues::subject.eq(place.subject.map(storable)),
        issues::code.eq(issue.code.word()),
        issues::message.eq(storable(&issue.message)),
        issues::hint.eq(issue.code.hint()),
        issues::count.eq(1),
        issues::first_seen.eq(now),
        issues::last_seen.eq(now),
    );
    let changed = (
        issues::count.eq(issues::count + 1),
        issues::fingerprint.eq(excluded(issues::fingerprint)),
        issues::subject.eq(excluded(issues::subject)),
        issues::message.eq(excluded(issues::message)),
        issues::hint.eq(excluded(issues::hint)),
        issues::last_seen.eq(excluded(issues::last_seen)),
    );
    let query = upsert!(issues, row, on (open_key) set changed);
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}

/// The same for every record that stumbles over the same thing.
fn fingerprint(place: &Place<'_>, issue: &Issue) -> String {
    let mut hash = Sha256::new();
    let parts = [
        place.operation.unwrap_or_default(),
        issue.code.word(),
        issue.subject.as_deref().unwrap_or_default(),
    ];
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut digits = hex::encode(hash.finalize());
    digits.truncate(16);
    digits
}

#[derive(Queryable)]
struct IssueRow {
    id: String,
    fingerprint: String,
    entity: Option<String>,
    zoho_id: Option<String>,
    operation: Option<String>,
    code: String,
    message: String,
    hint: String,
    count: i32,
    first_seen: NaiveDateTime,
    last_seen: NaiveDateTime,
}

impl IssueRow {
    fn into_view(self) -> IssueView {
        IssueView {
            id: self.id,
            fingerprint: self.fingerprint,
            entity: self.entity,
            zoho_id: self.zoho_id,
            operation: self.operation,
            code: self.code,
            message: self.message,
            hint: self.hint,
            count: self.count,
            first_seen: self.first_seen.and_utc(),
            last_seen: self.last_seen.and_utc(),
        }
    }
}
