//! The Zoho simulator, as a client meets it.
//!
//! Every call of these tests is checked against Zoho's published OpenAPI files, request and answer.

mod channels;
mod conformance;
mod control;
mod deleting;
mod faults;
mod limits;
mod metadata;
mod notifications;
mod oauth;
mod paging;
mod reading;
mod searching;
mod sub_forms;
mod support;
mod upserting;
mod writing;
