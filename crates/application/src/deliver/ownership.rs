//! Whose enrolment is it? What the bridge did not make, it never takes away.
//!
//! Before its first write the bridge notes durably that it begins. Whatever then becomes of the
//! call or of the process, the next claim knows that an enrolment found there is its own; without
//! the note it belongs to whoever made it.

use std::collections::{HashMap, HashSet};

use mzi_domain::{MoodleCourseId, MoodleUserId, seat::ConfirmedSeat};
use mzi_ports::{
    LmsError, Retry,
    ledger::{Lease, WorkResult},
};
use serde::{Deserialize, Serialize};

use super::{Deliver, confirmed};
use crate::failure;

/// A user in a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) user: MoodleUserId,
    pub(super) course: MoodleCourseId,
}

/// What is known of an enrolment of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Known {
    /// What it is.
    Seat(ConfirmedSeat),
    /// That making it was begun, or (nothing) that the beginning came to nothing.
    Begun {
        /// Where.
        begun: Option<Place>,
    },
}

/// Who is in each course, suspended or not; a course that cannot be asked fails alone.
pub(super) type Members = HashMap<MoodleCourseId, Result<HashSet<MoodleUserId>, LmsError>>;

impl Place {
    /// Where a seat is.
    pub(super) fn of(seat: &ConfirmedSeat) -> Self {
        Self {
            user: seat.user,
            course: seat.course,
        }
    }

    /// An enrolment here.
    pub(super) fn seat(self, suspended: bool, ours: bool) -> ConfirmedSeat {
        ConfirmedSeat {
            user: self.user,
            course: self.course,
            suspended,
            ours,
        }
    }
}

impl Known {
    /// Whether an enrolment here was begun and its end was not seen.
    pub(super) fn has_begun(&self, place: Place) -> bool {
        matches!(self, Self::Begun { begun: Some(at) } if *at == place)
    }

    /// Whether an enrolment here is, or may be, the bridge's own.
    pub(super) fn is_ours_at(&self, place: Place) -> bool {
        match self {
            Self::Seat(seat) => seat.ours && Place::of(seat) == place,
            Self::Begun { .. } => self.has_begun(place),
        }
    }
}

impl Deliver {
    /// Knowledge without doubt: what was begun is looked at, and either was made or was not.
    pub(super) async fn certain(
        &self,
        known: Option<Known>,
    ) -> Result<Option<ConfirmedSeat>, LmsError> {
        match known {
            Some(Known::Seat(seat)) => Ok(Some(seat)),
            Some(Known::Begun { begun: Some(place) }) => {
                let made = self.takes_part(place).await?;
                Ok(made.then(|| place.seat(false, true)))
            }
            Some(Known::Begun { begun: None }) | None => Ok(None),
        }
    }

    /// Whether the user has access to the course, whoever gave it.
    pub(super) async fn takes_part(&self, place: Place) -> Result<bool, LmsError> {
        Ok(self
            .lms
            .courses_of(place.user)
            .await?
            .contains(&place.course))
    }

    /// Who is in these courses now.
    pub(super) async fn members(&self, courses: Vec<MoodleCourseId>) -> Result<Members, LmsError> {
        let mut members = Members::new();
        for course in courses {
            if members.contains_key(&course) {
                continue;
            }
            let found = match self.lms.enrolled_in(course).await {
                Err(error) if error.is_outage() => return Err(error),
                found => found.map(HashSet::from_iter),
            };
            members.insert(course, found);
        }
        Ok(members)
    }

    /// The result of a first write that failed; a clean refusal takes the note back.
    pub(super) fn not_made(&self, lease: Lease, error: &LmsError) -> WorkResult {
        let failed = failure::result(error, lease.clone(), self.clock.now());
        if error.retry() != Retry::Never {
            return failed;
        }
        let noted = confirmed(lease, &Known::Begun { begun: None }, "refused");
        WorkResult {
            effects: noted.effects,
            ..failed
        }
    }
}

/// Done for now: the beginning is noted, and the same work is due again.
pub(super) fn begin(lease: Lease, place: Place) -> WorkResult {
    let key = lease.key.clone();
    let mut result = confirmed(lease, &Known::Begun { begun: Some(place) }, "begun");
    result.effects.marks.push(key);
    result
}
