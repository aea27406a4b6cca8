//! Driven ports: what the use cases need from the world, and how it may fail.
//!
//! To add a port: write the trait as the verbs a use case needs, say for each method what it MUST
//! do, write one contract test a MUST in [`testing`], make the fake pass, then the real one. One
//! call is one transaction; no transaction handle crosses a port.

pub mod crm;
pub mod error;
pub mod inbox;
pub mod keys;
pub mod ledger;
pub mod lms;
pub mod settings;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod views;

pub use crm::Crm;
pub use error::{CrmError, LmsError, Retry, StoreError};
pub use inbox::Inbox;
pub use keys::KeyStore;
pub use ledger::Ledger;
pub use lms::Lms;
pub use settings::{SettingsStore, TokenVault};
pub use time::{Clock, IdSource};
pub use views::Views;
