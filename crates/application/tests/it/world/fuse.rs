//! A fuse through which every port call of the worker goes, so that any one of them can go wrong.
//!
//! The fakes can fail the next call of a verb; enumerating crashes needs "the n-th call, whichever
//! it is", across all ports, and "nothing after it", which is what the end of a process is.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{
    CrmRecord, Entity, Issue, Lane, MoodleCourseId, MoodleUserId, RecordChange, StoredRecord,
    WorkKey, ZohoId, account::Candidate, course::FoundCourse,
};
use mzi_ports::{
    Crm, CrmError, Ledger, Lms, LmsError, StoreError,
    crm::{
        Channel, ChannelRequest, CrmField, CrmModule, DeletedPage, Organisation, Page, PageRequest,
        Reading, RecordWrite, WriteMode, WriteReceipt,
    },
    ledger::{Claim, Committed, Due, Lease, Link, LinkKind, State, WorkResult},
    lms::{
        Category, CourseKey, CourseUpdate, Enrolment, NewCourse, NewUser, Site, UserKey, UserUpdate,
    },
    testing::{fake_crm::FakeCrm, fake_lms::FakeLms, memory_store::MemoryStore},
};

/// How the chosen call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It fails without effect.
    Fails,
    /// It takes effect and its answer is lost.
    LosesItsAnswer,
    /// The process ends just before it.
    DiesBefore,
    /// The process ends just after its effect.
    DiesAfter,
}

impl Mishap {
    pub const ALL: [Self; 4] = [
        Self::Fails,
        Self::LosesItsAnswer,
        Self::DiesBefore,
        Self::DiesAfter,
    ];

    fn spares_the_effect(self) -> bool {
        matches!(self, Self::LosesItsAnswer | Self::DiesAfter)
    }

    fn is_deadly(self) -> bool {
        matches!(self, Self::DiesBefore | Self::DiesAfter)
    }
}

/// Counts the calls, strikes at the chosen one, and keeps what was written.
#[derive(Default)]
pub struct Fuse(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    calls: usize,
    armed: Option<(usize, Mishap)>,
    dead: bool,
    written: Vec<RecordChange>,
    enrolled: Vec<Enrolment>,
    hidden: BTreeSet<ZohoId>,
}

/// What is to happen to one call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strike {
    No,
    Before,
    After,
}

impl Fuse {
    /// The call with this number, from 0 and counted from now, goes wrong.
    pub fn arm(&self, at: usize, mishap: Mishap) {
        let mut inner = self.inner();
        inner.calls = 0;
        inner.armed = Some((at, mishap));
    }

    /// Nothing goes wrong any more, and a dead process may be followed by a new one.
    pub fn disarm(&self) {
        let mut inner = self.inner();
        inner.armed = None;
        inner.dead = false;
    }

    /// Whether the chosen call was made.
    pub fn has_struck(&self) -> bool {
        let inner = self.inner();
        inner.armed.is_some_and(|(at, _)| inner.calls > at)
    }

    /// Whether the process has ended.
    pub fn is_dead(&self) -> bool {
        self.inner().dead
    }

    /// Every record change that was written, oldest first.
    pub fn written(&self) -> Vec<RecordChange> {
        self.inner().written.clone()
    }

    /// Every enrolment Moodle was asked for, oldest first.
    pub fn enrolled(&self) -> Vec<Enrolment> {
        self.inner().enrolled.clone()
    }

    /// Zoho no longer shows this record, and says nothing about why.
    pub fn hide(&self, id: ZohoId) {
        self.inner().hidden.insert(id);
    }

    /// Zoho shows this record again.
    pub fn show(&self, id: &ZohoId) {
        self.inner().hidden.remove(id);
    }

