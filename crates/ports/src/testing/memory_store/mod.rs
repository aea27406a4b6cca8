//! A store in memory that keeps every promise of the store ports except durability.
//!
//! It has no SQL and no cleverness: maps behind one lock, so that a test of a use case reads what
//! happened without a database. Faults are scripted with [`MemoryStore::fail_next`] and
//! [`MemoryStore::lose_next_answer`].

mod commit;
mod data;
mod inbox;
mod issues;
mod ledger;
mod values;
mod views;
mod work;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use mzi_domain::{Entity, WorkKey, ZohoId};

use self::data::Data;
use super::time::lock;
use crate::{
    error::StoreError,
    inbox::{NewEvent, RejectedEvent},
};

pub use self::data::HistoryEntry;

/// A store in memory. Clones share their data, as two handles of one database do.
#[derive(Clone, Default)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
    faults: Arc<Mutex<VecDeque<(StoreCall, Moment)>>>,
}

/// The calls that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreCall {
    /// `Inbox::accept`.
    Accept,
    /// `Inbox::keep_rejected`.
    KeepRejected,
    /// `Ledger::claim`.
    Claim,
    /// `Ledger::due`.
    Due,
    /// `Ledger::heartbeat`.
    Heartbeat,
    /// `Ledger::recover`.
    Recover,
    /// `Ledger::commit`.
    Commit,
    /// `Ledger::mark`.
    Mark,
    /// Any read of `Ledger` or `Views`.
    Read,
    /// Any call of `SettingsStore`, `TokenVault` or `KeyStore`.
    Values,
    /// `Ledger::connection_issue`.
    ConnectionIssue,
}

/// When a scripted fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Before the call has any effect.
    Before,
    /// After its effect: the answer is lost, as when a connection breaks during a commit.
    After,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next such call fail as unavailable, without effect. Calls add up.
    pub fn fail_next(&self, call: StoreCall) {
        lock(&self.faults).push_back((call, Moment::Before));
    }

    /// Makes the next such call take effect and yet answer that the store is unavailable.
    pub fn lose_next_answer(&self, call: StoreCall) {
        lock(&self.faults).push_back((call, Moment::After));
    }

    /// The same data as a new process sees them: every owner of a lease so far is gone.
    pub fn restarted(&self) -> Self {
        self.data().living.clear();
        Self {
            data: Arc::clone(&self.data),
            faults: Arc::default(),
        }
    }

    /// Every stored event, oldest first.
    pub fn events(&self) -> Vec<NewEvent> {
        let data = self.data();
        data.events.iter().map(|row| row.event.clone()).collect()
    }

    /// Every rejected event, oldest first.
    pub fn rejected(&self) -> Vec<RejectedEvent> {
        self.data().rejected.clone()
    }

    /// What happened to a record, oldest first.
    pub fn history(&self, entity: Entity, id: &ZohoId) -> Vec<HistoryEntry> {
        let data = self.data();
        let entries = data.history.iter();
        entries
            .filter(|entry| entry.entity == entity && entry.id == *id)
            .cloned()
            .collect()
    }

    /// Whether this work still has something to do, whatever it waits for.
    pub fn is_unsettled(&self, key: &WorkKey) -> bool {
        let data = self.data();
        data.work.get(key).is_some_and(work::Work::is_unsettled)
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        lock(&self.data)
    }

    /// Runs a call on the data, unless a fault is scripted for it.
    fn call<T>(
        &self,
        call: StoreCall,
        run: impl FnOnce(&mut Data) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let fault = self.take_fault(call);
        if fault == Some(Moment::Before) {
            return Err(scripted());
        }
        let answer = run(&mut self.data())?;
        if fault == Some(Moment::After) {
            return Err(scripted());
        }
        Ok(answer)
    }

    fn take_fault(&self, call: StoreCall) -> Option<Moment> {
        let mut faults = lock(&self.faults);
        let place = faults.iter().position(|(scripted, _)| *scripted == call)?;
        faults.remove(place).map(|(_, moment)| moment)
    }
}

fn scripted() -> StoreError {
    StoreError::Unavailable {
        reason: "a scripted fault".into(),
    }
}

#[cfg(test)]
mod tests;
