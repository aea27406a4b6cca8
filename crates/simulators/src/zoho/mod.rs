//! A Zoho CRM organisation as its API v8 shows it.
//!
//! Accounts server, API and control interface share one port. What is simulated, and where the
//! facts come from, is in the crate's `README.md`; section numbers such as "`zoho.md` §3.1" in this
//! module refer to the notes the simulator was written from, which cite Zoho's own pages.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use mzi_simulators::zoho::{ZohoOptions, ZohoSimulator};
//!
//! let zoho = ZohoSimulator::start(ZohoOptions { students: 100, ..ZohoOptions::default() }).await?;
//! let ids = zoho.ids("BTEC_Students");
//! # let _ = ids;
//! zoho.stop().await;
//! # Ok(())
//! # }
//! ```

mod api;
mod catalogue;
mod control;
mod field_change;
mod limits;
mod metadata;
mod oauth;
mod options;
mod org;
mod read;
mod refusal;
mod registrar;
mod route;
mod schema;
mod simulator;
mod store;
mod watch;
mod world;
mod write;

pub use field_change::FieldChange;
pub use oauth::{CLIENT_ID, CLIENT_SECRET, GRANT_CODE, REFRESH_TOKEN};
pub use options::{
    ALL_SCOPES, Edition, FailedWrites, Limits, MissingRecord, Throttle, ZohoOptions,
};
pub use refusal::Refusal;
pub use simulator::ZohoSimulator;
pub use watch::Delivery;
