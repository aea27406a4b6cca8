//! The worker: claims what is due, runs it, writes its results down, and stops cleanly.
//!
//! It holds no rules of its own. What may run is decided by the gate, the services that are
//! switched on, the places (I8) and the breakers; what running means is [`Refresh`] and
//! [`Deliver`].

use std::{collections::HashMap, sync::Arc, time::Duration as StdDuration};

use chrono::{DateTime, Duration, Utc};
use mzi_domain::{Issue, IssueCode, Lane, Upstream, setup::Gate};
use mzi_ports::{
    Clock, Ledger, StoreError,
    ledger::{Claim, Committed, Effects, Lease, Verdict, WorkResult},
};
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    breaker::{Allowance, Breakers},
    deliver::Deliver,
    failure::{self, Failure},
    places::{Places, Standing},
    policy::Policy,
    refresh::Refresh,
    wakeup::Wakeup,
};

/// How long a lease lasts without a heartbeat, and how often it gets one.
const LEASE: StdDuration = StdDuration::from_secs(90);
const HEARTBEAT: StdDuration = StdDuration::from_secs(20);
/// How often results are tried to be written down before their leases are left to end.
const COMMIT_ATTEMPTS: usize = 3;
/// How often ended leases are looked for.
const RECOVER_SECONDS: i64 = 15;
/// Longest sleep when nothing rings: other instances ring only their own bell.
const LONGEST_SLEEP: StdDuration = StdDuration::from_secs(1);
/// How long running work may take to end after a stop.
const DRAIN: StdDuration = StdDuration::from_secs(25);
/// Batches of one lane that run side by side.
const BATCHES_PER_LANE: usize = 2;
/// How soon an upstream whose place could not be determined is asked again.
const ASK_PLACE_AGAIN_SECONDS: i64 = 5;

/// Works what is due.
pub struct Worker {
    ledger: Arc<dyn Ledger>,
    refresh: Arc<Refresh>,
    deliver: Arc<Deliver>,
    places: Arc<Places>,
    breakers: Arc<Breakers>,
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    wakeup: Wakeup,
    pulse: Arc<Pulse>,
    owner: String,
}

/// Shows that the worker is alive: the moment of its last round.
#[derive(Debug, Default)]
pub struct Pulse(std::sync::atomic::AtomicI64);

impl Pulse {
    /// The worker has just begun a round.
    fn beat(&self, now: DateTime<Utc>) {
        self.0
            .store(now.timestamp(), std::sync::atomic::Ordering::Relaxed);
    }

    /// Whether a round began within the last half minute.
    pub fn is_alive(&self, now: DateTime<Utc>) -> bool {
        now.timestamp() - self.0.load(std::sync::atomic::Ordering::Relaxed) < 30
    }
}

/// The parts a worker is made of.
pub struct Parts {
    /// Where work is claimed and its results go.
    pub ledger: Arc<dyn Ledger>,
    /// Reads records.
    pub refresh: Arc<Refresh>,
    /// Writes to Moodle and Zoho.
    pub deliver: Arc<Deliver>,
    /// Watches organisation and site.
    pub places: Arc<Places>,
    /// Keeps away from an upstream that is down.
    pub breakers: Arc<Breakers>,
    /// What is allowed.
    pub policy: Arc<Policy>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rings when something is due.
    pub wakeup: Wakeup,
    /// Shows that the worker is alive.
    pub pulse: Arc<Pulse>,
    /// Names this process in leases.
    pub owner: String,
}

/// One batch of a lane that is to run.
struct Batch {
    lane: Lane,
    leases: Vec<Lease>,
}

/// The state of a running worker.
struct Round {
    running: JoinSet<Lane>,
    per_lane: HashMap<Lane, usize>,
    recover_at: DateTime<Utc>,
    ask_place_at: DateTime<Utc>,
}

