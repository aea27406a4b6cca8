#![cfg(test)]
//! Every route over use cases over fakes: who may, what comes back, and in which order it is
//! refused.

mod access;
mod admin;
mod bridge;
mod health;
mod metrics;
mod openapi;
mod plugin_tokens;
mod problems;
mod proofs;
mod refusals;
mod students;
mod tokens;
mod webhooks;
