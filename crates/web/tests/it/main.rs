#![cfg(test)]
//! Every route over use cases over fakes: who may, what comes back, and in which order it is
//! refused.

mod bridge;
mod proofs;
mod refusals;
mod webhooks;
