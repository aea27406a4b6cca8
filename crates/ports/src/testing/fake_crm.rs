//! A CRM in memory: it keeps records, gives out ids, and fails when a test tells it to.
//!
//! It behaves like Zoho where a use case could be fooled otherwise: a field nobody filled is null,
//! list calls leave sub-forms out, times have one-second grain, upsert knows only unique fields,
//! a channel asked to live for over a week lives for an hour.

mod script;
mod state;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{CrmRecord, FieldValue, ZohoId};

pub use self::script::{CrmCall, CrmFault, CrmVerb};
use self::{script::Script, state::State};
use super::time::{ManualClock, lock};
use crate::{
    crm::{
        Channel, ChannelRequest, Crm, CrmField, CrmModule, DeletedPage, Organisation, Page,
        PageRequest, Reading, RecordWrite, WriteMode, WriteReceipt,
    },
    error::CrmError,
    time::Clock,
};

/// A CRM in memory.
pub struct FakeCrm {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    script: Mutex<Script>,
}

/// One write the fake was asked for, whether or not it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmWrite {
    /// The module.
    pub module: String,
    /// How.
    pub mode: WriteMode,
    /// What.
    pub records: Vec<RecordWrite>,
}

impl Default for FakeCrm {
    fn default() -> Self {
        Self::new(Arc::new(ManualClock::new()))
    }
}

/// Arranging a test.
impl FakeCrm {
    /// An empty CRM whose `Modified_Time`s come from this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(State::default()),
            script: Mutex::new(Script::default()),
        }
    }

    /// Makes a module known with these fields; without it, a module exists once it has a record.
    pub fn define(&self, module: &str, fields: Vec<CrmField>) {
        lock(&self.state).module(module).describe(fields);
    }

    /// Flags a field as "no duplicates", which also makes it a key for upserts.
    pub fn make_unique(&self, module: &str, field: &str) {
        lock(&self.state).module(module).make_unique(field);
    }

    /// Hides a field from the API user: it is absent from every answer, not null.
    pub fn hide_field(&self, module: &str, field: &str) {
        lock(&self.state).module(module).hide(field);
    }

    /// Puts a record there as of now, replacing one with the same id.
    ///
    /// # Panics
    /// When the id is not digits.
    pub fn seed<K: Into<String>>(
        &self,
        module: &str,
        id: &str,
        fields: impl IntoIterator<Item = (K, FieldValue)>,
    ) {
        let fields = fields.into_iter().map(|(k, v)| (k.into(), v)).collect();
        let now = self.now();
        lock(&self.state).module(module).put(known(id), fields, now);
    }

    /// Changes fields of a record as of now, as a person in Zoho would.
    ///
    /// # Panics
    /// When there is no such record.
    pub fn edit<K: Into<String>>(
        &self,
        module: &str,
        id: &str,
        fields: impl IntoIterator<Item = (K, FieldValue)>,
    ) {
        let fields = fields.into_iter().map(|(k, v)| (k.into(), v)).collect();
        let now = self.now();
        let edited = lock(&self.state)
            .module(module)
            .change(&known(id), fields, now);
        assert!(edited, "{module} has no record {id} to edit");
    }

    /// Deletes a record as of now and remembers the deletion.
    ///
    /// # Panics
    /// When there is no such record.
    pub fn delete(&self, module: &str, id: &str) {
        let now = self.now();
        let deleted = lock(&self.state).module(module).delete(&known(id), now);
        assert!(deleted, "{module} has no record {id} to delete");
    }

    /// Changes how many records a page holds (200 otherwise).
    pub fn set_page_size(&self, size: usize) {
        lock(&self.state).page_size = size.max(1);
    }

    /// Becomes another organisation.
    pub fn set_organisation(&self, organisation: Organisation) {
        lock(&self.state).organisation = organisation;
    }

    /// The next call, whichever it is, fails with this error and has no effect.
    pub fn fail_next(&self, error: CrmError) {
        self.script(None, CrmFault::Refuse(error));
    }

    /// The next call of this verb fails with this error and has no effect.
    pub fn fail_next_of(&self, verb: CrmVerb, error: CrmError) {
        self.script(Some(verb), CrmFault::Refuse(error));
    }

    /// Scripts a fault for the next call, or the next of a verb; each meets one call, in order.
    pub fn script(&self, on: Option<CrmVerb>, fault: CrmFault) {
        lock(&self.script).add(on, fault);
    }

    /// Every call fails with this error until `None` ends the outage.
    pub fn set_outage(&self, error: Option<CrmError>) {
        lock(&self.script).outage = error;
    }

    /// Every call takes this long, on tokio's clock.
    pub fn set_latency(&self, latency: Duration) {
        lock(&self.script).latency = latency;
    }
}

/// Asserting afterwards.
impl FakeCrm {
    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<CrmCall> {
        lock(&self.script).calls.clone()
    }

    /// How many calls of a verb were made.
    pub fn count(&self, verb: CrmVerb) -> usize {
        let script = lock(&self.script);
        script.calls.iter().filter(|call| call.verb == verb).count()
    }

    /// Every write asked for so far, in order.
    pub fn writes(&self) -> Vec<CrmWrite> {
        lock(&self.script).writes.clone()
    }

    /// Every field of a record as it stands now.
    pub fn find(&self, module: &str, id: &str) -> Option<BTreeMap<String, FieldValue>> {
        lock(&self.state).module(module).all_fields(&known(id))
    }

