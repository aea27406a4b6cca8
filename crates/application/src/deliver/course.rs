//! A class becomes a Moodle course once it is active.

use futures_util::{StreamExt, stream};
use mzi_domain::{
    Entity, Issue, IssueCode, MoodleCategoryId, MoodleCourseId, ZohoId,
    course::{
        ConfirmedCourse, CourseDecision, DesiredCourse, FoundCourse, FoundCourses, decide_course,
        shortname_taken, start_of_day,
    },
};
use mzi_ports::{
    LmsError, StoreError,
    ledger::{Effects, Lease, Link, LinkKind, WorkResult},
    lms::{CourseKey, CourseUpdate, NewCourse, refusal},
};

use super::{Deliver, DeliverError, PARALLEL, Task, confirmed, done, write_back};
use crate::failure;

type CourseTask = Task<DesiredCourse, ConfirmedCourse>;

impl Deliver {
    pub(super) async fn courses(
        &self,
        leases: Vec<Lease>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let tasks = self.tasks(leases).await?;
        let mut results = tasks.settled;
        let worked: Vec<Result<WorkResult, StoreError>> = stream::iter(tasks.open)
            .map(|task| self.course(task))
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        for result in worked {
            results.push(result?);
        }
        Ok(results)
    }

    async fn course(&self, task: CourseTask) -> Result<WorkResult, StoreError> {
        let category = self.category(task.desired.program.as_ref()).await?;
        let wanted = |course| self.wanted(course, &task.desired, category);
        let outcome = match &task.confirmed {
            Some(known) => self.update_course(known, wanted(known.course)).await,
            None => self.find_or_create_course(&task.desired, category).await,
        };
        Ok(match outcome {
            Ok(Some((course, word))) => course_settled(task.lease, &course, word),
            Ok(None) => done(task.lease, Effects::default()),
            Err(CourseFailure::Issue(issue)) => failure::stopped(task.lease, issue),
            Err(CourseFailure::Lms(error)) => {
                self.course_failure(task.lease, &task.desired, &error)
            }
        })
    }

    async fn find_or_create_course(
        &self,
        desired: &DesiredCourse,
        category: MoodleCategoryId,
    ) -> Result<Option<(ConfirmedCourse, &'static str)>, CourseFailure> {
        let found = self.found(desired).await?;
        match decide_course(desired, &found, &self.policy.courses).map_err(CourseFailure::Issue)? {
            CourseDecision::NotDue => Ok(None),
            CourseDecision::Ours(course) => {
                let wanted = self.wanted(course.id, desired, category);
                self.take_up(course, wanted, None).await
            }
            CourseDecision::Adopt(course) => {
                let wanted = self.wanted(course.id, desired, category);
                self.take_up(course, wanted, Some(desired.idnumber.clone()))
                    .await
            }
            CourseDecision::Create => {
                let new = NewCourse {
                    idnumber: desired.idnumber.clone(),
                    fullname: desired.fullname.clone(),
                    shortname: desired.shortname.clone(),
                    category,
                    starts_at: desired
                        .starts_on
                        .map(|day| start_of_day(day, self.policy.courses.zone)),
                };
                let course = self.lms.create_course(&new).await?;
                Ok(Some((self.wanted(course, desired, category), "created")))
            }
        }
    }

    /// A course that was there already gets the names of its class: it may have been made by an
    /// attempt whose end was not seen, and the class may have been renamed since.
    async fn take_up(
        &self,
        found: FoundCourse,
        wanted: ConfirmedCourse,
        idnumber: Option<String>,
    ) -> Result<Option<(ConfirmedCourse, &'static str)>, CourseFailure> {
        let known = ConfirmedCourse {
            fullname: found.fullname,
            shortname: found.shortname,
            ..wanted.clone()
        };
        let update = CourseUpdate {
            idnumber,
            ..differences(&known, &wanted)
        };
        if update != CourseUpdate::default() {
            self.lms.update_course(found.id, &update).await?;
        }
        Ok(Some((wanted, "linked")))
    }