    fn strike(&self) -> Strike {
        let mut inner = self.inner();
        if inner.dead {
            return Strike::Before;
        }
        let call = inner.calls;
        inner.calls += 1;
        match inner.armed {
            Some((at, mishap)) if at == call => {
                inner.dead = mishap.is_deadly();
                if mishap.spares_the_effect() {
                    Strike::After
                } else {
                    Strike::Before
                }
            }
            _ => Strike::No,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A port behind the fuse.
pub struct Fused<P> {
    pub port: P,
    pub fuse: Arc<Fuse>,
}

impl<P> Fused<P> {
    pub fn new(port: P, fuse: &Arc<Fuse>) -> Arc<Self> {
        let fuse = Arc::clone(fuse);
        Arc::new(Self { port, fuse })
    }
}

/// Implements a port by its fake, each method through the fuse.
macro_rules! fused {
    ($port:ident for $fake:ty, $error:ty, $refused:expr, $lost:expr;
     $(fn $method:ident($($argument:ident: $kind:ty),*) -> $answer:ty
         $(=> $note:ident($noted:ident))?;)*) => {
        #[async_trait]
        impl $port for Fused<$fake> {
            $(async fn $method(&self, $($argument: $kind),*) -> Result<$answer, $error> {
                let strike = self.fuse.strike();
                if strike == Strike::Before {
                    return Err($refused);
                }
                let answer = $port::$method(&*self.port, $($argument),*).await;
                $(let answer = $note(&self.fuse, answer, $noted);)?
                if strike == Strike::After { Err($lost) } else { answer }
            })*
        }
    };
}

fused! {
    Crm for Arc<FakeCrm>, CrmError,
    CrmError::Unavailable { reason: "the fuse".into() },
    CrmError::UnknownOutcome { reason: "the fuse".into() };
    fn organisation() -> Organisation;
    fn modules() -> Vec<CrmModule>;
    fn fields(module: &str) -> Vec<CrmField>;
    fn records(module: &str, fields: &[String], ids: &[ZohoId]) -> Reading
        => hide_many(ids);
    fn record(module: &str, fields: &[String], id: &ZohoId) -> Option<CrmRecord>
        => hide_one(id);
    fn page(request: &PageRequest) -> Page;
    fn deleted(module: &str, since: Option<DateTime<Utc>>, page: u32) -> DeletedPage;
    fn write(module: &str, mode: &WriteMode, records: &[RecordWrite])
        -> Vec<Result<WriteReceipt, CrmError>>;
    fn channels() -> Vec<Channel>;
    fn subscribe(request: &ChannelRequest) -> Channel;
    fn unsubscribe(channel_ids: &[String]) -> ();
}

fused! {
    Lms for Arc<FakeLms>, LmsError,
    LmsError::Unavailable { reason: "the fuse".into() },
    LmsError::UnknownOutcome { reason: "the fuse".into() };
    fn site() -> Site;
    fn users_by(key: UserKey, values: &[String]) -> Vec<Candidate>;
    fn create_user(user: &NewUser) -> MoodleUserId;
    fn update_users(updates: &[UserUpdate]) -> Vec<Result<(), LmsError>>;
    fn courses_by(key: CourseKey, value: &str) -> Vec<FoundCourse>;
    fn create_course(course: &NewCourse) -> MoodleCourseId;
    fn update_course(id: MoodleCourseId, update: &CourseUpdate) -> ();
    fn categories() -> Vec<Category>;
    fn enrol(enrolments: &[Enrolment]) -> Vec<Result<(), LmsError>>
        => note_enrolled(enrolments);
    fn enrolled_in(course: MoodleCourseId) -> Vec<MoodleUserId>;
    fn courses_of(user: MoodleUserId) -> Vec<MoodleCourseId>;
}

fused! {
    Ledger for Box<MemoryStore>, StoreError,
    StoreError::Unavailable { reason: "the fuse".into() },
    StoreError::Unavailable { reason: "the fuse".into() };
    fn claim(claim: &Claim) -> Vec<Lease>;
    fn due(lanes: &[Lane], now: DateTime<Utc>) -> Due;
    fn heartbeat(leases: &[Lease], until: DateTime<Utc>) -> ();
    fn recover(owner: &str, now: DateTime<Utc>) -> usize;
    fn commit(results: &[WorkResult], now: DateTime<Utc>) -> Vec<Committed>
        => note_written(results);
    fn mark(keys: &[WorkKey], now: DateTime<Utc>) -> ();
    fn stored(entity: Entity, ids: &[ZohoId]) -> Vec<StoredRecord>;
    fn children(entity: Entity, column: &'static str, parent: &ZohoId) -> Vec<ZohoId>;
    fn states(keys: &[WorkKey]) -> Vec<State>;
    fn links(kind: LinkKind, ids: &[ZohoId]) -> Vec<Link>;
    fn connection_issue(subject: &str, issue: Option<&Issue>, now: DateTime<Utc>) -> ();
}

type Each<T, E> = Result<Vec<T>, E>;

fn note_written(
    fuse: &Fuse,
    answer: Each<Committed, StoreError>,
    results: &[WorkResult],
) -> Each<Committed, StoreError> {
    let outcomes = answer.iter().flatten();
    let written = results
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| **outcome == Committed::Written)
        .filter_map(|(result, _)| result.effects.record.clone());
    fuse.inner().written.extend(written);
    answer
}

fn note_enrolled(
    fuse: &Fuse,
    answer: Each<Result<(), LmsError>, LmsError>,
    enrolments: &[Enrolment],
) -> Each<Result<(), LmsError>, LmsError> {
    fuse.inner().enrolled.extend(enrolments);
    answer
}

fn hide_many(
    fuse: &Fuse,
    answer: Result<Reading, CrmError>,
    _asked: &[ZohoId],
) -> Result<Reading, CrmError> {
    answer.map(|mut reading| {
        let inner = fuse.inner();
        reading
            .records
            .retain(|record| !inner.hidden.contains(&record.id));
        reading
    })
}

fn hide_one(
    fuse: &Fuse,
    answer: Result<Option<CrmRecord>, CrmError>,
    asked: &ZohoId,
) -> Result<Option<CrmRecord>, CrmError> {
    answer.map(|record| record.filter(|_| !fuse.inner().hidden.contains(asked)))
}