    /// The ids of a module's records, in order.
    pub fn ids(&self, module: &str) -> Vec<ZohoId> {
        lock(&self.state).module(module).ids()
    }
}

#[async_trait]
impl Crm for FakeCrm {
    async fn organisation(&self) -> Result<Organisation, CrmError> {
        self.begin(CrmVerb::Organisation, None, &[]).await?;
        Ok(lock(&self.state).organisation.clone())
    }

    async fn modules(&self) -> Result<Vec<CrmModule>, CrmError> {
        self.begin(CrmVerb::Modules, None, &[]).await?;
        Ok(lock(&self.state).modules())
    }

    async fn fields(&self, module: &str) -> Result<Vec<CrmField>, CrmError> {
        self.begin(CrmVerb::Fields, Some(module), &[]).await?;
        Ok(lock(&self.state).known(module, "fields")?.fields())
    }

    async fn records(
        &self,
        module: &str,
        fields: &[String],
        ids: &[ZohoId],
    ) -> Result<Reading, CrmError> {
        let fault = self.begin(CrmVerb::Records, Some(module), ids).await?;
        let state = lock(&self.state);
        let held = state.known(module, "records")?;
        let mut records: Vec<_> = ids
            .iter()
            .filter_map(|id| held.listed(id, fields))
            .collect();
        leave_out(&mut records, fault.as_ref());
        Ok(Reading {
            records,
            server_time: Some(self.now()),
        })
    }

    async fn record(
        &self,
        module: &str,
        fields: &[String],
        id: &ZohoId,
    ) -> Result<Option<CrmRecord>, CrmError> {
        self.begin(CrmVerb::Record, Some(module), std::slice::from_ref(id))
            .await?;
        Ok(lock(&self.state)
            .known(module, "record")?
            .opened(id, fields))
    }

    async fn page(&self, request: &PageRequest) -> Result<Page, CrmError> {
        let fault = self
            .begin(CrmVerb::Page, Some(&request.module), &[])
            .await?;
        let state = lock(&self.state);
        let held = state.known(&request.module, "page")?;
        let mut page = held.page(request, state.page_size)?;
        leave_out(&mut page.records, fault.as_ref());
        page.server_time = Some(self.now());
        Ok(page)
    }

    async fn deleted(
        &self,
        module: &str,
        since: Option<DateTime<Utc>>,
        page: u32,
    ) -> Result<DeletedPage, CrmError> {
        self.begin(CrmVerb::Deleted, Some(module), &[]).await?;
        let state = lock(&self.state);
        let held = state.known(module, "deleted")?;
        Ok(held.deleted(since, page, state.page_size))
    }

    async fn write(
        &self,
        module: &str,
        mode: &WriteMode,
        records: &[RecordWrite],
    ) -> Result<Vec<Result<WriteReceipt, CrmError>>, CrmError> {
        lock(&self.script).writes.push(CrmWrite {
            module: module.to_owned(),
            mode: mode.clone(),
            records: records.to_vec(),
        });
        let ids: Vec<_> = records.iter().filter_map(|r| r.id.clone()).collect();
        let fault = self.begin(CrmVerb::Write, Some(module), &ids).await?;
        let now = self.now();
        let mut state = lock(&self.state);
        let mut outcomes = Vec::with_capacity(records.len());
        for (at, record) in records.iter().enumerate() {
            outcomes.push(match &fault {
                Some(CrmFault::RefuseItem { at: bad, error }) if *bad == at => Err(error.clone()),
                _ => state.write(module, mode, record, now),
            });
        }
        match fault {
            Some(CrmFault::LoseAnswer) => Err(CrmError::UnknownOutcome {
                reason: "the connection ended before an answer".into(),
            }),
            _ => Ok(outcomes),
        }
    }

    async fn channels(&self) -> Result<Vec<Channel>, CrmError> {
        self.begin(CrmVerb::Channels, None, &[]).await?;
        Ok(lock(&self.state).live_channels(self.now()))
    }

    async fn subscribe(&self, request: &ChannelRequest) -> Result<Channel, CrmError> {
        self.begin(CrmVerb::Subscribe, Some(&request.module), &[])
            .await?;
        lock(&self.state).subscribe(request, self.now())
    }

    async fn unsubscribe(&self, channel_ids: &[String]) -> Result<(), CrmError> {
        self.begin(CrmVerb::Unsubscribe, None, &[]).await?;
        lock(&self.state).unsubscribe(channel_ids);
        Ok(())
    }
}

impl FakeCrm {
    /// Notes the call, then waits, fails or hands over the fault that concerns its answer.
    async fn begin(
        &self,
        verb: CrmVerb,
        module: Option<&str>,
        ids: &[ZohoId],
    ) -> Result<Option<CrmFault>, CrmError> {
        let (latency, verdict) = lock(&self.script).meet(CrmCall {
            verb,
            module: module.map(str::to_owned),
            ids: ids.to_vec(),
        });
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        verdict
    }

    /// Now, with Zoho's one-second grain.
    fn now(&self) -> DateTime<Utc> {
        state::whole_second(self.clock.now())
    }
}

fn leave_out(records: &mut Vec<CrmRecord>, fault: Option<&CrmFault>) {
    if let Some(CrmFault::LeaveOut(id)) = fault {
        records.retain(|record| record.id != *id);
    }
}

#[expect(
    clippy::expect_used,
    reason = "a test that names an impossible id must stop where it does so"
)]
fn known(id: &str) -> ZohoId {
    ZohoId::parse(id).expect("Zoho ids are digits")
}

#[cfg(test)]
mod tests;
