//! Read models.

use async_trait::async_trait;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use mzi_domain::{Entity, Lane, MoodleUserId, WorkKey, ZohoId, seat::ConfirmedSeat};
use mzi_ports::{
    StoreError, Views,
    ledger::LinkKind,
    views::{ClassView, IssueFilter, IssueView, QueueCounts, StoreHealth, StudentView},
};

use super::{SqlStore, issues, records, states, work::state};
use crate::{
    connection::AnyConnection,
    error::Failure,
    migrate,
    schema::{
        business::{Held, enrollments::enrollments},
        system::{CONNECTION, settings, work_items},
    },
};

/// The row a probe writes: it must change something, or nothing reaches the disk.
const PROBE: &str = "probe";

diesel::allow_tables_to_appear_in_same_query!(enrollments, work_items);

#[async_trait]
impl Views for SqlStore {
    async fn student_of(&self, user: MoodleUserId) -> Result<Option<StudentView>, StoreError> {
        self.db.read(move |conn| student_of(conn, user)).await
    }

    async fn classes_of(&self, student: &ZohoId) -> Result<Vec<ClassView>, StoreError> {
        let student = student.clone();
        self.db.read(move |conn| classes_of(conn, &student)).await
    }

    async fn queue(&self) -> Result<QueueCounts, StoreError> {
        self.db.read(queue).await
    }

    async fn probe(&self) -> Result<StoreHealth, StoreError> {
        let mark = self.ids.next();
        let written = self.db.write(move |conn| probe(conn, &mark)).await;
        let writable = match written {
            Ok(()) => true,
            Err(StoreError::Unavailable { .. }) => false,
            Err(other) => return Err(other),
        };
        let migrations_current = self
            .db
            .read(|conn| {
                let pending = migrate::pending(conn);
                Ok(pending.is_ok_and(|pending| pending.is_empty()))
            })
            .await?;
        Ok(StoreHealth {
            writable,
            migrations_current,
        })
    }

    async fn issues(&self, filter: &IssueFilter) -> Result<Vec<IssueView>, StoreError> {
        let filter = filter.clone();
        self.db.read(move |conn| issues::list(conn, &filter)).await
    }
}

fn student_of(
    conn: &mut AnyConnection,
    user: MoodleUserId,
) -> Result<Option<StudentView>, Failure> {
    let Some(id) = states::record_of(conn, LinkKind::User, user.get())? else {
        return Ok(None);
    };
    let Some(held) = records::find(conn, Entity::Students, &id)? else {
        return Ok(None);
    };
    let own = own_work(conn, &id)?;
    let read_at = own.read_at.map_or(held.updated_at, |at| at.and_utc());
    let pending = own.pending
        || is_pending(conn, &id, Through::Seats)?
        || is_pending(conn, &id, Through::Classes)?;
    Ok(Some(StudentView {
        as_of: read_at.max(held.updated_at),
        record: held.record,
        student_ref: held.public_ref,
        pending,
    }))
}

struct OwnWork {
    /// When the student was last read to the end.
    read_at: Option<NaiveDateTime>,
    pending: bool,
}

fn own_work(conn: &mut AnyConnection, student: &str) -> Result<OwnWork, Failure> {
    type Row = (String, bool, String, Option<NaiveDateTime>);

    let refresh = Lane::Refresh(Entity::Students).name();
    let unsettled = work_items::wanted.gt(work_items::done);
    let query = work_items::table
        .filter(work_items::connection_id.eq(CONNECTION))
        .filter(
            work_items::lane
                .eq(refresh)
                .or(work_items::lane.eq(Lane::Account.name())),
        )
        .filter(work_items::zoho_id.eq(student))
        .select((
            work_items::lane,
            unsettled,
            work_items::state,
            work_items::done_at,
        ));
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    let mut own = OwnWork {
        read_at: None,
        pending: false,
    };
    for (lane, unsettled, found, done_at) in rows {
        let is_refresh = lane == refresh;
        own.pending |= unsettled && (is_refresh || found != state::STOPPED);
        if is_refresh {
            own.read_at = done_at;
        }
    }
    Ok(own)
}

/// The way from a student to other records.
#[derive(Clone, Copy)]
enum Through {
    Seats,
    Classes,
}

