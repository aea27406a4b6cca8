//! Kinds of work. One work row exists per lane and record, which orders and coalesces for free.

use std::fmt;

use crate::{entity::Entity, ids::ZohoId, upstream::Upstream};

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Read a record from Zoho and store it.
    Refresh(Entity),
    /// Make a student's Moodle user exist and agree.
    Account,
    /// Make a class's Moodle course exist and agree.
    Course,
    /// Enrol a class's teacher.
    Teaching,
    /// Enrol or suspend a student in a class.
    Seat,
    /// Write the ids Moodle gave back to the Zoho record.
    WriteBack(Entity),
}

impl Lane {
    /// Every lane that exists, in the order in which work is best done.
    pub fn all() -> impl Iterator<Item = Self> {
        let refresh = Entity::ALL.into_iter().map(Self::Refresh);
        let provision = [Self::Account, Self::Course, Self::Teaching, Self::Seat];
        let write_back = [Entity::Students, Entity::Classes, Entity::Enrollments]
            .into_iter()
            .map(Self::WriteBack);
        refresh.chain(provision).chain(write_back)
    }

    /// The lane's stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refresh(Entity::Programs) => "refresh:programs",
            Self::Refresh(Entity::Units) => "refresh:units",
            Self::Refresh(Entity::Teachers) => "refresh:teachers",
            Self::Refresh(Entity::Students) => "refresh:students",
            Self::Refresh(Entity::Classes) => "refresh:classes",
            Self::Refresh(Entity::Registrations) => "refresh:registrations",
            Self::Refresh(Entity::Enrollments) => "refresh:enrollments",
            Self::Refresh(Entity::Payments) => "refresh:payments",
            Self::Refresh(Entity::Grades) => "refresh:grades",
            Self::Refresh(Entity::StudentRequests) => "refresh:student_requests",
            Self::Account => "account",
            Self::Course => "course",
            Self::Teaching => "teaching",
            Self::Seat => "seat",
            Self::WriteBack(Entity::Students) => "write_back:students",
            Self::WriteBack(Entity::Classes) => "write_back:classes",
            Self::WriteBack(Entity::Enrollments) => "write_back:enrollments",
            // No other entity has ids to bring back; the name keeps the mapping total.
            Self::WriteBack(_) => "write_back:none",
        }
    }

    /// The lane with this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|lane| lane.name() == name)
    }

    /// The system this lane talks to.
    pub const fn upstream(self) -> Upstream {
        match self {
            Self::Refresh(_) | Self::WriteBack(_) => Upstream::Zoho,
            Self::Account | Self::Course | Self::Teaching | Self::Seat => Upstream::Moodle,
        }
    }

    /// The entity whose record the lane's key names.
    pub const fn entity(self) -> Entity {
        match self {
            Self::Refresh(entity) | Self::WriteBack(entity) => entity,
            Self::Account => Entity::Students,
            Self::Course | Self::Teaching => Entity::Classes,
            Self::Seat => Entity::Enrollments,
        }
    }

    /// Whether work here writes to another system, which needs the go-live gate to be open.
    pub const fn writes_outside(self) -> bool {
        !matches!(self, Self::Refresh(_))
    }
}

/// One piece of work: what to do, and for which record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkKey {
    /// The kind of work.
    pub lane: Lane,
    /// The record it is about.
    pub id: ZohoId,
}

impl WorkKey {
    /// Work of `lane` for record `id`.
    pub fn new(lane: Lane, id: ZohoId) -> Self {
        Self { lane, id }
    }
}

impl fmt::Display for WorkKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.lane.name(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_is_found_by_its_name() {
        for lane in Lane::all() {
            assert_eq!(Lane::from_name(lane.name()), Some(lane));
        }
    }
}
