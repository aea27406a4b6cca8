#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests ask the real clock and make their own ids"
)]
//! The real binary, real HTTP and a real database, between the two simulators.
//!
//! Every file tells one kind of trouble; [`main_job`] tells what it is all for. Tests named
//! `on_postgres` need a server: see `harness/database.rs`.

mod bad_input;
mod changed_places;
mod commands;
mod credentials;
mod database_trouble;
mod deletions;
mod full_disk;
mod harness;
#[cfg(feature = "postgres")]
mod instances;
mod kill;
mod lost_answers;
mod main_job;
mod notices;
mod outages;
mod people;
mod plugin_tokens;
mod proofs;
mod secrecy;
mod settings;
mod starting;
mod stopping;
