//! What a record's state asks of the rest: pure, for every read, changed or not.
//!
//! It is worked out again at every read so that a changed policy, a repaired parent or a new
//! version of the bridge takes effect by itself; an equal desired state marks nothing dirty.

use mzi_domain::{
    Entity, Issue, Lane, RecordChange, Values, WorkKey, ZohoId,
    account::DesiredAccount,
    course::DesiredCourse,
    seat::{DesiredSeat, DesiredTeaching},
};
use mzi_ports::ledger::{DesiredState, Effects};
use serde::Serialize;

use crate::policy::Policy;

/// A record as it stands after a read.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The kind of record.
    pub entity: Entity,
    /// Which record.
    pub id: &'a ZohoId,
    /// Every column.
    pub values: &'a Values,
    /// Whether its deletion is certain.
    pub deleted: bool,
}

/// Children whose own work must be looked at again because a parent changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cascade {
    /// The work to mark.
    pub lane: Lane,
    /// The children.
    pub entity: Entity,
    /// Their column that names the parent.
    pub column: &'static str,
}

/// Desired states, needed parents and problems that follow from a record's state.
pub fn of(record: Standing<'_>, policy: &Policy) -> Effects {
    let mut effects = Effects::default();
    match record.entity {
        Entity::Students if !record.deleted => {
            let plan = DesiredAccount::plan(record.id, record.values, &policy.accounts);
            desire(&mut effects, Lane::Account, record.id, plan);
        }
        Entity::Classes if !record.deleted => {
            let plan = DesiredCourse::plan(record.id, record.values);
            desire(&mut effects, Lane::Course, record.id, plan);
            let teaching = DesiredTeaching::plan(record.values);
            desire(&mut effects, Lane::Teaching, record.id, Ok(teaching));
        }
        // A tombstone of an enrolment we never knew says nothing about anybody's seat.
        Entity::Enrollments if !record.deleted || record.values.has("student_zoho_id") => {
            let plan = DesiredSeat::plan(record.values, record.deleted);
            desire(&mut effects, Lane::Seat, record.id, plan);
        }
        _ => {}
    }
    if record.deleted {
        effects
            .desired
            .extend(nothing_more(record.entity, record.id));
    } else {
        effects.needs = parents(record.entity, record.values);
    }
    effects
}

/// What is no longer wanted of a deleted record: nothing is made for it and nothing written to it
/// any more, and what has been made stays as it is. A seat is given up by its own desired state.
fn nothing_more(entity: Entity, id: &ZohoId) -> Vec<DesiredState> {
    let lanes: &[Lane] = match entity {
        Entity::Students => &[Lane::Account, Lane::WriteBack(Entity::Students)],
        Entity::Classes => &[
            Lane::Course,
            Lane::Teaching,
            Lane::WriteBack(Entity::Classes),
        ],
        Entity::Enrollments => &[Lane::WriteBack(Entity::Enrollments)],
        _ => &[],
    };
    let nothing = |lane: &Lane| DesiredState {
        key: key(*lane, id),
        desired: "null".to_owned(),
    };
    lanes.iter().map(nothing).collect()
}

/// Which children a change of this record concerns.
pub fn cascades(change: &RecordChange) -> Vec<Cascade> {
    let of_classes = |lane, column| Cascade {
        lane,
        entity: Entity::Classes,
        column,
    };
    match change.entity {
        Entity::Programs if change.touches("moodle_id") => {
            vec![of_classes(Lane::Course, "program_zoho_id")]
        }
        Entity::Teachers if change.touches("academic_email") || change.touches("email") => {
            vec![of_classes(Lane::Teaching, "teacher_zoho_id")]
        }
        Entity::Classes if change.touches("class_status") || change.touches("end_date") => {
            vec![Cascade {
                lane: Lane::Seat,
                entity: Entity::Enrollments,
                column: "class_zoho_id",
            }]
        }
        _ => Vec::new(),
    }
}

/// The work of a lane about one record.
pub fn key(lane: Lane, id: &ZohoId) -> WorkKey {
    WorkKey::new(lane, id.clone())
}

fn desire<T: Serialize>(effects: &mut Effects, lane: Lane, id: &ZohoId, plan: Result<T, Issue>) {
    let state = plan.and_then(|desired| {
        serde_json::to_string(&desired)
            .map_err(|error| Issue::new(mzi_domain::IssueCode::Protocol, error.to_string()))
    });
    match state {
        Ok(desired) => effects.desired.push(DesiredState {
            key: key(lane, id),
            desired,
        }),
        Err(issue) => effects.issues.push(issue),
    }
}

/// The records a record points to and cannot do without.
fn parents(entity: Entity, values: &Values) -> Vec<(Entity, ZohoId)> {
    let lookups: &[(Entity, &str)] = match entity {
        Entity::Programs | Entity::Units | Entity::Teachers => &[],
        Entity::Students => &[(Entity::Programs, "program_zoho_id")],
        Entity::Classes => &[
            (Entity::Programs, "program_zoho_id"),
            (Entity::Units, "unit_zoho_id"),
            (Entity::Teachers, "teacher_zoho_id"),
        ],
        Entity::Registrations => &[
            (Entity::Students, "student_zoho_id"),
            (Entity::Programs, "program_zoho_id"),
        ],
        Entity::Enrollments | Entity::Grades => &[
            (Entity::Students, "student_zoho_id"),
            (Entity::Classes, "class_zoho_id"),
        ],
        Entity::Payments => &[(Entity::Registrations, "registration_zoho_id")],
        Entity::StudentRequests => &[(Entity::Students, "student_zoho_id")],
    };
    lookups
        .iter()
        .filter_map(|(parent, column)| {
            let id = values
                .text(column)
                .and_then(|raw| ZohoId::parse(raw).ok())?;
            Some((*parent, id))
        })
        .collect()
}
