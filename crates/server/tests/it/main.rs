#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests ask the real clock and make their own ids"
)]
//! The real binary, real HTTP and a real database, between the two simulators.

mod harness;
mod main_job;
