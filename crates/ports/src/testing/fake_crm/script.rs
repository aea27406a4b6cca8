//! What the fake was asked, and how it is to fail.

use std::{collections::VecDeque, time::Duration};

use mzi_domain::ZohoId;

use super::CrmWrite;
use crate::error::CrmError;

/// A method of the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named as the method it stands for")]
pub enum CrmVerb {
    Organisation,
    Modules,
    Fields,
    Records,
    Record,
    Page,
    Deleted,
    Write,
    Channels,
    Subscribe,
    Unsubscribe,
}

/// One call the fake received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmCall {
    /// The method.
    pub verb: CrmVerb,
    /// The module, where the method names one.
    pub module: Option<String>,
    /// The records asked for or written by id.
    pub ids: Vec<ZohoId>,
}

/// How one call is to go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrmFault {
    /// It fails with this error and has no effect.
    Refuse(CrmError),
    /// A write takes effect, but the answer is lost (`UnknownOutcome`).
    LoseAnswer,
    /// A write refuses the record at this place, from 0, and takes the others.
    RefuseItem {
        /// The place in the batch.
        at: usize,
        /// Why.
        error: CrmError,
    },
    /// A read leaves this record out, though it exists.
    LeaveOut(ZohoId),
}

/// Everything scripted and seen.
#[derive(Default)]
pub(super) struct Script {
    pub(super) calls: Vec<CrmCall>,
    pub(super) writes: Vec<CrmWrite>,
    pub(super) outage: Option<CrmError>,
    pub(super) latency: Duration,
    faults: VecDeque<(Option<CrmVerb>, CrmFault)>,
}

impl Script {
    pub(super) fn add(&mut self, on: Option<CrmVerb>, fault: CrmFault) {
        self.faults.push_back((on, fault));
    }

    /// Notes a call and says how long it takes and what becomes of it.
    pub(super) fn meet(&mut self, call: CrmCall) -> (Duration, Result<Option<CrmFault>, CrmError>) {
        let verb = call.verb;
        self.calls.push(call);
        if let Some(error) = &self.outage {
            return (self.latency, Err(error.clone()));
        }
        let meant = |(on, _): &(Option<CrmVerb>, CrmFault)| on.is_none_or(|on| on == verb);
        let fault = self
            .faults
            .iter()
            .position(meant)
            .and_then(|at| self.faults.remove(at));
        let verdict = match fault {
            Some((_, CrmFault::Refuse(error))) => Err(error),
            other => Ok(other.map(|(_, fault)| fault)),
        };
        (self.latency, verdict)
    }
}
