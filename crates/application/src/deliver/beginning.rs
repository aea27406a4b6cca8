//! The first time a seat comes to a place: whose is it, and who has to leave?

use mzi_domain::{
    Entity, Lane, WorkKey, ZohoId,
    seat::{Access, ConfirmedSeat, DesiredSeat},
};
use mzi_ports::{
    StoreError,
    ledger::{Lease, LinkKind, WorkResult},
};

use super::{
    Deliver, DeliverError,
    ownership::{Known, Members, Place, begin},
    seat::seated,
};
use crate::failure;

/// A seat at a place of which nothing is known yet.
pub(super) struct Beginning {
    pub(super) lease: Lease,
    pub(super) desired: DesiredSeat,
    pub(super) place: Place,
    /// Where the seat was before.
    pub(super) before: Option<ConfirmedSeat>,
}

impl Deliver {
    /// Finds out whose each place is; what is free is begun, what is taken is found.
    pub(super) async fn begin_seats(
        &self,
        beginnings: Vec<Beginning>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let courses = beginnings
            .iter()
            .map(|beginning| beginning.place.course)
            .collect();
        let members = self.members(courses).await?;
        let mut results = Vec::with_capacity(beginnings.len());
        for beginning in beginnings {
            let lease = beginning.lease.clone();
            let result = match self.begin_seat(beginning, &members).await {
                Err(DeliverError::Lms(error)) if !error.is_outage() => {
                    failure::result(&error, lease, self.clock.now())
                }
                result => result?,
            };
            results.push(result);
        }
        Ok(results)
    }

    async fn begin_seat(
        &self,
        beginning: Beginning,
        members: &Members,
    ) -> Result<WorkResult, DeliverError> {
        let Beginning {
            lease,
            desired,
            place,
            before,
        } = beginning;
        let is_member = match members.get(&place.course) {
            Some(Ok(users)) => users.contains(&place.user),
            Some(Err(error)) => return Err(error.clone().into()),
            None => false,
        };
        if let Some(before) = before.filter(|seat| Place::of(seat) != place) {
            self.leave(&lease.key.id, &desired, &before).await?;
        }
        // A suspended enrolment that no record of ours explains is given access again: that the
        // student is to take part is a fact, and a withdrawal of ours looks just the same.
        if !is_member || !self.takes_part(place).await? {
            return Ok(begin(lease, place));
        }
        let ours = self
            .is_shared(&lease.key.id, &desired.student, place)
            .await?;
        Ok(seated(lease, &place.seat(false, ours), "found"))
    }

    /// A seat that moved gives up its old place, if that is ours and nobody else's.
    async fn leave(
        &self,
        own: &ZohoId,
        desired: &DesiredSeat,
        before: &ConfirmedSeat,
    ) -> Result<(), DeliverError> {
        let given = before.ours && !before.suspended;
        if !given || self.is_held_by_another(own, desired, before).await? {
            return Ok(());
        }
        let enrolment = self.enrolment(Place::of(before), true);
        for outcome in self.lms.enrol(&[enrolment]).await? {
            outcome?;
        }
        Ok(())
    }

    /// Whether another enrolment record of the student's made the enrolment.
    async fn is_shared(
        &self,
        own: &ZohoId,
        student: &ZohoId,
        place: Place,
    ) -> Result<bool, StoreError> {
        let others = self.siblings(own, student).await?;
        let keys: Vec<WorkKey> = others
            .into_iter()
            .map(|id| WorkKey::new(Lane::Seat, id))
            .collect();
        let states = self.ledger.states(&keys).await?;
        Ok(states
            .iter()
            .filter_map(|state| serde_json::from_str::<Known>(state.confirmed.as_deref()?).ok())
            .any(|known| known.is_ours_at(place)))
    }

    /// Whether another live enrolment record asks for the very seat that is to be given up.
    pub(super) async fn is_held_by_another(
        &self,
        own: &ZohoId,
        desired: &DesiredSeat,
        seat: &ConfirmedSeat,
    ) -> Result<bool, StoreError> {
        let (student, class) = (&desired.student, &desired.class);
        let users = self
            .linked(LinkKind::User, std::slice::from_ref(student))
            .await?;
        let mut others = if users.get(student) == Some(&seat.user.get()) {
            self.siblings(own, student).await?
        } else {
            // The record names another student now; the one before is found among the class.
            let column = "class_zoho_id";
            self.ledger
                .children(Entity::Enrollments, column, class)
                .await?
        };
        others.retain(|id| id != own);
        let records = self.ledger.stored(Entity::Enrollments, &others).await?;
        let wanted: Vec<DesiredSeat> = records
            .iter()
            .filter_map(|record| DesiredSeat::plan(&record.values, false).ok())
            .filter(|other| other.access == Access::Enrol)
            .collect();
        let students: Vec<ZohoId> = wanted.iter().map(|other| other.student.clone()).collect();
        let classes: Vec<ZohoId> = wanted.iter().map(|other| other.class.clone()).collect();
        let users = self.linked(LinkKind::User, &students).await?;
        let courses = self.linked(LinkKind::Course, &classes).await?;
        Ok(wanted.iter().any(|other| {
            users.get(&other.student) == Some(&seat.user.get())
                && courses.get(&other.class) == Some(&seat.course.get())
        }))
    }

    /// The student's other live enrolment records.
    async fn siblings(&self, own: &ZohoId, student: &ZohoId) -> Result<Vec<ZohoId>, StoreError> {
        let column = "student_zoho_id";
        let mut ids = self
            .ledger
            .children(Entity::Enrollments, column, student)
            .await?;
        ids.retain(|id| id != own);
        Ok(ids)
    }
}