/// Whether a seat or class of the student has unsettled work. A stopped delivery does not count:
/// what the student sees is processed, only Moodle is behind.
fn is_pending(conn: &mut AnyConnection, student: &str, through: Through) -> Result<bool, Failure> {
    let (refresh, delivery) = match through {
        Through::Seats => (Lane::Refresh(Entity::Enrollments), Lane::Seat),
        Through::Classes => (Lane::Refresh(Entity::Classes), Lane::Course),
    };
    let unsettled = work_items::connection_id
        .eq(CONNECTION)
        .and(
            work_items::lane
                .eq(refresh.name())
                .or(work_items::lane.eq(delivery.name())),
        )
        .and(work_items::wanted.gt(work_items::done))
        .and(
            work_items::state
                .ne(state::STOPPED)
                .or(work_items::lane.eq(refresh.name())),
        );
    let theirs = enrollments::connection_id
        .eq(CONNECTION)
        .and(enrollments::student_zoho_id.eq(student))
        .and(enrollments::deleted_at.is_null());
    let pending = match through {
        Through::Seats => {
            let on = work_items::zoho_id.eq(enrollments::zoho_id);
            let query = enrollments::table
                .inner_join(work_items::table.on(on))
                .filter(theirs)
                .filter(unsettled);
            on_backend!(conn, c => diesel::select(diesel::dsl::exists(query)).get_result(c))
        }
        Through::Classes => {
            let on = work_items::zoho_id
                .nullable()
                .eq(enrollments::class_zoho_id);
            let query = enrollments::table
                .inner_join(work_items::table.on(on))
                .filter(theirs)
                .filter(unsettled);
            on_backend!(conn, c => diesel::select(diesel::dsl::exists(query)).get_result(c))
        }
    };
    Ok(pending?)
}

fn classes_of(conn: &mut AnyConnection, student: &ZohoId) -> Result<Vec<ClassView>, Failure> {
    let ids = records::children(conn, Entity::Enrollments, "student_zoho_id", student)?;
    let ids: Vec<&str> = ids.iter().map(ZohoId::as_str).collect();
    let mut seats = records::find_many(conn, Entity::Enrollments, &ids)?;
    seats.sort_by_cached_key(|seat| {
        let start = seat.record.values.date("start_date");
        (std::cmp::Reverse(start), seat.record.id.clone())
    });
    seats
        .into_iter()
        .map(|seat| class_view(conn, seat))
        .collect()
}

fn class_view(conn: &mut AnyConnection, seat: Held) -> Result<ClassView, Failure> {
    let class_id = lookup(&seat, "class_zoho_id");
    let class = find(conn, Entity::Classes, class_id.as_deref())?;
    let unit_id = class
        .as_ref()
        .and_then(|class| lookup(class, "unit_zoho_id"));
    let unit = find(conn, Entity::Units, unit_id.as_deref())?;
    let moodle_course_id = match &class_id {
        Some(id) => states::moodle_id_of(conn, LinkKind::Course, id)?,
        None => None,
    };
    let key = WorkKey::new(Lane::Seat, seat.record.id.clone());
    let confirmed = states::state_of(conn, &key)?.and_then(|(_, confirmed)| confirmed);
    let confirmed = confirmed.and_then(|text| serde_json::from_str::<ConfirmedSeat>(&text).ok());
    Ok(ClassView {
        seat_ref: seat.public_ref,
        enrolment: seat.record,
        class: class.map(|class| class.record),
        unit: unit.map(|unit| unit.record),
        moodle_course_id,
        seat_active: confirmed.map(|seat| !seat.suspended),
    })
}

fn lookup(held: &Held, column: &str) -> Option<String> {
    held.record.values.text(column).map(str::to_owned)
}

fn find(
    conn: &mut AnyConnection,
    entity: Entity,
    id: Option<&str>,
) -> Result<Option<Held>, Failure> {
    match id {
        Some(id) => records::find(conn, entity, id),
        None => Ok(None),
    }
}

/// Two counts over covering indexes, however long the backlog.
fn queue(conn: &mut AnyConnection) -> Result<QueueCounts, Failure> {
    let mut counts = QueueCounts {
        issues: issues::open_count(conn)?,
        ..QueueCounts::default()
    };
    let due = work_items::table
        .filter(work_items::due_at.is_not_null())
        .group_by((work_items::lane, work_items::state))
        .select((
            work_items::lane,
            work_items::state,
            diesel::dsl::count_star(),
        ));
    let due: Vec<(String, String, i64)> = on_backend!(conn, c => due.load(c))?;
    for (lane, found, count) in due {
        let refreshes = Lane::from_name(&lane).is_some_and(|lane| !lane.writes_outside());
        match found.as_str() {
            state::READY if refreshes => counts.pending += count,
            state::READY => counts.outbox += count,
            state::LEASED => counts.leased += count,
            _ => {}
        }
    }
    let waiting = work_items::table
        .filter(work_items::waiting_on.is_not_null())
        .filter(work_items::state.eq(state::WAITING))
        .count();
    counts.waiting = on_backend!(conn, c => waiting.get_result(c))?;
    Ok(counts)
}

/// Changes a row, so that something has to reach the disk.
fn probe(conn: &mut AnyConnection, mark: &str) -> Result<(), Failure> {
    let now = diesel::dsl::now;
    let row = (
        settings::connection_id.eq(CONNECTION),
        settings::name.eq(PROBE),
        settings::value.eq(mark),
        settings::updated_at.eq(now),
    );
    let query = upsert!(settings, row, on (connection_id, name) set settings::value.eq(mark));
    on_backend!(conn, c => query.execute(c))?;
    Ok(())
}
