//! The bridge without its edges: every use case wired over fakes.

pub mod fuse;
mod outside;
mod seeds;

use std::sync::Arc;

use chrono::{Duration, TimeDelta};
use mzi_application::{
    breaker::Breakers,
    channels::Channels,
    deliver::Deliver,
    mappings::Mappings,
    places::Places,
    policy::{Policy, Services},
    receive_webhook::{Accepted, Call, ReceiveWebhook, WebhookSecret},
    refresh::Refresh,
    wakeup::Wakeup,
    worker::{Parts, Pulse, Worker},
};
use mzi_domain::{
    Entity, Lane, MoodleCategoryId, MoodleRoleId, WorkKey, ZohoId,
    account::{AccountPolicy, EmailChoice},
    course::CoursePolicy,
    setup::Gate,
};
use mzi_ports::{
    Clock, Crm, Ledger, Lms, Views,
    testing::{
        fake_crm::FakeCrm,
        fake_lms::FakeLms,
        memory_store::MemoryStore,
        time::{CountingIds, ManualClock},
    },
    views::{IssueFilter, IssueView},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::fuse::{Fuse, Fused};

pub use self::{
    outside::Outside,
    seeds::{lookup, text},
};

/// Longest time a test lets pass while things settle.
const PATIENCE: Duration = Duration::minutes(20);
/// More rounds than anything that settles needs.
const ROUNDS: usize = 400;

/// A bridge between an invented college's two systems.
pub struct World {
    pub crm: Arc<FakeCrm>,
    pub lms: Arc<FakeLms>,
    pub clock: Arc<ManualClock>,
    pub fuse: Arc<Fuse>,
    pub store: MemoryStore,
    pub policy: Policy,
    pub places: Arc<Places>,
    pub breakers: Arc<Breakers>,
    worker: Arc<Worker>,
    receive: ReceiveWebhook,
}

/// Everything on, live, as an institution with the default settings has it.
fn policy() -> Policy {
    Policy {
        gate: Gate::Live,
        services: Services::all(),
        accounts: AccountPolicy {
            create: true,
            auth: "manual".into(),
            email: EmailChoice::Academic,
        },
        courses: CoursePolicy {
            default_category: MoodleCategoryId::new(1).unwrap(),
            zone: chrono_tz::Tz::Asia__Amman,
            adopt: false,
        },
        student_role: MoodleRoleId::new(5).unwrap(),
        teacher_role: MoodleRoleId::new(3).unwrap(),
    }
}

impl World {
    /// A live bridge with default settings and both systems empty.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with other settings.
    pub fn with(change: impl FnOnce(&mut Policy)) -> Self {
        let clock = Arc::new(ManualClock::new());
        let crm = Arc::new(FakeCrm::new(clock.clone()));
        seeds::define_modules(&crm);
        let mut policy = policy();
        change(&mut policy);
        Self::wired(
            crm,
            Arc::new(FakeLms::new()),
            clock,
            Arc::default(),
            MemoryStore::new(),
            policy,
            "worker-1",
        )
    }

    /// A second instance beside this one, on the same database and systems.
    pub fn twin(&self) -> Self {
        Self::wired(
            self.crm.clone(),
            self.lms.clone(),
            self.clock.clone(),
            self.fuse.clone(),
            self.store.clone(),
            self.policy.clone(),
            "worker-2",
        )
    }

    /// The same systems and database, seen by a new process, perhaps with other settings.
    pub fn restarted_with(self, change: impl FnOnce(&mut Policy)) -> Self {
        let mut policy = self.policy;
        change(&mut policy);
        self.fuse.disarm();
        let store = self.store.restarted();
        Self::wired(
            self.crm, self.lms, self.clock, self.fuse, store, policy, "worker-1",
        )
    }

    /// The same systems and database, seen by a new process.
    pub fn restarted(self) -> Self {
        self.restarted_with(|_| {})
    }

    fn wired(
        crm: Arc<FakeCrm>,
        lms: Arc<FakeLms>,
        time: Arc<ManualClock>,
        fuse: Arc<Fuse>,
        store: MemoryStore,
        policy: Policy,
        owner: &str,
    ) -> Self {
        let clock: Arc<dyn Clock> = time.clone();
        let zoho: Arc<dyn Crm> = Fused::new(Arc::clone(&crm), &fuse);
        let moodle: Arc<dyn Lms> = Fused::new(Arc::clone(&lms), &fuse);
        let ledger: Arc<dyn Ledger> = Fused::new(Box::new(store.clone()), &fuse);
        let shared = Arc::new(policy.clone());
        let mappings = Arc::new(Mappings::new(zoho.clone(), clock.clone(), Vec::new()));
        let places = Arc::new(Places::new(
            zoho.clone(),
            moodle.clone(),
            Arc::new(store.clone()),
            ledger.clone(),
            clock.clone(),
        ));
        let breakers = Arc::new(Breakers::default());
        let refresh = Refresh::new(
            zoho.clone(),
            ledger.clone(),
            clock.clone(),
            mappings.clone(),
            shared.clone(),
        );
        let deliver = Deliver::new(
            zoho,
            moodle,
            ledger.clone(),
            clock.clone(),
            mappings.clone(),
            shared.clone(),
        );
        let wakeup = Wakeup::default();
        let worker = Worker::new(Parts {
            ledger,
            refresh: Arc::new(refresh),
            deliver: Arc::new(deliver),
            places: places.clone(),
            breakers: breakers.clone(),
            policy: shared,
            clock: clock.clone(),
            wakeup: wakeup.clone(),
            pulse: Arc::new(Pulse::default()),
            owner: owner.into(),
        });
        let receive = ReceiveWebhook::new(
            Arc::new(store.clone()),
            clock,
            Arc::new(CountingIds::default()),
            wakeup,
            Some(secret()),
            mappings.by_module(),
        );
        Self {
            crm,
            lms,
            clock: time,
            fuse,
            store,
            policy,
            places,
            breakers,
            worker,
            receive,
        }
    }
}

/// Things that happen.
impl World {
    /// Who looks after the notification channels of a bridge at this public address.
    pub fn keeper(&self, base_url: &str) -> Channels {
        let crm: Arc<dyn Crm> = self.crm.clone();
        let mappings = Mappings::new(crm.clone(), self.clock.clone(), Vec::new());
        Channels::new(
            crm,
            Arc::new(self.store.clone()),
            Arc::new(self.store.clone()),
            self.clock.clone(),
            Arc::new(mappings),
            Arc::new(self.policy.clone()),
            secret(),
            base_url.into(),
        )
    }

    /// Zoho says that a record may have changed, as a workflow rule does.
    pub async fn notify(&self, module: &str, id: &str) -> Accepted {
        self.receive(
            module,
            &format!(r#"{{"zoho_id":"{id}","module":"{module}"}}"#),
        )
        .await
    }

    /// Zoho says that a record was deleted.
    pub async fn notify_deleted(&self, module: &str, id: &str) -> Accepted {
        let body = format!(r#"{{"zoho_id":"{id}","module":"{module}","operation":"delete"}}"#);
        self.receive(module, &body).await
    }

    /// A body arrives at a module's address with a valid proof.
    pub async fn receive(&self, module: &str, body: &str) -> Accepted {
        let token = secret().static_token();
        let call = Call {
            tail: module,
            content_type: "application/json",
            header_token: Some(&token),
            signature: None,
            query_token: None,
            query_id: None,
            query_operation: None,
            body: body.as_bytes(),
        };
        let route = self.receive.route(module).unwrap();
        self.receive.run(route, call).await.unwrap()
    }

    /// A record is deleted in Zoho, which says so.
    pub async fn delete(&self, module: &str, id: &str) {
        self.crm.delete(module, id);
        self.notify_deleted(module, id).await;
    }

    /// A record is edited in Zoho a second later, which says so.
    pub async fn edit(&self, module: &str, id: &str, field: &str, value: mzi_domain::FieldValue) {
        self.clock.advance(Duration::seconds(1));
        self.crm.edit(module, id, [(field, value)]);
        self.notify(module, id).await;
    }

    /// Works what is due now; the clock stands still.
    pub async fn work(&self) {
        self.worker.run_until_idle().await.unwrap();
    }

    /// The worker as the server runs it, until told to stop.
    pub fn started(&self, stop: CancellationToken) -> JoinHandle<()> {
        tokio::spawn(self.worker.clone().run(stop))
    }

    /// Works what is due now as far as it goes.
    pub async fn work_in_vain(&self) {
        let _ = self.worker.run_until_idle().await;
    }

    /// Works and lets time pass until nothing is due within the next minutes.
    pub async fn settle(&self) {
        let end = self.clock.now() + PATIENCE;
        for _ in 0..ROUNDS {
            let reached = self.worker.run_until_idle().await;
            if self.fuse.is_dead() {
                return;
            }
            let step = match reached {
                Ok(()) => self.next_step().await,
                // A worker that cannot reach its ledger comes back a second later.
                Err(_) => Some(Duration::seconds(1)),
            };
            match step {
                Some(step) if self.clock.now() + step <= end => self.clock.advance(step),
                _ => return,
            }
        }
        panic!("it does not settle");
    }

    /// A notice arrives, and everything it leads to happens.
    pub async fn notify_and_settle(&self, module: &str, id: &str) {
        self.notify(module, id).await;
        self.settle().await;
    }

    /// Lets time pass in steps of five seconds, working all the while.
    pub async fn live_through(&self, span: Duration) {
        let end = self.clock.now() + span;
        while self.clock.now() < end {
            let _ = self.worker.run_until_idle().await;
            self.clock.advance(Duration::seconds(5));
        }
    }

    /// How long until the next row becomes due or an upstream may be tried again.
    async fn next_step(&self) -> Option<TimeDelta> {
        let now = self.clock.now();
        let lanes: Vec<Lane> = Lane::all().collect();
        let due = self.store.due(&lanes, now).await.unwrap();
        let row = due.next_at.map(|at| at - now);
        let upstreams = [mzi_domain::Upstream::Zoho, mzi_domain::Upstream::Moodle];
        let parked = upstreams
            .into_iter()
            .filter_map(|upstream| self.breakers.parked_until(upstream))
            .map(|until| (until - now).max(TimeDelta::seconds(1)))
            .min()
            .filter(|_| !due.lanes.is_empty());
        [row, parked].into_iter().flatten().min()
    }
}

/// Looking afterwards.
impl World {
    /// Open issues, newest first.
    pub async fn issues(&self) -> Vec<IssueView> {
        let filter = IssueFilter {
            open: Some(true),
            before: None,
            limit: 100,
        };
        self.store.issues(&filter).await.unwrap()
    }

    /// The codes of open issues, sorted.
    pub async fn issue_codes(&self) -> Vec<String> {
        let mut codes: Vec<String> = self
            .issues()
            .await
            .into_iter()
            .map(|issue| issue.code)
            .collect();
        codes.sort();
        codes
    }

    /// The one open issue, which must have this code.
    pub async fn the_issue(&self, code: &str) -> IssueView {
        let mut issues = self.issues().await;
        assert_eq!(issues.len(), 1, "{issues:#?}");
        let issue = issues.remove(0);
        assert_eq!(issue.code, code, "{issue:#?}");
        issue
    }

    /// The words of a record's history, oldest first.
    pub fn history(&self, entity: Entity, id: &str) -> Vec<&'static str> {
        let history = self.store.history(entity, &zoho(id));
        history.iter().map(|entry| entry.kind.word()).collect()
    }

    /// Whether any work has something left to do.
    pub fn is_unsettled(&self, lane: Lane, id: &str) -> bool {
        self.store.is_unsettled(&WorkKey::new(lane, zoho(id)))
    }
}

/// An id known to be good.
pub fn zoho(id: &str) -> ZohoId {
    ZohoId::parse(id).unwrap()
}

fn secret() -> WebhookSecret {
    WebhookSecret::new("test-secret-0123456789abcdef0123".into(), None).unwrap()
}
