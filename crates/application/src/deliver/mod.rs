//! Makes Moodle and Zoho agree with what is desired.
//!
//! Each lane has its file: [`account`], [`course`], [`teaching`], [`seat`], [`write_back`]. Each
//! takes a batch of claims, looks first, acts only on a difference, and answers one result a
//! claim; the worker commits them. Whatever is not known for certain is looked up, not repeated.

mod account;
mod beginning;
mod course;
mod directory;
mod ownership;
mod seat;
mod teaching;
mod write_back;

use std::{collections::HashMap, sync::Arc};

use mzi_domain::{Issue, IssueCode, Lane, StoredRecord, ZohoId};
use mzi_ports::{
    Clock, Crm, CrmError, Ledger, Lms, LmsError, StoreError,
    ledger::{ConfirmedState, Effects, Lease, LinkKind, State, Verdict, WorkResult},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{failure, mappings::Mappings, policy::Policy};

/// Calls of one batch in flight; the adapter has the last word on how many Moodle can take.
const PARALLEL: usize = 6;

/// Delivers what is desired.
pub struct Deliver {
    crm: Arc<dyn Crm>,
    lms: Arc<dyn Lms>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    mappings: Arc<Mappings>,
    policy: Arc<Policy>,
}

/// Why a whole batch failed.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// Zoho could not be called.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// Moodle could not be called.
    #[error(transparent)]
    Lms(#[from] LmsError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeliverError {
    /// The failure as the breakers see it; the store's own failures are not theirs.
    pub fn failure(&self) -> Option<&dyn failure::Failure> {
        match self {
            Self::Crm(error) => Some(error),
            Self::Lms(error) => Some(error),
            Self::Store(_) => None,
        }
    }
}

impl Deliver {
    /// Delivers to these two sides, through this ledger.
    pub fn new(
        crm: Arc<dyn Crm>,
        lms: Arc<dyn Lms>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        mappings: Arc<Mappings>,
        policy: Arc<Policy>,
    ) -> Self {
        Self {
            crm,
            lms,
            ledger,
            clock,
            mappings,
            policy,
        }
    }

    /// Works a batch of claims of one lane and answers their results, not yet committed.
    pub async fn run(
        &self,
        lane: Lane,
        leases: Vec<Lease>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        match lane {
            Lane::Account => self.accounts(leases).await,
            Lane::Course => self.courses(leases).await,
            Lane::Teaching => self.teachings(leases).await,
            Lane::Seat => self.seats(leases).await,
            Lane::WriteBack(entity) => self.write_backs(entity, leases).await,
            Lane::Refresh(_) => Ok(Vec::new()),
        }
    }

    /// Each claim with its stored state; a claim without one, or of whose record nothing is
    /// desired any more, has nothing to do.
    async fn tasks<D, C>(&self, leases: Vec<Lease>) -> Result<Tasks<D, C>, StoreError>
    where
        D: DeserializeOwned,
        C: DeserializeOwned,
    {
        let keys: Vec<_> = leases.iter().map(|lease| lease.key.clone()).collect();
        let states = self.ledger.states(&keys).await?;
        let mut by_key: HashMap<_, _> = states
            .into_iter()
            .map(|state| (state.key.clone(), state))
            .collect();
        let mut tasks = Tasks {
            open: Vec::new(),
            settled: Vec::new(),
        };
        for lease in leases {
            match by_key.remove(&lease.key) {
                None => tasks.settled.push(done(lease, Effects::default())),
                Some(state) => match parsed(&state) {
                    Ok((None, _)) => tasks.settled.push(done(lease, Effects::default())),
                    Ok((Some(desired), confirmed)) => tasks.open.push(Task {
                        lease,
                        desired,
                        confirmed,
                    }),
                    Err(issue) => tasks.settled.push(failure::stopped(lease, issue)),
                },
            }
        }
        Ok(tasks)
    }

    /// Moodle ids by record.
    async fn linked(
        &self,
        kind: LinkKind,
        ids: &[ZohoId],
    ) -> Result<HashMap<ZohoId, i64>, StoreError> {
        let links = self.ledger.links(kind, ids).await?;
        Ok(links
            .into_iter()
            .map(|link| (link.id, link.moodle_id))
            .collect())
    }

    /// Held records by id.
    async fn held(
        &self,
        entity: mzi_domain::Entity,
        ids: &[ZohoId],
    ) -> Result<HashMap<ZohoId, StoredRecord>, StoreError> {
        let records = self.ledger.stored(entity, ids).await?;
        Ok(records
            .into_iter()
            .map(|record| (record.id.clone(), record))
            .collect())
    }
}

/// A claim with what is desired and what is known.
struct Task<D, C> {
    lease: Lease,
    desired: D,
    confirmed: Option<C>,
}

/// A batch: what is to be looked at, and what is settled already.
struct Tasks<D, C> {
    open: Vec<Task<D, C>>,
    settled: Vec<WorkResult>,
}

fn parsed<D: DeserializeOwned, C: DeserializeOwned>(
    state: &State,
) -> Result<(Option<D>, Option<C>), Issue> {
    let unreadable = |error: serde_json::Error| {
        Issue::new(IssueCode::Protocol, format!("stored state: {error}"))
    };
    let desired = serde_json::from_str(&state.desired).map_err(unreadable)?;
    let confirmed = state
        .confirmed
        .as_deref()
        .map(serde_json::from_str)
        .transpose();
    Ok((desired, confirmed.map_err(unreadable)?))
}

fn done(lease: Lease, effects: Effects) -> WorkResult {
    WorkResult {
        lease,
        verdict: Verdict::Done,
        effects,
    }
}

/// Done, and this is now known of the other side.
fn confirmed<C: Serialize>(lease: Lease, state: &C, outcome: &'static str) -> WorkResult {
    match serde_json::to_string(state) {
        Ok(json) => {
            let effects = Effects {
                confirmed: Some(ConfirmedState {
                    confirmed: json,
                    outcome,
                }),
                ..Effects::default()
            };
            done(lease, effects)
        }
        Err(error) => {
            let issue = Issue::new(IssueCode::Protocol, format!("state to store: {error}"));
            failure::stopped(lease, issue)
        }
    }
}