    async fn found(&self, desired: &DesiredCourse) -> Result<FoundCourses, LmsError> {
        let by_idnumber = self
            .lms
            .courses_by(CourseKey::IdNumber, &desired.idnumber)
            .await?;
        if !by_idnumber.is_empty() {
            return Ok(FoundCourses {
                by_idnumber,
                ..FoundCourses::default()
            });
        }
        let claimed = match desired.claimed {
            Some(id) => self
                .lms
                .courses_by(CourseKey::Id, &id.to_string())
                .await?
                .pop(),
            None => None,
        };
        let by_shortname = if desired.due {
            self.lms
                .courses_by(CourseKey::ShortName, &desired.shortname)
                .await?
        } else {
            Vec::new()
        };
        Ok(FoundCourses {
            by_idnumber,
            by_shortname,
            claimed,
        })
    }

    async fn update_course(
        &self,
        known: &ConfirmedCourse,
        wanted: ConfirmedCourse,
    ) -> Result<Option<(ConfirmedCourse, &'static str)>, CourseFailure> {
        let update = differences(known, &wanted);
        if update == CourseUpdate::default() {
            return Ok(Some((wanted, "unchanged")));
        }
        self.lms.update_course(known.course, &update).await?;
        Ok(Some((wanted, "updated")))
    }

    /// The programme's category if Zoho names one, else the default.
    async fn category(&self, program: Option<&ZohoId>) -> Result<MoodleCategoryId, StoreError> {
        let default = self.policy.courses.default_category;
        let Some(program) = program else {
            return Ok(default);
        };
        let held = self
            .ledger
            .stored(Entity::Programs, std::slice::from_ref(program))
            .await?;
        let named = held
            .first()
            .and_then(|record| record.values.text("moodle_id"));
        Ok(named
            .and_then(|raw| MoodleCategoryId::parse(raw).ok())
            .unwrap_or(default))
    }

    fn wanted(
        &self,
        course: MoodleCourseId,
        desired: &DesiredCourse,
        category: MoodleCategoryId,
    ) -> ConfirmedCourse {
        ConfirmedCourse {
            course,
            fullname: desired.fullname.clone(),
            shortname: desired.shortname.clone(),
            category,
            starts_at: desired
                .starts_on
                .map(|day| start_of_day(day, self.policy.courses.zone)),
        }
    }

    fn course_failure(
        &self,
        lease: Lease,
        desired: &DesiredCourse,
        error: &LmsError,
    ) -> WorkResult {
        let issue = match error {
            LmsError::Rejected { code, .. } if code == refusal::SHORTNAME_TAKEN => {
                Some(shortname_taken(desired, None))
            }
            LmsError::Rejected { code, .. } if code == refusal::UNKNOWN_CATEGORY => {
                let message = format!("{}: the course category does not exist.", desired.fullname);
                Some(Issue::new(IssueCode::CategoryUnknown, message).about("moodle_id"))
            }
            _ => None,
        };
        match issue {
            Some(issue) => failure::stopped(lease, issue),
            None => failure::result(error, lease, self.clock.now()),
        }
    }
}

enum CourseFailure {
    Issue(Issue),
    Lms(LmsError),
}

impl From<LmsError> for CourseFailure {
    fn from(error: LmsError) -> Self {
        Self::Lms(error)
    }
}

/// Known: linked, announced to waiting seats, its teacher looked at, and written back to Zoho.
fn course_settled(lease: Lease, course: &ConfirmedCourse, outcome: &'static str) -> WorkResult {
    let key = lease.key.clone();
    let mut result = confirmed(lease, course, outcome);
    if result.effects.confirmed.is_some() {
        let moodle_id = course.course.get();
        let id = key.id.clone();
        result.effects.link = Some(Link {
            kind: LinkKind::Course,
            id: id.clone(),
            moodle_id,
        });
        result
            .effects
            .desired
            .extend(write_back::of(Entity::Classes, &id, moodle_id));
        result.effects.wakes.push(key);
    }
    result
}

fn differences(known: &ConfirmedCourse, wanted: &ConfirmedCourse) -> CourseUpdate {
    let text = |old: &String, new: &String| (old != new).then(|| new.clone());
    CourseUpdate {
        idnumber: None,
        fullname: text(&known.fullname, &wanted.fullname),
        shortname: text(&known.shortname, &wanted.shortname),
        category: (known.category != wanted.category).then_some(wanted.category),
        starts_at: wanted.starts_at.filter(|at| known.starts_at != Some(*at)),
    }
}
