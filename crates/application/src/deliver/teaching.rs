//! A class's teacher is enrolled as editing teacher when they have an account.

use futures_util::{StreamExt, stream};
use mzi_domain::{
    Entity, Issue, IssueCode, Lane, MoodleCourseId, MoodleUserId, StoredRecord, WorkKey, ZohoId,
    account::moodle_username,
    seat::{ConfirmedSeat, DesiredTeaching},
};
use mzi_ports::{
    LmsError,
    ledger::{Effects, Lease, LinkKind, Verdict, WorkResult},
    lms::{Enrolment, UserKey},
};

use super::{Deliver, DeliverError, PARALLEL, Task, confirmed, done};
use crate::failure;

type TeachingTask = Task<DesiredTeaching, ConfirmedSeat>;

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
            Ok(Some(user)) => Ok(self.seat_teacher(lease, known, user, course).await),
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

    async fn seat_teacher(
        &self,
        lease: Lease,
        known: Option<ConfirmedSeat>,
        user: MoodleUserId,
        course: MoodleCourseId,
    ) -> WorkResult {
        if let Some(known) = &known
            && known.user == user
            && known.course == course
            && !known.suspended
        {
            return confirmed(lease, known, "unchanged");
        }
        match self.move_teacher(known, user, course, lease.fence).await {
            Ok((seat, word)) => confirmed(lease, &seat, word),
            Err(error) => failure::result(&error, lease, self.clock.now()),
        }
    }

    /// The teacher before leaves (only an enrolment that is ours), the new one comes.
    async fn move_teacher(
        &self,
        known: Option<ConfirmedSeat>,
        user: MoodleUserId,
        course: MoodleCourseId,
        fence: i64,
    ) -> Result<(ConfirmedSeat, &'static str), LmsError> {
        if let Some(before) = known.filter(|seat| seat.ours && !seat.suspended) {
            self.write_teacher(before.user, before.course, true).await?;
        }
        let first = fence <= 1;
        if first && self.lms.enrolled_in(course).await?.contains(&user) {
            return Ok((
                ConfirmedSeat {
                    user,
                    course,
                    suspended: false,
                    ours: false,
                },
                "found",
            ));
        }
        self.write_teacher(user, course, false).await?;
        Ok((
            ConfirmedSeat {
                user,
                course,
                suspended: false,
                ours: true,
            },
            "enrolled",
        ))
    }

    async fn no_teacher(&self, lease: Lease, known: Option<ConfirmedSeat>) -> WorkResult {
        let Some(before) = known.filter(|seat| seat.ours && !seat.suspended) else {
            return done(lease, Effects::default());
        };
        match self.write_teacher(before.user, before.course, true).await {
            Ok(()) => confirmed(
                lease,
                &ConfirmedSeat {
                    suspended: true,
                    ..before
                },
                "suspended",
            ),
            Err(error) => failure::result(&error, lease, self.clock.now()),
        }
    }

    async fn write_teacher(
        &self,
        user: MoodleUserId,
        course: MoodleCourseId,
        suspended: bool,
    ) -> Result<(), LmsError> {
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
