//! Stateful fakes, and the contract suites that fakes and real implementations both pass.

pub mod crm_contract;
pub mod fake_crm;
pub mod fake_lms;
pub mod lms_contract;
pub mod memory_store;
pub mod store_contract;
pub mod time;
