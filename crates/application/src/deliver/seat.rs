//! An enrolment becomes a seat in a Moodle course; a withdrawal suspends it.

use std::collections::{HashMap, HashSet};

use chrono::Duration;
use mzi_domain::{
    Entity, Issue, IssueCode, Lane, MoodleCourseId, MoodleUserId, StoredRecord, WorkKey, ZohoId,
    seat::{Access, ConfirmedSeat, DesiredSeat},
};
use mzi_ports::{
    LmsError, StoreError,
    ledger::{Effects, Lease, LinkKind, Verdict, WorkResult},
    lms::Enrolment,
};

use super::{Deliver, DeliverError, Task, account, confirmed, done, write_back};
use crate::failure;

/// How long a seat waits for a parent before a person is told.
const LONGEST_WAIT_HOURS: i64 = 24;

type SeatTask = Task<DesiredSeat, ConfirmedSeat>;

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
    /// This enrolment must be written.
    Write(Write),
}

struct Write {
    lease: Lease,
    user: MoodleUserId,
    course: MoodleCourseId,
    suspended: bool,
    /// What was known before.
    known: Option<ConfirmedSeat>,
}

impl Deliver {
    pub(super) async fn seats(&self, leases: Vec<Lease>) -> Result<Vec<WorkResult>, DeliverError> {
        let tasks = self.tasks(leases).await?;
        let mut results = tasks.settled;
        let around = self.surroundings(&tasks.open).await?;
        let mut writes = Vec::new();
        for task in tasks.open {
            match self.step(task, &around).await? {
                Step::Settled(result) => results.push(*result),
                Step::Write(write) => writes.push(write),
            }
        }
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

    async fn step(&self, task: SeatTask, around: &Surroundings) -> Result<Step, StoreError> {
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
            Access::Leave => Ok(settled(left(lease, known))),
            Access::Suspend => self.suspend(lease, &desired, known).await,
            Access::Enrol => Ok(self.enrol_step(lease, &desired, known, around)),
        }
    }

    fn enrol_step(
        &self,
        lease: Lease,
        desired: &DesiredSeat,
        known: Option<ConfirmedSeat>,
        around: &Surroundings,
    ) -> Step {
        let user = around
            .users
            .get(&desired.student)
            .copied()
            .and_then(account::user_of);
        let course = around
            .courses
            .get(&desired.class)
            .and_then(|id| MoodleCourseId::new(*id).ok());
        let (Some(user), Some(course)) = (user, course) else {
            return settled(self.wait(lease, desired, around));
        };
        match known {
            Some(known) if known.user == user && known.course == course && !known.suspended => {
                settled(seated(lease, &known, "unchanged"))
            }
            known => Step::Write(Write {
                lease,
                user,
                course,
                suspended: false,
                known,
            }),
        }
    }

    /// Only an enrolment that is ours is suspended, and only if no other enrolment record gives
    /// the same student the same class.
    async fn suspend(
        &self,
        lease: Lease,
        desired: &DesiredSeat,
        known: Option<ConfirmedSeat>,
    ) -> Result<Step, StoreError> {
        let Some(known) = known else {
            return Ok(settled(done(lease, Effects::default())));
        };
        if known.suspended {
            return Ok(settled(confirmed(lease, &known, "unchanged")));
        }
        if self.is_held_by_another(&lease.key.id, desired).await? {
            return Ok(settled(left(lease, Some(known))));
        }
        if !known.ours {
            let message = format!(
                "User {} was enrolled in course {} before the bridge; the withdrawal is not applied.",
                known.user, known.course
            );
            let issue = Issue::new(IssueCode::SeatNotOurs, message);
            return Ok(settled(failure::stopped(lease, issue)));
        }
        let (user, course) = (known.user, known.course);
        Ok(Step::Write(Write {
            lease,
            user,
            course,
            suspended: true,
            known: Some(known),
        }))
    }

