//! Reads records from Zoho and writes them down: fetch, map, guard, commit.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use mzi_domain::{
    CrmRecord, Entity, Issue, IssueCode, Lane, Mapping, RecordChange, StoredRecord, WorkKey,
    ZohoId,
    record::{RefreshPlan, plan_deletion, plan_refresh},
};
use mzi_ports::{
    Clock, Crm, CrmError, Ledger, StoreError,
    crm::Reading,
    ledger::{Effects, Lease, Verdict, WorkResult},
};

use crate::{
    consequences::{self, Standing},
    failure,
    mappings::Mappings,
    policy::Policy,
};

/// A `Modified_Time` this close to the reading may hide a second edit in the same second.
const SAME_SECOND_WINDOW_SECONDS: i64 = 2;
/// When such a record is looked at once more.
const LOOK_AGAIN_SECONDS: i64 = 5;
/// How many pages of deletions are searched for a record that has vanished.
const DELETION_PAGES: u32 = 5;
/// How far back the deletion of a record we never held is searched.
const LATEST_NOTICE_DAYS: i64 = 7;

/// Refreshes records of one entity at a time.
pub struct Refresh {
    crm: Arc<dyn Crm>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    mappings: Arc<Mappings>,
    policy: Arc<Policy>,
}

/// Why a whole batch failed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Zoho could not be read.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known when one record of a batch is judged.
struct Context {
    entity: Entity,
    mapping: Mapping,
    zone: Tz,
    server_time: Option<DateTime<Utc>>,
    held: HashMap<ZohoId, StoredRecord>,
}

/// What a read by id found.
enum Found {
    Record(CrmRecord),
    Nothing,
}

impl Refresh {
    /// Reads through `crm` and writes to `ledger`.
    pub fn new(
        crm: Arc<dyn Crm>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        mappings: Arc<Mappings>,
        policy: Arc<Policy>,
    ) -> Self {
        Self {
            crm,
            ledger,
            clock,
            mappings,
            policy,
        }
    }

    /// Works a batch of claims of one entity and answers their results, not yet committed.
    pub async fn run(
        &self,
        entity: Entity,
        leases: Vec<Lease>,
    ) -> Result<Vec<WorkResult>, RefreshError> {
        let mapping = self.mappings.current(entity).await?;
        let ids: Vec<ZohoId> = leases.iter().map(|lease| lease.key.id.clone()).collect();
        let fields = mapping.fields();
        let (mut found, server_time) = self.read(&mapping.module, &fields, &ids).await?;
        let held = self.ledger.stored(entity, &ids).await?;
        let context = Context {
            entity,
            zone: self.policy.courses.zone,
            server_time,
            held: held
                .into_iter()
                .map(|record| (record.id.clone(), record))
                .collect(),
            mapping,
        };
        let mut results = Vec::with_capacity(leases.len());
        for lease in leases {
            let result = match found.remove(&lease.key.id) {
                Some(record) => self.settle(&context, lease, Found::Record(record)).await?,
                None => self.look_alone(&context, &fields, lease).await?,
            };
            results.push(result);
        }
        Ok(results)
    }

    /// Reads many by id; if Zoho refuses the list as such, each is read alone later.
    async fn read(
        &self,
        module: &str,
        fields: &[String],
        ids: &[ZohoId],
    ) -> Result<(HashMap<ZohoId, CrmRecord>, Option<DateTime<Utc>>), CrmError> {
        match self.crm.records(module, fields, ids).await {
            Ok(Reading {
                records,
                server_time,
            }) => {
                let by_id = records
                    .into_iter()
                    .map(|record| (record.id.clone(), record))
                    .collect();
                Ok((by_id, server_time))
            }
            Err(CrmError::Rejected { .. }) => Ok((HashMap::new(), None)),
            Err(error) => Err(error),
        }
    }

    /// A record missing from a list proves nothing: it is asked for by itself.
    async fn look_alone(
        &self,
        context: &Context,
        fields: &[String],
        lease: Lease,
    ) -> Result<WorkResult, RefreshError> {
        match self
            .crm
            .record(&context.mapping.module, fields, &lease.key.id)
            .await
        {
            Ok(Some(record)) => self.settle(context, lease, Found::Record(record)).await,
            Ok(None) => self.settle(context, lease, Found::Nothing).await,
            Err(error) if error.is_outage() => Err(error.into()),
            Err(error) => Ok(failure::result(&error, lease, self.clock.now())),
        }
    }

    async fn settle(
        &self,
        context: &Context,
        lease: Lease,
        found: Found,
    ) -> Result<WorkResult, RefreshError> {
        match found {
            Found::Record(record) => Ok(self.present(context, lease, &record).await?),
            Found::Nothing => self.absent(context, lease).await,
        }
    }

