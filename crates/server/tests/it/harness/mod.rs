//! Starts `mzi` as an operator does: a child process that is told everything by its environment,
//! between two simulators that answer over HTTP.

mod backend;
mod bridge;
mod database;
mod port;
mod proof;
mod school;
mod wait;
mod world;

pub use backend::Backend;
pub(crate) use backend::{on_each_database, side_by_side};
pub use bridge::{Answer, Bridge, answer};
#[cfg(feature = "postgres")]
pub use port::Port;
pub use proof::{Claims, channel_token, signature, static_token};
pub use school::{a_class, a_student, enrol, register};
pub use wait::{eventually, within};
pub use world::{ALL_STEPS, PLUGIN_SECRET, WEBHOOK_SECRET, World, client};
