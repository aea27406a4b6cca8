//! An enrolment becomes a seat in a Moodle course; a withdrawal suspends it.

use std::collections::HashMap;

use chrono::Duration;
use mzi_domain::{
    Entity, Issue, IssueCode, Lane, MoodleCourseId, StoredRecord, WorkKey, ZohoId,
    seat::{Access, ConfirmedSeat, DesiredSeat},
};
use mzi_ports::{
    LmsError, StoreError,
    ledger::{Effects, Lease, LinkKind, Verdict, WorkResult},
    lms::Enrolment,
};

use super::{
    Deliver, DeliverError, Task, account,
    beginning::Beginning,
    confirmed, done,
    ownership::{Known, Place},
    write_back,
};
use crate::failure;

/// How long a seat waits for a parent before a person is told.
const LONGEST_WAIT_HOURS: i64 = 24;

type SeatTask = Task<DesiredSeat, Known>;

/// What surrounds the seats of a batch.
struct Surroundings {
    users: HashMap<ZohoId, i64>,
    courses: HashMap<ZohoId, i64>,
    students: HashMap<ZohoId, StoredRecord>,
    classes: HashMap<ZohoId, StoredRecord>,
}

/// What one seat needs now.
enum Step {
    /// Nothing more: the claim is settled.
    Settled(Box<WorkResult>),
    /// Nothing is known of the place yet: whose it is must be found out first.
    Begin(Beginning),
    /// This enrolment must be written.
    Write(Write),
}

struct Write {
    lease: Lease,
    place: Place,
    suspended: bool,
    /// Whether this is the first write of a beginning.
    first: bool,
}

impl Deliver {
    pub(super) async fn seats(&self, leases: Vec<Lease>) -> Result<Vec<WorkResult>, DeliverError> {
        let tasks = self.tasks(leases).await?;
        let mut results = tasks.settled;
        let around = self.surroundings(&tasks.open).await?;
        let (mut beginnings, mut writes) = (Vec::new(), Vec::new());
        for task in tasks.open {
            match self.step(task, &around).await? {
                Step::Settled(result) => results.push(*result),
                Step::Begin(beginning) => beginnings.push(beginning),
                Step::Write(write) => writes.push(write),
            }
        }
        results.extend(self.begin_seats(beginnings).await?);
        results.extend(self.write_seats(writes).await?);
        Ok(results)
    }

    async fn surroundings(&self, tasks: &[SeatTask]) -> Result<Surroundings, StoreError> {
        let students: Vec<ZohoId> = tasks
            .iter()
            .map(|task| task.desired.student.clone())
            .collect();
        let classes: Vec<ZohoId> = tasks
            .iter()
            .map(|task| task.desired.class.clone())
            .collect();
        Ok(Surroundings {
            users: self.linked(LinkKind::User, &students).await?,
            courses: self.linked(LinkKind::Course, &classes).await?,
            students: self.held(Entity::Students, &students).await?,
            classes: self.held(Entity::Classes, &classes).await?,
        })
    }

    async fn step(&self, task: SeatTask, around: &Surroundings) -> Result<Step, DeliverError> {
        let Task {
            lease,
            desired,
            confirmed: known,
        } = task;
        let today = self
            .clock
            .now()
            .with_timezone(&self.policy.courses.zone)
            .date_naive();
        let class = around.classes.get(&desired.class);
        let access = class.map_or(desired.access, |class| {
            desired.effective(&class.values, today)
        });
        match access {
            Access::Leave => Ok(Step::settled(left(lease, known))),
            Access::Suspend => {
                let known = self.certain(known).await?;
                self.suspend(lease, &desired, known).await
            }
            Access::Enrol => self.enrol(lease, desired, known, around).await,
        }
    }

    async fn enrol(
        &self,
        lease: Lease,
        desired: DesiredSeat,
        known: Option<Known>,
        around: &Surroundings,
    ) -> Result<Step, DeliverError> {
        let Some(place) = around.place(&desired) else {
            return Ok(Step::settled(self.wait(lease, &desired, around)));
        };
        if known.as_ref().is_some_and(|known| known.has_begun(place)) {
            return Ok(Step::Write(Write {
                lease,
                place,
                suspended: false,
                first: true,
            }));
        }
        Ok(match self.certain(known).await? {
            Some(seat) if Place::of(&seat) == place && !seat.suspended => {
                Step::settled(seated(lease, &seat, "unchanged"))
            }
            Some(seat) if Place::of(&seat) == place && seat.ours => Step::Write(Write {
                lease,
                place,
                suspended: false,
                first: false,
            }),
            before => Step::Begin(Beginning {
                lease,
                desired,
                place,
                before,
            }),
        })
    }