    async fn present(
        &self,
        context: &Context,
        lease: Lease,
        record: &CrmRecord,
    ) -> Result<WorkResult, StoreError> {
        let before = context.held.get(&record.id);
        let mapped = context.mapping.apply(record, context.zone);
        let change = match plan_refresh(before, &mapped) {
            RefreshPlan::Change(change) => Some(*change),
            RefreshPlan::Stale | RefreshPlan::Unchanged => None,
        };
        let values = change
            .as_ref()
            .map(|change| &change.values)
            .or_else(|| before.map(|held| &held.values))
            .unwrap_or(&mapped.values);
        let standing = Standing {
            entity: context.entity,
            id: &record.id,
            values,
            deleted: false,
        };
        let mut effects = consequences::of(standing, &self.policy);
        effects
            .issues
            .extend(mapped.misfits.iter().map(misfit_issue));
        effects.recheck_at = self.recheck(&lease, record, context.server_time);
        self.finish(lease, change, effects).await
    }

    /// The record cannot be read. Only a reported or listed deletion makes a tombstone.
    async fn absent(&self, context: &Context, lease: Lease) -> Result<WorkResult, RefreshError> {
        let id = lease.key.id.clone();
        let before = context.held.get(&id);
        let buried = before.is_some_and(|held| held.deleted_at.is_some());
        let certain = lease.deletion_reported
            || (!buried && self.is_listed_as_deleted(context, &id, before).await?);
        match before {
            Some(_) if buried => Ok(self.finish(lease, None, Effects::default()).await?),
            Some(held) if certain => {
                let change = plan_deletion(context.entity, &id, Some(held));
                let standing = Standing {
                    entity: context.entity,
                    id: &id,
                    values: &held.values,
                    deleted: true,
                };
                let effects = consequences::of(standing, &self.policy);
                Ok(self.finish(lease, change, effects).await?)
            }
            None if certain => Ok(self.finish(lease, None, Effects::default()).await?),
            Some(_) => Ok(self.not_readable(context, lease, IssueCode::RecordVanished)),
            None => Ok(self.not_readable(context, lease, IssueCode::RecordNotFound)),
        }
    }

    /// Of a record we never held, a late notice may come after its deletion was listed.
    async fn is_listed_as_deleted(
        &self,
        context: &Context,
        id: &ZohoId,
        held: Option<&StoredRecord>,
    ) -> Result<bool, CrmError> {
        let lately = self.clock.now() - Duration::days(LATEST_NOTICE_DAYS);
        let since = held.map_or(Some(lately), |held| held.modified_at);
        for page in 1..=DELETION_PAGES {
            let listed = self.crm.deleted(&context.mapping.module, since, page).await;
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) if error.is_outage() => return Err(error),
                // Not being allowed to look is no proof of anything.
                Err(_) => return Ok(false),
            };
            if listed.deletions.iter().any(|deletion| deletion.id == *id) {
                return Ok(true);
            }
            if !listed.more {
                break;
            }
        }
        Ok(false)
    }

    fn not_readable(&self, context: &Context, lease: Lease, code: IssueCode) -> WorkResult {
        let module = &context.mapping.module;
        let message = match code {
            IssueCode::RecordVanished => {
                format!(
                    "Zoho no longer shows {} in {module}, and does not list it as deleted.",
                    lease.key.id
                )
            }
            _ => format!("Zoho has no record {} in {module}.", lease.key.id),
        };
        let effects = Effects {
            wakes: vec![lease.key.clone()],
            ..Effects::default()
        };
        let verdict = Verdict::Stopped {
            issue: Issue::new(code, message),
            on: None,
        };
        WorkResult {
            lease,
            verdict,
            effects,
        }
    }

    async fn finish(
        &self,
        lease: Lease,
        change: Option<RecordChange>,
        mut effects: Effects,
    ) -> Result<WorkResult, StoreError> {
        if let Some(change) = &change {
            for cascade in consequences::cascades(change) {
                let children = self
                    .ledger
                    .children(cascade.entity, cascade.column, &change.id)
                    .await?;
                effects.marks.extend(
                    children
                        .into_iter()
                        .map(|id| WorkKey::new(cascade.lane, id)),
                );
            }
        }
        effects.record = change;
        effects.wakes.push(lease.key.clone());
        Ok(WorkResult {
            lease,
            verdict: Verdict::Done,
            effects,
        })
    }

    /// A second edit in the same second has the same identity as the first and would have been
    /// taken for its repeat: look once more.
    fn recheck(
        &self,
        lease: &Lease,
        record: &CrmRecord,
        server_time: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let (modified, read) = (record.modified_at?, server_time?);
        let close = read - modified <= Duration::seconds(SAME_SECOND_WINDOW_SECONDS);
        (lease.recheck && close).then(|| self.clock.now() + Duration::seconds(LOOK_AGAIN_SECONDS))
    }
}

impl RefreshError {
    /// The failure as the breakers see it.
    pub fn failure(&self) -> Option<&dyn failure::Failure> {
        match self {
            Self::Crm(error) => Some(error),
            Self::Store(_) => None,
        }
    }
}

/// The lane that reads this entity.
pub fn lane(entity: Entity) -> Lane {
    Lane::Refresh(entity)
}

fn misfit_issue(misfit: &mzi_domain::mapping::Misfit) -> Issue {
    let message = format!(
        "The field {} does not fit {} ({}); the value held before was kept.",
        misfit.field, misfit.column, misfit.reason
    );
    Issue::new(IssueCode::BadValue, message).about(misfit.field.clone())
}
