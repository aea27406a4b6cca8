//! Read models.

use std::cmp::Reverse;

use async_trait::async_trait;
use mzi_domain::{Entity, Lane, MoodleUserId, StoredRecord, WorkKey, ZohoId, seat::ConfirmedSeat};

use super::{
    MemoryStore, StoreCall,
    data::{Data, Held},
    work::Phase,
};
use crate::{
    error::StoreError,
    ledger::LinkKind,
    views::{ClassView, IssueFilter, IssueView, QueueCounts, StoreHealth, StudentView, Views},
};

#[async_trait]
impl Views for MemoryStore {
    async fn student_of(&self, user: MoodleUserId) -> Result<Option<StudentView>, StoreError> {
        self.call(StoreCall::Read, |data| Ok(data.student_of(user)))
    }

    async fn classes_of(&self, student: &ZohoId) -> Result<Vec<ClassView>, StoreError> {
        self.call(StoreCall::Read, |data| {
            let mut seats = data.seats_of(student);
            seats.sort_by_key(|seat| {
                let start = seat.record.values.date("start_date");
                (Reverse(start), seat.record.id.clone())
            });
            Ok(seats
                .into_iter()
                .map(|seat| data.class_view(seat))
                .collect())
        })
    }

    async fn queue(&self) -> Result<QueueCounts, StoreError> {
        self.call(StoreCall::Read, |data| Ok(data.queue()))
    }

    async fn probe(&self) -> Result<StoreHealth, StoreError> {
        self.call(StoreCall::Read, |_| {
            Ok(StoreHealth {
                writable: true,
                migrations_current: true,
            })
        })
    }

    async fn issues(&self, filter: &IssueFilter) -> Result<Vec<IssueView>, StoreError> {
        self.call(StoreCall::Read, |data| Ok(data.issue_views(filter)))
    }
}

impl Data {
    fn student_of(&self, user: MoodleUserId) -> Option<StudentView> {
        let mut links = self.links.iter();
        let link =
            links.find(|link| link.kind == LinkKind::User && link.moodle_id == user.get())?;
        let held = self.records.get(&(Entity::Students, link.id.clone()))?;
        let read = WorkKey::new(Lane::Refresh(Entity::Students), link.id.clone());
        let read_at = self.work.get(&read).and_then(|work| work.done_at);
        Some(StudentView {
            record: held.record.clone(),
            student_ref: held.reference.clone(),
            as_of: read_at.map_or(held.updated_at, |at| at.max(held.updated_at)),
            pending: self.is_pending(&link.id),
        })
    }

    fn is_pending(&self, student: &ZohoId) -> bool {
        let seats = self.seats_of(student);
        let classes = seats.iter().filter_map(|seat| class_of(&seat.record));
        let keys = [
            (Entity::Students, Lane::Account, vec![student.clone()]),
            (Entity::Classes, Lane::Course, classes.collect()),
            (
                Entity::Enrollments,
                Lane::Seat,
                seats.iter().map(|seat| seat.record.id.clone()).collect(),
            ),
        ];
        keys.into_iter().any(|(entity, delivery, ids)| {
            ids.into_iter().any(|id| {
                let refresh = WorkKey::new(Lane::Refresh(entity), id.clone());
                let delivery = WorkKey::new(delivery, id);
                let delivery = self.work.get(&delivery);
                self.work
                    .get(&refresh)
                    .is_some_and(|work| work.is_unsettled())
                    || delivery.is_some_and(|work| work.is_unsettled() && !work.is_stopped())
            })
        })
    }

    /// The student's live enrolments.
    fn seats_of(&self, student: &ZohoId) -> Vec<&Held> {
        let records = self.records.iter();
        records
            .filter(|((entity, _), held)| {
                *entity == Entity::Enrollments
                    && held.record.deleted_at.is_none()
                    && held.record.values.text("student_zoho_id") == Some(student.as_str())
            })
            .map(|(_, held)| held)
            .collect()
    }

    fn class_view(&self, seat: &Held) -> ClassView {
        let record_of = |entity, id: Option<ZohoId>| {
            let held = self.records.get(&(entity, id?))?;
            Some(held.record.clone())
        };
        let class_id = class_of(&seat.record);
        let class = record_of(Entity::Classes, class_id.clone());
        let unit_id = class
            .as_ref()
            .and_then(|class| lookup(class, "unit_zoho_id"));
        let course = class_id.and_then(|id| {
            let mut links = self.links.iter();
            links.find(|link| link.kind == LinkKind::Course && link.id == id)
        });
        let state = WorkKey::new(Lane::Seat, seat.record.id.clone());
        let confirmed = self.states.get(&state).and_then(|row| {
            let text = row.confirmed.as_deref()?;
            serde_json::from_str::<ConfirmedSeat>(text).ok()
        });
        ClassView {
            seat_ref: seat.reference.clone(),
            enrolment: seat.record.clone(),
            unit: record_of(Entity::Units, unit_id),
            class,
            moodle_course_id: course.map(|link| link.moodle_id),
            seat_active: confirmed.map(|seat| !seat.suspended),
        }
    }

    fn queue(&self) -> QueueCounts {
        let mut counts = QueueCounts::default();
        for (key, work) in &self.work {
            match &work.phase {
                Phase::Ready { .. } if key.lane.writes_outside() => counts.outbox += 1,
                Phase::Ready { .. } => counts.pending += 1,
                Phase::Leased { .. } => counts.leased += 1,
                Phase::Waiting { .. } => counts.waiting += 1,
                Phase::Idle | Phase::Stopped { .. } => {}
            }
        }
        let open = self.issues.iter().filter(|issue| issue.open).count();
        counts.issues = i64::try_from(open).unwrap_or(i64::MAX);
        counts
    }
}

fn class_of(enrolment: &StoredRecord) -> Option<ZohoId> {
    lookup(enrolment, "class_zoho_id")
}

fn lookup(record: &StoredRecord, column: &str) -> Option<ZohoId> {
    ZohoId::parse(record.values.text(column)?).ok()
}