impl Worker {
    /// Made of these parts.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            ledger,
            refresh,
            deliver,
            places,
            breakers,
            policy,
            clock,
            wakeup,
            pulse,
            owner,
        } = parts;
        Arc::new(Self {
            ledger,
            refresh,
            deliver,
            places,
            breakers,
            policy,
            clock,
            wakeup,
            pulse,
            owner,
        })
    }

    /// Works until told to stop; then claims nothing more and lets running work end.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let start = self.clock.now();
        let mut round = Round {
            running: JoinSet::new(),
            per_lane: HashMap::new(),
            recover_at: start,
            ask_place_at: start,
        };
        while !stop.is_cancelled() {
            let sleep = match self.round(&mut round).await {
                Ok(sleep) => sleep,
                Err(error) => {
                    tracing::error!(%error, "the worker cannot reach its ledger");
                    LONGEST_SLEEP
                }
            };
            self.rest(&mut round, sleep, &stop).await;
        }
        let ended = timeout(DRAIN, async {
            while round.running.join_next().await.is_some() {}
        });
        if ended.await.is_err() {
            tracing::warn!("work was still running at the end; its leases will be taken over");
        }
    }

    /// Works whatever is due now, batch after batch, until nothing is. For tests and commands.
    pub async fn run_until_idle(self: &Arc<Self>) -> Result<(), StoreError> {
        loop {
            self.ask_places().await;
            let now = self.clock.now();
            let due = self.ledger.due(&self.open_lanes(now), now).await?;
            let mut worked = false;
            for lane in due.lanes {
                if let Some(batch) = self.claim(lane).await? {
                    worked = true;
                    self.work(batch).await;
                }
            }
            if !worked {
                return Ok(());
            }
        }
    }

    /// Starts what can be started; answers how long nothing more will be due.
    async fn round(self: &Arc<Self>, round: &mut Round) -> Result<StdDuration, StoreError> {
        let now = self.clock.now();
        self.pulse.beat(now);
        if now >= round.recover_at {
            round.recover_at = now + Duration::seconds(RECOVER_SECONDS);
            let freed = self.ledger.recover(&self.owner, now).await?;
            if freed > 0 {
                tracing::info!(work.freed = freed, "work of an ended owner is due again");
            }
        }
        if now >= round.ask_place_at {
            round.ask_place_at = now + Duration::seconds(ASK_PLACE_AGAIN_SECONDS);
            self.ask_places().await;
        }
        let due = self.ledger.due(&self.open_lanes(now), now).await?;
        let mut started = false;
        for lane in due.lanes {
            while round.per_lane.get(&lane).copied().unwrap_or(0) < BATCHES_PER_LANE {
                let Some(batch) = self.claim(lane).await? else {
                    break;
                };
                started = true;
                *round.per_lane.entry(lane).or_default() += 1;
                let worker = Arc::clone(self);
                round.running.spawn(async move {
                    worker.work(batch).await;
                    lane
                });
            }
        }
        let until_next = due.next_at.and_then(|at| (at - now).to_std().ok());
        let sleep = until_next.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
        Ok(if started { StdDuration::ZERO } else { sleep })
    }

    async fn rest(&self, round: &mut Round, sleep: StdDuration, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.wakeup.rung() => {}
            Some(ended) = round.running.join_next() => round.ended(ended),
            () = tokio::time::sleep(sleep) => {}
        }
        while let Some(ended) = round.running.try_join_next() {
            round.ended(ended);
        }
    }

    /// Lanes that are switched on, behind an open gate, in their right place, and not parked.
    fn open_lanes(&self, now: DateTime<Utc>) -> Vec<Lane> {
        let zoho_elsewhere = self.is_elsewhere(Upstream::Zoho);
        let places_right = [Upstream::Zoho, Upstream::Moodle]
            .iter()
            .all(|upstream| self.places.standing(*upstream) == Standing::Right);
        let live = self.policy.gate == Gate::Live && places_right;
        Lane::all()
            .filter(|lane| self.policy.services.allows(*lane))
            .filter(|lane| !zoho_elsewhere && (live || !lane.writes_outside()))
            .filter(|lane| !self.is_parked(lane.upstream(), now))
            .collect()
    }

    fn is_elsewhere(&self, upstream: Upstream) -> bool {
        matches!(self.places.standing(upstream), Standing::Other { .. })
    }

    fn is_parked(&self, upstream: Upstream, now: DateTime<Utc>) -> bool {
        self.breakers
            .parked_until(upstream)
            .is_some_and(|until| until > now)
    }

    /// Asks organisation and site who they are, when it is time and they are up.
    async fn ask_places(&self) {
        for upstream in [Upstream::Zoho, Upstream::Moodle] {
            let now = self.clock.now();
            let idle = upstream == Upstream::Moodle && self.policy.gate == Gate::Observing;
            if idle || !self.places.is_due(upstream) || self.is_parked(upstream, now) {
                continue;
            }
            match self.places.look(upstream).await {
                Ok(Standing::Other { stored, found }) => {
                    tracing::error!(%upstream, stored, found, "the place changed: all writing stops");
                }
                Ok(_) => self.well(upstream).await,
                Err(error) => match error.failure() {
                    Some(failure) => self.unwell(upstream, failure).await,
                    None => tracing::error!(%error, "the place cannot be compared"),
                },
            }
        }
    }

    async fn claim(&self, lane: Lane) -> Result<Option<Batch>, StoreError> {
        let now = self.clock.now();
        let limit = match self.breakers.allowance(lane.upstream(), now) {
            Allowance::All => batch_size(lane),
            Allowance::Probe => 1,
            Allowance::NothingUntil(_) => return Ok(None),
        };
        let claim = Claim {
            lane,
            limit,
            owner: self.owner.clone(),
            now,
            lease_for: LEASE,
        };
        let leases = self.ledger.claim(&claim).await?;
        Ok((!leases.is_empty()).then_some(Batch { lane, leases }))
    }

    /// Runs a batch under a heartbeat and writes its results down.
    async fn work(&self, batch: Batch) {
        let span = tracing::info_span!("work", lane = batch.lane.name(), size = batch.leases.len());
        let lane = batch.lane;
        let held = batch.leases.clone();
        let results = async {
            tokio::select! {
                results = self.results(batch) => results,
                () = self.keep_alive(&held) => Vec::new(),
            }
        }
        .instrument(span)
        .await;
        self.write_down(lane, results).await;
    }

    async fn results(&self, batch: Batch) -> Vec<WorkResult> {
        let Batch { lane, leases } = batch;
        let upstream = lane.upstream();
        let held = leases.clone();
        let outcome = match lane {
            Lane::Refresh(entity) => self
                .refresh
                .run(entity, leases)
                .await
                .map_err(BatchFailure::from),
            lane => self
                .deliver
                .run(lane, leases)
                .await
                .map_err(BatchFailure::from),
        };
        match outcome {
            Ok(results) => {
                self.judge(lane, &results).await;
                results
            }
            Err(failed) => match failed.failure() {
                Some(failure) => {
                    self.unwell(upstream, failure).await;
                    let now = self.clock.now();
                    held.into_iter()
                        .map(|lease| failure::result(failure, lease, now))
                        .collect()
                }
                None => {
                    tracing::error!(error = %failed, lane = lane.name(), "the batch failed");
                    let later = self.clock.now() + Duration::seconds(ASK_PLACE_AGAIN_SECONDS);
                    held.into_iter()
                        .map(|lease| postponed(lease, later, &failed))
                        .collect()
                }
            },
        }
    }

    /// A batch whose every result is an outage counts against the upstream, one that holds an
    /// answer counts for it, and one that asked nothing says nothing.
    async fn judge(&self, lane: Lane, results: &[WorkResult]) {
        let out =
            |result: &WorkResult| matches!(result.verdict, Verdict::Retry { counts: false, .. });
        let upstream = lane.upstream();
        let now = self.clock.now();
        if results.is_empty() {
            return;
        }
        if results.iter().all(out) {
            self.breakers.failed(upstream, false, now);
        } else if results.iter().any(|result| is_an_answer(lane, result)) {
            self.well(upstream).await;
        } else {
            self.breakers.not_asked(upstream, now);
        }
    }

    async fn well(&self, upstream: Upstream) {
        let before = self.breakers.state(upstream);
        let now = self.clock.now();
        self.breakers.succeeded(upstream, now);
        // The first success of a process may be that of credentials renewed by a restart.
        if before.refused || before.last_success.is_none() {
            self.tell(upstream, None).await;
        }
    }

    async fn unwell(&self, upstream: Upstream, failure: &dyn Failure) {
        let now = self.clock.now();
        if !failure.is_outage() {
            // It answered, and refused this one call: the other side itself is well.
            return;
        }
        let refused = failure.is_refusal();
        if self.breakers.failed(upstream, refused, now) {
            tracing::warn!(%upstream, reason = %failure, "the upstream is parked");
        }
        if refused {
            let issue = Issue::new(IssueCode::ConnectionRefused, failure.to_string());
            self.tell(upstream, Some(&issue)).await;
        }
    }

    async fn tell(&self, upstream: Upstream, issue: Option<&Issue>) {
        let subject = format!("credentials:{}", upstream.word());
        let told = self
            .ledger
            .connection_issue(&subject, issue, self.clock.now())
            .await;
        if let Err(error) = told {
            tracing::error!(%error, %upstream, "the connection's issue could not be stored");
        }
    }

    async fn keep_alive(&self, leases: &[Lease]) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            let until = self.clock.now() + Duration::from_std(LEASE).unwrap_or(Duration::zero());
            if let Err(error) = self.ledger.heartbeat(leases, until).await {
                tracing::warn!(%error, "the leases could not be prolonged");
            }
        }
    }

    async fn write_down(&self, lane: Lane, results: Vec<WorkResult>) {
        if results.is_empty() {
            return;
        }
        match self.commit(&results).await {
            Ok(outcomes) => {
                for (result, outcome) in results.iter().zip(outcomes) {
                    report(result, outcome);
                }
                self.wakeup.ring();
            }
            // The leases end by themselves and the work is done again: every result is safe to repeat.
            Err(error) => {
                tracing::error!(%error, lane = lane.name(), "results could not be written down");
            }
        }
    }

    /// Tries again at once when the database was away: a dropped connection would otherwise hold
    /// the work up until its leases end. What was written after all is fenced the second time.
    async fn commit(&self, results: &[WorkResult]) -> Result<Vec<Committed>, StoreError> {
        for _ in 1..COMMIT_ATTEMPTS {
            match self.ledger.commit(results, self.clock.now()).await {
                Err(StoreError::Unavailable { reason }) => {
                    tracing::warn!(reason, "results could not be written down at once");
                }
                ended => return ended,
            }
        }
        self.ledger.commit(results, self.clock.now()).await
    }
}

