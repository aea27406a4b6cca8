//! The use cases: each fetches, lets the domain decide, and commits.
//!
//! One pipeline serves every trigger. A notice only says that a record may have changed
//! ([`receive_webhook`]); the [`worker`] claims what is due, [`refresh`] reads the record and
//! writes it down with what it asks of Moodle, [`deliver`] makes Moodle and Zoho agree.

pub mod api_keys;
pub mod breaker;
pub mod channels;
pub mod consequences;
pub mod deliver;
pub mod doctor;
pub mod failure;
pub mod health;
pub mod issues;
pub mod mappings;
pub mod places;
pub mod policy;
pub mod receive_webhook;
pub mod refresh;
pub mod student_portal;
pub mod wakeup;
pub mod worker;

pub use mzi_ports::{StoreError, views};
