//! A class's teacher is enrolled as editing teacher when they have an account.

use futures_util::{StreamExt, stream};
use mzi_domain::{
    Entity, Issue, IssueCode, Lane, MoodleCourseId, MoodleUserId, StoredRecord, WorkKey, ZohoId,
    account::moodle_username, seat::DesiredTeaching,
};
use mzi_ports::{
    LmsError,
    ledger::{Effects, Lease, LinkKind, Verdict, WorkResult},
    lms::{Enrolment, UserKey},
};

use super::{
    Deliver, DeliverError, PARALLEL, Task, confirmed, done,
    ownership::{Known, Place, begin},
};
use crate::failure;

type TeachingTask = Task<DesiredTeaching, Known>;

impl Deliver {
    pub(super) async fn teachings(
        &self,
        leases: Vec<Lease>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let tasks = self.tasks(leases).await?;
        let mut results = tasks.settled;
        let worked: Vec<Result<WorkResult, DeliverError>> = stream::iter(tasks.open)
            .map(|task| self.teaching(task))
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        for result in worked {
            results.push(result?);
        }
        Ok(results)
    }

    async fn teaching(&self, task: TeachingTask) -> Result<WorkResult, DeliverError> {
        let Task {
            lease,
            desired,
            confirmed: known,
        } = task;
        let class = lease.key.id.clone();
        let links = self
            .linked(LinkKind::Course, std::slice::from_ref(&class))
            .await?;
        let Some(course) = links
            .get(&class)
            .and_then(|id| MoodleCourseId::new(*id).ok())
        else {
            let verdict = Verdict::Wait {
                on: WorkKey::new(Lane::Course, class),
                reason: "waits for the class's Moodle course".to_owned(),
                until: None,
            };
            return Ok(WorkResult {
                lease,
                verdict,
                effects: Effects::default(),
            });
        };
        let Some(teacher) = desired.teacher else {
            return Ok(self.no_teacher(lease, known).await);
        };
        let held = self
            .held(Entity::Teachers, std::slice::from_ref(&teacher))
            .await?;
        let Some(record) = held.get(&teacher) else {
            let on = WorkKey::new(Lane::Refresh(Entity::Teachers), teacher);
            return Ok(self.wait_for_parent(lease, on, "the teacher"));
        };
        match self.teacher_account(record).await {
            Ok(Some(user)) => Ok(self
                .seat_teacher(lease, known, Place { user, course })
                .await),
            Ok(None) => Ok(failure::stopped(lease, without_account(record, &teacher))),
            Err(error) => Ok(failure::result(&error, lease, self.clock.now())),
        }
    }

    /// Teachers are never created, only found: by username, then by e-mail.
    async fn teacher_account(
        &self,
        teacher: &StoredRecord,
    ) -> Result<Option<MoodleUserId>, LmsError> {
        let values = &teacher.values;
        for address in [values.text("academic_email"), values.text("email")]
            .into_iter()
            .flatten()
        {
            let username = moodle_username(address);
            if !username.is_empty() {
                let found = self.lms.users_by(UserKey::Username, &[username]).await?;
                if let [user] = found.as_slice() {
                    return Ok(Some(user.id));
                }
            }
            let found = self
                .lms
                .users_by(UserKey::Email, &[address.to_owned()])
                .await?;
            if let [user] = found.as_slice() {
                return Ok(Some(user.id));
            }
        }
        Ok(None)
    }

    async fn seat_teacher(&self, lease: Lease, known: Option<Known>, place: Place) -> WorkResult {
        let first = known.as_ref().is_some_and(|known| known.has_begun(place));
        if first {
            return match self.write_teacher(place, false).await {
                Ok(()) => confirmed(lease, &place.seat(false, true), "enrolled"),
                Err(error) => self.not_made(lease, &error),
            };
        }
        match self.bring_teacher(lease.clone(), known, place).await {
            Ok(result) => result,
            Err(error) => failure::result(&error, lease, self.clock.now()),
        }
    }

    /// The teacher before leaves (only an enrolment that is ours), the new one comes.
    async fn bring_teacher(
        &self,
        lease: Lease,
        known: Option<Known>,
        place: Place,
    ) -> Result<WorkResult, LmsError> {
        match self.certain(known).await? {
            Some(seat) if Place::of(&seat) == place && !seat.suspended => {
                return Ok(confirmed(lease, &seat, "unchanged"));
            }
            Some(before) if Place::of(&before) != place && before.ours && !before.suspended => {
                self.write_teacher(Place::of(&before), true).await?;
            }
            _ => {}
        }
        // Also one whom we suspended before is not found but begun again.
        let is_member = self
            .lms
            .enrolled_in(place.course)
            .await?
            .contains(&place.user);
        if is_member && self.takes_part(place).await? {
            return Ok(confirmed(lease, &place.seat(false, false), "found"));
        }
        Ok(begin(lease, place))
    }

    async fn no_teacher(&self, lease: Lease, known: Option<Known>) -> WorkResult {
        let outcome = async {
            let before = self.certain(known).await?;
            let Some(before) = before.filter(|seat| seat.ours && !seat.suspended) else {
                return Ok(None);
            };
            let place = Place::of(&before);
            self.write_teacher(place, true).await?;
            Ok::<_, LmsError>(Some(place))
        };
        match outcome.await {
            Ok(Some(place)) => confirmed(lease, &place.seat(true, true), "suspended"),
            Ok(None) => done(lease, Effects::default()),
            Err(error) => failure::result(&error, lease, self.clock.now()),
        }
    }

    async fn write_teacher(&self, place: Place, suspended: bool) -> Result<(), LmsError> {
        let Place { user, course } = place;
        let role = self.policy.teacher_role;
        let enrolment = Enrolment {
            user,
            course,
            role,
            suspended,
        };
        let outcomes = self.lms.enrol(&[enrolment]).await?;
        outcomes.into_iter().next().unwrap_or(Ok(()))
    }
}

fn without_account(teacher: &StoredRecord, id: &ZohoId) -> Issue {
    let name = teacher.values.text("name").unwrap_or("the teacher");
    let address = teacher
        .values
        .text("academic_email")
        .or_else(|| teacher.values.text("email"))
        .unwrap_or("no e-mail address");
    let message = format!("{name} ({id}, {address}) has no Moodle account.");
    Issue::new(IssueCode::TeacherWithoutAccount, message).about("teacher_zoho_id")
}