impl Round {
    fn ended(&mut self, ended: Result<Lane, tokio::task::JoinError>) {
        match ended {
            Ok(lane) => {
                if let Some(count) = self.per_lane.get_mut(&lane) {
                    *count = count.saturating_sub(1);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a batch panicked; its leases will be taken over");
                // Which lane it was is not known any more: count again from what still runs.
                self.per_lane.clear();
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum BatchFailure {
    #[error(transparent)]
    Refresh(#[from] crate::refresh::RefreshError),
    #[error(transparent)]
    Deliver(#[from] crate::deliver::DeliverError),
}

impl BatchFailure {
    fn failure(&self) -> Option<&dyn Failure> {
        match self {
            Self::Refresh(error) => error.failure(),
            Self::Deliver(error) => error.failure(),
        }
    }
}

/// Whether the other side must have answered for work to end like this.
fn is_an_answer(lane: Lane, result: &WorkResult) -> bool {
    if matches!(lane, Lane::Refresh(_)) {
        return true;
    }
    match &result.verdict {
        Verdict::Done => {
            let outcome = result.effects.confirmed.as_ref().map(|state| state.outcome);
            outcome.is_some_and(|word| !matches!(word, "unchanged" | "left"))
        }
        Verdict::Retry { counts, .. } => *counts,
        Verdict::Wait { .. } => false,
        Verdict::Stopped { issue, .. } => !matches!(
            issue.code,
            IssueCode::ParentMissing | IssueCode::SeatNotOurs
        ),
    }
}

/// How many rows one claim takes: what one call of the other side can serve.
fn batch_size(lane: Lane) -> u32 {
    match lane {
        Lane::Refresh(_) | Lane::WriteBack(_) => 100,
        Lane::Account | Lane::Seat => 50,
        Lane::Course | Lane::Teaching => 12,
    }
}

fn postponed(lease: Lease, at: DateTime<Utc>, failed: &BatchFailure) -> WorkResult {
    let verdict = Verdict::Retry {
        at,
        reason: failed.to_string(),
        counts: false,
    };
    WorkResult {
        lease,
        verdict,
        effects: Effects::default(),
    }
}

fn report(result: &WorkResult, outcome: Committed) {
    let work = &result.lease.key;
    match (&result.verdict, outcome) {
        (_, Committed::Fenced) => tracing::info!(%work, "somebody else has taken this work over"),
        (_, Committed::LinkTaken) => {
            tracing::warn!(%work, "the Moodle id belongs to another record")
        }
        (Verdict::Done, _) => {
            let outcome = result.effects.confirmed.as_ref().map(|state| state.outcome);
            let change = result
                .effects
                .record
                .as_ref()
                .map(|change| change.kind.word());
            match outcome.or(change) {
                Some(outcome) => tracing::info!(%work, outcome, "done"),
                None => tracing::debug!(%work, "done, nothing changed"),
            }
        }
        (Verdict::Retry { reason, at, .. }, _) => {
            tracing::info!(%work, reason, %at, "tried again later")
        }
        (Verdict::Wait { on, reason, .. }, _) => tracing::debug!(%work, %on, reason, "waits"),
        (Verdict::Stopped { issue, .. }, _) => {
            tracing::warn!(%work, issue.code = issue.code.word(), "needs a person");
        }
    }
}
