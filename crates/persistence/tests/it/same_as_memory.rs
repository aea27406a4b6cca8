//! The store in memory and the one on SQLite answer the same, whatever is asked of them.
//!
//! The contract tests state promises one by one; here random sequences of calls look for
//! differences where promises meet. The seeds are fixed, so a failure comes back.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mzi_domain::{
    Entity, Issue, IssueCode, Lane, Operation, Provenance, Value, WorkKey, ZohoId,
    record::{ChangeKind, RecordChange, content_hash},
};
use mzi_persistence::SqlStore;
use mzi_ports::{
    Inbox, Ledger, Views,
    inbox::NewEvent,
    ledger::{
        Claim, ConfirmedState, DesiredState, Effects, Lease, Link, LinkKind, Verdict, WorkResult,
    },
    testing::{
        memory_store::MemoryStore,
        store_contract::samples::{noon, texts, zoho_id},
    },
    views::{IssueFilter, IssueView},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::support::{OnUrl, sqlite_in};

const LANES: [Lane; 5] = [
    Lane::Refresh(Entity::Students),
    Lane::Refresh(Entity::Classes),
    Lane::Account,
    Lane::Course,
    Lane::Seat,
];
const STEPS: usize = 250;

struct Pair {
    memory: MemoryStore,
    sql: SqlStore,
    chance: StdRng,
    now: DateTime<Utc>,
    /// Leases that may still hold, and some that do not.
    leases: Vec<Lease>,
    events: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_sqlite_agree_on_random_sequences() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let subject = OnUrl::open(sqlite_in(&folder).0, ());
        let mut pair = Pair {
            memory: MemoryStore::new(),
            sql: subject.store.clone().unwrap(),
            chance: StdRng::seed_from_u64(seed),
            now: noon(),
            leases: Vec::new(),
            events: 0,
        };
        for step in 0..STEPS {
            pair.step(&format!("seed {seed}, step {step}")).await;
        }
    }
}

impl Pair {
    async fn step(&mut self, place: &str) {
        self.now += TimeDelta::seconds(self.chance.random_range(0..40));
        match self.chance.random_range(0..10) {
            0..=2 => self.accept(place).await,
            3 => self.mark(place).await,
            4..=5 => self.claim(place).await,
            6..=8 => self.commit(place).await,
            _ => self.recover(place).await,
        }
        self.compare(place).await;
    }

    async fn accept(&mut self, place: &str) {
        self.events += 1;
        let operation = [Operation::Update, Operation::Delete][self.chance.random_range(0..2)];
        let name = format!("n{}", self.chance.random_range(0..30));
        let provenance = match self.chance.random_range(0..4) {
            0 => Provenance::Sender(name),
            1 => Provenance::ModifiedTime(name),
            _ => Provenance::None,
        };
        let first = self.chance.random_range(1..6);
        let several = self.chance.random_bool(0.2);
        let event = NewEvent {
            id: format!("e{}", self.events),
            entity: [Entity::Students, Entity::Classes][self.chance.random_range(0..2)],
            module: None,
            operation,
            provenance,
            records: (first..=first + u64::from(several)).map(zoho_id).collect(),
            payload: "{}".into(),
            received_at: self.now,
        };
        let answers = (
            self.memory.accept(&event).await,
            self.sql.accept(&event).await,
        );
        assert_eq!(answers.0, answers.1, "accept, {place}");
    }

    async fn mark(&mut self, place: &str) {
        let keys = [self.key(), self.key()];
        let answers = (
            self.memory.mark(&keys, self.now).await,
            self.sql.mark(&keys, self.now).await,
        );
        assert_eq!(answers.0, answers.1, "mark, {place}");
    }

    async fn claim(&mut self, place: &str) {
        let claim = Claim {
            lane: LANES[self.chance.random_range(0..LANES.len())],
            limit: 100,
            owner: "worker".into(),
            now: self.now,
            lease_for: Duration::from_secs(90),
        };
        let mut memory = self.memory.claim(&claim).await.unwrap();
        let mut sql = self.sql.claim(&claim).await.unwrap();
        memory.sort_by(|left, right| left.key.cmp(&right.key));
        sql.sort_by(|left, right| left.key.cmp(&right.key));
        assert_eq!(memory, sql, "claim, {place}");
        self.leases.extend(memory);
    }

    async fn commit(&mut self, place: &str) {
        let count = self.chance.random_range(1..4).min(self.leases.len());
        let results: Vec<WorkResult> = (0..count)
            .map(|_| {
                let at = self.chance.random_range(0..self.leases.len());
                // Now and then a lease is used twice.
                let lease = if self.chance.random_bool(0.1) {
                    self.leases[at].clone()
                } else {
                    self.leases.swap_remove(at)
                };
                WorkResult {
                    verdict: self.verdict(),
                    effects: self.effects(&lease),
                    lease,
                }
            })
            .collect();
        let answers = (
            self.memory.commit(&results, self.now).await,
            self.sql.commit(&results, self.now).await,
        );
        assert_eq!(answers.0, answers.1, "commit {results:#?}, {place}");
    }

