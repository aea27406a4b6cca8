//! Notification channels (`zoho.md` §7).
//!
//! They carry ids, not records; nobody signs them, orders them or tries again.

mod channel;
mod condition;
mod deliver;
mod endpoint;
mod request;

pub(super) use channel::Channels;
pub use deliver::Delivery;
pub(super) use deliver::{Notification, Outbox, deliver_all};
pub(super) use endpoint::{details_of_all, disable, enable, list, modify, replace};