    /// Only an enrolment that is ours is suspended, and only if no other enrolment record gives
    /// the same student the same class.
    async fn suspend(
        &self,
        lease: Lease,
        desired: &DesiredSeat,
        known: Option<ConfirmedSeat>,
    ) -> Result<Step, DeliverError> {
        let Some(known) = known else {
            return Ok(Step::settled(done(lease, Effects::default())));
        };
        if known.suspended {
            return Ok(Step::settled(confirmed(lease, &known, "unchanged")));
        }
        if self
            .is_held_by_another(&lease.key.id, desired, &known)
            .await?
        {
            return Ok(Step::settled(left(lease, Some(Known::Seat(known)))));
        }
        if !known.ours {
            let message = format!(
                "User {} was enrolled in course {} before the bridge; the withdrawal is not applied.",
                known.user, known.course
            );
            let issue = Issue::new(IssueCode::SeatNotOurs, message);
            return Ok(Step::settled(failure::stopped(lease, issue)));
        }
        let place = Place::of(&known);
        Ok(Step::Write(Write {
            lease,
            place,
            suspended: true,
            first: false,
        }))
    }

    /// The parent that is missing decides what is waited for, and for how long.
    fn wait(&self, lease: Lease, desired: &DesiredSeat, around: &Surroundings) -> WorkResult {
        let student = around.students.get(&desired.student);
        let class = around.classes.get(&desired.class);
        let gone = |record: Option<&StoredRecord>| {
            record.is_some_and(|record| record.deleted_at.is_some())
        };
        let (on, what) = if student.is_none() || gone(student) {
            (
                WorkKey::new(Lane::Refresh(Entity::Students), desired.student.clone()),
                "the student",
            )
        } else if class.is_none() || gone(class) {
            (
                WorkKey::new(Lane::Refresh(Entity::Classes), desired.class.clone()),
                "the class",
            )
        } else if !around.users.contains_key(&desired.student) {
            (
                WorkKey::new(account::LANE, desired.student.clone()),
                "the student's Moodle account",
            )
        } else {
            let on = WorkKey::new(Lane::Course, desired.class.clone());
            let reason = "waits for the class's Moodle course".to_owned();
            let verdict = Verdict::Wait {
                on,
                reason,
                until: None,
            };
            return WorkResult {
                lease,
                verdict,
                effects: Effects::default(),
            };
        };
        self.wait_for_parent(lease, on, what)
    }

    /// Waits a day for a parent, then tells a person; a wake revives it even then.
    pub(super) fn wait_for_parent(&self, lease: Lease, on: WorkKey, what: &str) -> WorkResult {
        let now = self.clock.now();
        let longest = Duration::hours(LONGEST_WAIT_HOURS);
        let since = lease.waiting_since.unwrap_or(now);
        let verdict = if now - since >= longest {
            let message = format!("Waited a day for {what} ({}).", on.id);
            Verdict::Stopped {
                issue: Issue::new(IssueCode::ParentMissing, message),
                on: Some(on),
            }
        } else {
            Verdict::Wait {
                on,
                reason: format!("waits for {what}"),
                until: Some(since + longest),
            }
        };
        WorkResult {
            lease,
            verdict,
            effects: Effects::default(),
        }
    }

    async fn write_seats(&self, writes: Vec<Write>) -> Result<Vec<WorkResult>, LmsError> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let enrolments: Vec<Enrolment> = writes
            .iter()
            .map(|write| self.enrolment(write.place, write.suspended))
            .collect();
        let outcomes = self.lms.enrol(&enrolments).await?;
        let written = writes.into_iter().zip(outcomes);
        Ok(written
            .map(|(write, outcome)| self.written(write, outcome))
            .collect())
    }

    pub(super) fn enrolment(&self, place: Place, suspended: bool) -> Enrolment {
        let Place { user, course } = place;
        Enrolment {
            user,
            course,
            role: self.policy.student_role,
            suspended,
        }
    }

    fn written(&self, write: Write, outcome: Result<(), LmsError>) -> WorkResult {
        let Write {
            lease,
            place,
            suspended,
            first,
        } = write;
        match outcome {
            Ok(()) => {
                let word = if suspended { "suspended" } else { "enrolled" };
                seated(lease, &place.seat(suspended, true), word)
            }
            Err(error) if first => self.not_made(lease, &error),
            Err(error) => failure::result(&error, lease, self.clock.now()),
        }
    }
}

impl Step {
    fn settled(result: WorkResult) -> Self {
        Self::Settled(Box::new(result))
    }
}

impl Surroundings {
    /// Where a seat is to be, once both its student and its class are in Moodle.
    fn place(&self, desired: &DesiredSeat) -> Option<Place> {
        let user = self
            .users
            .get(&desired.student)
            .copied()
            .and_then(account::user_of)?;
        let course = MoodleCourseId::new(*self.courses.get(&desired.class)?).ok()?;
        Some(Place { user, course })
    }
}

/// Known, and written back to Zoho.
pub(super) fn seated(lease: Lease, seat: &ConfirmedSeat, outcome: &'static str) -> WorkResult {
    let id = lease.key.id.clone();
    let mut result = confirmed(lease, seat, outcome);
    if !seat.suspended {
        let back = write_back::of(Entity::Enrollments, &id, seat.course.get());
        result.effects.desired.extend(back);
    }
    result
}

/// Left as it is; what is known stays known.
fn left(lease: Lease, known: Option<Known>) -> WorkResult {
    match known {
        Some(known) => confirmed(lease, &known, "left"),
        None => done(lease, Effects::default()),
    }
}
