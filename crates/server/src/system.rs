//! The real clock and the real ids.

use chrono::{DateTime, Utc};
use mzi_ports::{Clock, IdSource};

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock everybody else asks"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// UUIDs of version 7.
pub struct Uuids;

impl IdSource for Uuids {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where everybody else gets ids"
    )]
    fn next(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }
}
