//! The project's chores, run as `cargo xtask <chore>`.
//!
//! A library beside the binary so that the deploy checks in `tests/` find tools and folders the same way the chores do.
//! It sees none of the project's crates: it drives cargo, and reads what cargo says.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to the person who called it"
)]

pub mod account;
pub mod counts;
pub mod graph;
pub mod loopback;
pub mod postgres;
pub mod report;
pub mod run;
pub mod scratch;
pub mod setup;
pub mod suite;
pub mod tools;