    async fn recover(&mut self, place: &str) {
        let answers = (
            self.memory.recover("worker", self.now).await,
            self.sql.recover("worker", self.now).await,
        );
        assert_eq!(answers.0, answers.1, "recover, {place}");
    }

    async fn compare(&mut self, place: &str) {
        let due = (
            self.memory.due(&LANES, self.now).await,
            self.sql.due(&LANES, self.now).await,
        );
        assert_eq!(due.0, due.1, "due, {place}");
        let queue = (self.memory.queue().await, self.sql.queue().await);
        assert_eq!(queue.0, queue.1, "queue, {place}");
        let keys = [self.key(), self.key(), self.key()];
        let states = (
            self.memory.states(&keys).await,
            self.sql.states(&keys).await,
        );
        assert_eq!(states.0, states.1, "states, {place}");
        let issues = (issues_of(&self.memory).await, issues_of(&self.sql).await);
        assert_eq!(issues.0, issues.1, "issues, {place}");
        for user in 1..4 {
            let user = mzi_domain::MoodleUserId::new(user).unwrap();
            let memory = self.memory.student_of(user).await.unwrap();
            let sql = self.sql.student_of(user).await.unwrap();
            let seen = |view: Option<mzi_ports::views::StudentView>| {
                view.map(|view| (view.record.id, view.as_of, view.pending))
            };
            assert_eq!(seen(memory), seen(sql), "student of {user}, {place}");
        }
    }

    fn key(&mut self) -> WorkKey {
        let lane = LANES[self.chance.random_range(0..LANES.len())];
        WorkKey::new(lane, self.id())
    }

    fn id(&mut self) -> ZohoId {
        zoho_id(self.chance.random_range(1..6))
    }

    fn later(&mut self) -> DateTime<Utc> {
        self.now + TimeDelta::seconds(self.chance.random_range(1..300))
    }

    fn issue(&mut self) -> Issue {
        let codes = [
            IssueCode::BadValue,
            IssueCode::MissingEmail,
            IssueCode::ParentMissing,
        ];
        Issue::new(codes[self.chance.random_range(0..codes.len())], "Invented.")
    }

    fn verdict(&mut self) -> Verdict {
        match self.chance.random_range(0..6) {
            0..=2 => Verdict::Done,
            3 => Verdict::Retry {
                at: self.later(),
                reason: "not now".into(),
                counts: self.chance.random_bool(0.5),
            },
            4 => Verdict::Wait {
                on: self.key(),
                reason: "not yet".into(),
                until: self.chance.random_bool(0.5).then(|| self.later()),
            },
            _ => Verdict::Stopped {
                issue: self.issue(),
                on: self.chance.random_bool(0.5).then(|| self.key()),
            },
        }
    }

    fn effects(&mut self, lease: &Lease) -> Effects {
        let mut effects = Effects::default();
        if let Lane::Refresh(entity) = lease.key.lane
            && self.chance.random_bool(0.5)
        {
            let values = texts(&[("status", "active")]);
            effects.record = Some(RecordChange {
                entity,
                id: lease.key.id.clone(),
                kind: [ChangeKind::Updated, ChangeKind::Deleted][self.chance.random_range(0..2)],
                modified_at: Some(self.now),
                mapping_version: 1,
                content_hash: content_hash(&values),
                values: [("study_mode", Some(Value::Text("full".into())))]
                    .into_iter()
                    .collect(),
                fields: Vec::new(),
            });
        }
        if self.chance.random_bool(0.3) {
            effects.desired.push(DesiredState {
                key: self.key(),
                desired: self.chance.random_range(0..3).to_string(),
            });
        }
        if self.chance.random_bool(0.2) {
            effects.confirmed = Some(ConfirmedState {
                confirmed: self.chance.random_range(0..3).to_string(),
                outcome: "updated",
            });
        }
        if self.chance.random_bool(0.2) {
            effects.link = Some(Link {
                kind: LinkKind::User,
                id: lease.key.id.clone(),
                moodle_id: self.chance.random_range(1..4),
            });
        }
        if self.chance.random_bool(0.2) {
            effects.marks.push(self.key());
        }
        if self.chance.random_bool(0.2) {
            let entity = [Entity::Students, Entity::Classes][self.chance.random_range(0..2)];
            effects.needs.push((entity, self.id()));
        }
        if self.chance.random_bool(0.4) {
            effects.wakes.push(self.key());
        }
        if self.chance.random_bool(0.2) {
            effects.recheck_at = Some(self.later());
        }
        if self.chance.random_bool(0.2) {
            effects.issues.push(self.issue());
        }
        effects
    }
}

/// Issues in the order of opening, without what each store words for itself.
async fn issues_of(store: &impl Views) -> Vec<IssueView> {
    let filter = IssueFilter {
        open: None,
        before: None,
        limit: 10_000,
    };
    let mut issues = store.issues(&filter).await.unwrap();
    for issue in &mut issues {
        issue.id.clear();
        issue.fingerprint.clear();
    }
    issues
}
