//! What the fake was asked, and how it is to fail.

use std::{collections::VecDeque, time::Duration};

use crate::error::LmsError;

/// A method of the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named as the method it stands for")]
pub enum LmsVerb {
    Site,
    UsersBy,
    CreateUser,
    UpdateUsers,
    CoursesBy,
    CreateCourse,
    UpdateCourse,
    Categories,
    Enrol,
    EnrolledIn,
    CoursesOf,
}

/// How one call is to go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LmsFault {
    /// It fails with this error and has no effect.
    Refuse(LmsError),
    /// It takes effect, but neither its answer nor a look afterwards arrives (`UnknownOutcome`).
    LoseAnswer,
    /// Of a call for many, the one at this place, from 0, is refused and the others are not.
    RefuseItem {
        /// The place.
        at: usize,
        /// Why.
        error: LmsError,
    },
}

/// Everything scripted and seen.
#[derive(Default)]
pub(super) struct Script {
    pub(super) calls: Vec<LmsVerb>,
    pub(super) outage: Option<LmsError>,
    pub(super) latency: Duration,
    pub(super) blind: bool,
    faults: VecDeque<(Option<LmsVerb>, LmsFault)>,
}

impl Script {
    pub(super) fn add(&mut self, on: Option<LmsVerb>, fault: LmsFault) {
        self.faults.push_back((on, fault));
    }

    /// Notes a call and says how long it takes and what becomes of it.
    pub(super) fn meet(&mut self, verb: LmsVerb) -> (Duration, Result<Option<LmsFault>, LmsError>) {
        self.calls.push(verb);
        if let Some(error) = &self.outage {
            return (self.latency, Err(error.clone()));
        }
        let meant = |(on, _): &(Option<LmsVerb>, LmsFault)| on.is_none_or(|on| on == verb);
        let fault = self
            .faults
            .iter()
            .position(meant)
            .and_then(|at| self.faults.remove(at));
        let verdict = match fault {
            Some((_, LmsFault::Refuse(error))) => Err(error),
            other => Ok(other.map(|(_, fault)| fault)),
        };
        (self.latency, verdict)
    }
}
