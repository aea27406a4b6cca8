//! Everything one simulated organisation consists of.

use std::sync::{Arc, Mutex};

use chrono::{FixedOffset, Offset, Utc};

use super::{
    limits::Meter,
    oauth::TokenBook,
    options::ZohoOptions,
    store::{Change, Store},
    watch::{Channels, Outbox},
};
use crate::{
    clock::Clock,
    faults::{CallLog, Faults},
    locked,
};

/// The state shared by all calls. Locks are taken in the order `store`, `channels`.
#[derive(Debug)]
pub(super) struct World {
    pub options: ZohoOptions,
    pub base_url: String,
    pub clock: Clock,
    pub faults: Faults,
    pub calls: CallLog,
    pub meter: Arc<Meter>,
    pub tokens: Mutex<TokenBook>,
    pub org_id: Mutex<String>,
    pub store: Mutex<Store>,
    pub channels: Mutex<Channels>,
    pub outbox: Outbox,
}

impl World {
    /// The simulated time in seconds: Zoho's times have no finer grain.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    /// The offset of the API user's time zone.
    pub(super) fn zone(&self) -> FixedOffset {
        let seconds = self.options.utc_offset_minutes.saturating_mul(60);
        FixedOffset::east_opt(seconds).unwrap_or_else(|| Utc.fix())
    }

    /// Queues the notifications of changes; called with the store still locked, so that
    /// notifications leave in the order of the changes.
    pub(super) fn announce(&self, store: &Store, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let notifications = locked(&self.channels).notifications(self, store, changes);
        for notification in notifications {
            self.outbox.queue(notification);
        }
    }
}
