//! Remembers the calls a simulator received, for assertions and for the control interface.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::locked;

/// How many of the last calls are kept word for word.
const KEPT: usize = 4096;

/// The largest body kept with a call.
const KEPT_BODY: usize = 64 * 1024;

/// One call, as far as it went.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Counts from 1 in the order of arrival.
    pub number: u64,
    /// When it arrived, on the simulator's clock.
    pub at: DateTime<Utc>,
    /// The simulator's name for what was asked, such as `records.list` or the function's name.
    pub operation: String,
    /// The HTTP verb.
    pub method: String,
    /// Path and query, or the function's name.
    pub target: String,
    /// The body sent, unless it held credentials or was very long.
    #[serde(serialize_with = "as_text")]
    pub body: Bytes,
    /// The status answered; none while in flight, or when the connection was dropped.
    pub status: Option<u16>,
}

fn as_text<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

/// What a log holds at one moment.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Calls {
    /// How many calls arrived.
    pub total: u64,
    /// How many arrived per operation.
    pub by_operation: BTreeMap<String, u64>,
    /// How many are being answered now.
    pub in_flight: u64,
    /// The most that were being answered at once.
    pub max_in_flight: u64,
    /// The last calls, oldest first.
    pub last: Vec<Call>,
}

impl Calls {
    /// How many calls of this operation arrived.
    #[must_use]
    pub fn of(&self, operation: &str) -> u64 {
        self.by_operation
            .get(operation)
            .copied()
            .unwrap_or_default()
    }
}

/// The bounded log of one simulator.
#[derive(Debug, Default)]
pub struct CallLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    numbered: u64,
    total: u64,
    by_operation: BTreeMap<String, u64>,
    in_flight: u64,
    max_in_flight: u64,
    last: VecDeque<Call>,
}

impl CallLog {
    /// Notes that a call arrived; it counts as in flight until the returned guard is dropped.
    #[must_use]
    pub fn begin(
        &self,
        at: DateTime<Utc>,
        operation: &str,
        method: &str,
        target: String,
        body: &Bytes,
    ) -> InFlight<'_> {
        let mut state = locked(&self.state);
        state.numbered += 1;
        state.total += 1;
        state.in_flight += 1;
        state.max_in_flight = state.max_in_flight.max(state.in_flight);
        match state.by_operation.get_mut(operation) {
            Some(count) => *count += 1,
            None => {
                state.by_operation.insert(operation.to_owned(), 1);
            }
        }
        if state.last.len() >= KEPT {
            state.last.pop_front();
        }
        let number = state.numbered;
        state.last.push_back(Call {
            number,
            at,
            operation: operation.to_owned(),
            method: method.to_owned(),
            target,
            body: if body.len() <= KEPT_BODY {
                body.clone()
            } else {
                Bytes::new()
            },
            status: None,
        });
        InFlight { log: self, number }
    }

    /// What the log holds now.
    #[must_use]
    pub fn snapshot(&self) -> Calls {
        let state = locked(&self.state);
        Calls {
            total: state.total,
            by_operation: state.by_operation.clone(),
            in_flight: state.in_flight,
            max_in_flight: state.max_in_flight,
            last: state.last.iter().cloned().collect(),
        }
    }

    /// Forgets all but the calls in flight.
    pub fn clear(&self) {
        let mut state = locked(&self.state);
        let (numbered, in_flight) = (state.numbered, state.in_flight);
        *state = State {
            numbered,
            in_flight,
            max_in_flight: in_flight,
            ..State::default()
        };
    }
}

/// A call that is being answered.
#[derive(Debug)]
pub struct InFlight<'a> {
    log: &'a CallLog,
    number: u64,
}

impl InFlight<'_> {
    /// Notes the status answered.
    pub fn answered(&self, status: u16) {
        let mut state = locked(&self.log.state);
        // Calls end soon after they arrive, so the search from the end is short.
        if let Some(call) = state
            .last
            .iter_mut()
            .rev()
            .find(|call| call.number == self.number)
        {
            call.status = Some(status);
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = locked(&self.log.state);
        state.in_flight = state.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(log: &CallLog) -> InFlight<'_> {
        log.begin(
            DateTime::UNIX_EPOCH,
            "op",
            "GET",
            "/".to_owned(),
            &Bytes::new(),
        )
    }

    #[test]
    fn the_most_calls_at_once_are_remembered_after_they_end() {
        let log = CallLog::default();
        let first = begin(&log);
        drop((begin(&log), begin(&log)));
        drop(first);
        drop(begin(&log));

        let calls = log.snapshot();

        assert_eq!(
            (calls.total, calls.in_flight, calls.max_in_flight),
            (4, 0, 3)
        );
        assert_eq!(calls.of("op"), 4);
    }

    #[test]
    fn only_the_last_calls_are_kept_but_all_are_counted() {
        let log = CallLog::default();
        for _ in 0..KEPT + 10 {
            begin(&log).answered(204);
        }

        let calls = log.snapshot();

        assert_eq!(calls.last.len(), KEPT);
        assert_eq!(calls.last.first().map(|call| call.number), Some(11));
        assert_eq!(calls.last.last().and_then(|call| call.status), Some(204));
    }
}