    async fn is_held_by_another(
        &self,
        own: &ZohoId,
        desired: &DesiredSeat,
    ) -> Result<bool, StoreError> {
        let column = "student_zoho_id";
        let mut others = self
            .ledger
            .children(Entity::Enrollments, column, &desired.student)
            .await?;
        others.retain(|id| id != own);
        let others = self.ledger.stored(Entity::Enrollments, &others).await?;
        Ok(others
            .iter()
            .filter(|record| record.deleted_at.is_none())
            .any(|record| {
                DesiredSeat::plan(&record.values, false)
                    .is_ok_and(|seat| seat.class == desired.class && seat.access == Access::Enrol)
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

    async fn write_seats(&self, writes: Vec<Write>) -> Result<Vec<WorkResult>, DeliverError> {
        let mut results = Vec::new();
        let members = self.members_before(&writes).await?;
        let mut pending = Vec::new();
        for write in writes {
            match found_before(&write, &members) {
                Some(seat) => results.push(seated(write.lease, &seat, "found")),
                None => pending.push(write),
            }
        }
        if pending.is_empty() {
            return Ok(results);
        }
        let moved = self.release_moved(&pending).await?;
        let enrolments: Vec<Enrolment> =
            pending.iter().map(|write| self.enrolment(write)).collect();
        let outcomes = self.lms.enrol(&enrolments).await?;
        for (write, outcome) in pending.into_iter().zip(outcomes) {
            let outcome = match moved.get(&write.lease.key.id) {
                Some(error) => Err(error.clone()),
                None => outcome,
            };
            results.push(self.written(write, outcome));
        }
        Ok(results)
    }

    /// Who was in each course before our first attempt: their enrolments are not ours.
    async fn members_before(
        &self,
        writes: &[Write],
    ) -> Result<HashMap<MoodleCourseId, HashSet<MoodleUserId>>, LmsError> {
        let courses: HashSet<MoodleCourseId> = writes
            .iter()
            .filter(|write| is_first_attempt(write))
            .map(|write| write.course)
            .collect();
        let mut members = HashMap::new();
        for course in courses {
            members.insert(
                course,
                self.lms.enrolled_in(course).await?.into_iter().collect(),
            );
        }
        Ok(members)
    }

    /// A seat that moved to another user or course leaves its old place first.
    async fn release_moved(
        &self,
        writes: &[Write],
    ) -> Result<HashMap<ZohoId, LmsError>, DeliverError> {
        let moved: Vec<(ZohoId, Enrolment)> = writes
            .iter()
            .filter_map(|write| {
                let known = write.known.as_ref()?;
                let elsewhere = known.user != write.user || known.course != write.course;
                let leave = elsewhere && known.ours && !known.suspended;
                leave.then(|| {
                    (
                        write.lease.key.id.clone(),
                        Enrolment {
                            user: known.user,
                            course: known.course,
                            role: self.policy.student_role,
                            suspended: true,
                        },
                    )
                })
            })
            .collect();
        if moved.is_empty() {
            return Ok(HashMap::new());
        }
        let enrolments: Vec<Enrolment> = moved.iter().map(|(_, enrolment)| *enrolment).collect();
        let outcomes = self.lms.enrol(&enrolments).await?;
        Ok(moved
            .into_iter()
            .zip(outcomes)
            .filter_map(|((id, _), outcome)| outcome.err().map(|error| (id, error)))
            .collect())
    }

    fn enrolment(&self, write: &Write) -> Enrolment {
        Enrolment {
            user: write.user,
            course: write.course,
            role: self.policy.student_role,
            suspended: write.suspended,
        }
    }

    fn written(&self, write: Write, outcome: Result<(), LmsError>) -> WorkResult {
        match outcome {
            Ok(()) => {
                let Write {
                    user,
                    course,
                    suspended,
                    ..
                } = write;
                let seat = ConfirmedSeat {
                    user,
                    course,
                    suspended,
                    ours: true,
                };
                seated(
                    write.lease,
                    &seat,
                    if suspended { "suspended" } else { "enrolled" },
                )
            }
            Err(error) => failure::result(&error, write.lease, self.clock.now()),
        }
    }
}

fn settled(result: WorkResult) -> Step {
    Step::Settled(Box::new(result))
}

fn is_first_attempt(write: &Write) -> bool {
    !write.suspended && write.known.is_none() && write.lease.fence <= 1
}

fn found_before(
    write: &Write,
    members: &HashMap<MoodleCourseId, HashSet<MoodleUserId>>,
) -> Option<ConfirmedSeat> {
    let was_there = is_first_attempt(write)
        && members
            .get(&write.course)
            .is_some_and(|users| users.contains(&write.user));
    was_there.then_some(ConfirmedSeat {
        user: write.user,
        course: write.course,
        suspended: false,
        ours: false,
    })
}

/// Known, and written back to Zoho.
fn seated(lease: Lease, seat: &ConfirmedSeat, outcome: &'static str) -> WorkResult {
    let id = lease.key.id.clone();
    let mut result = confirmed(lease, seat, outcome);
    if !seat.suspended {
        let back = write_back::of(Entity::Enrollments, &id, seat.course.get());
        result.effects.desired.extend(back);
    }
    result
}

/// Left as it is; what is known stays known.
fn left(lease: Lease, known: Option<ConfirmedSeat>) -> WorkResult {
    match known {
        Some(known) => confirmed(lease, &known, "left"),
        None => done(lease, Effects::default()),
    }
}
