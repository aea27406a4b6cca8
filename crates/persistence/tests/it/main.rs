#![cfg(test)]
//! The store contract and the ugly cases, on every back end this build has.

mod opening;
#[cfg(feature = "postgres")]
mod postgres;
mod same_as_memory;
mod schema;
mod sqlite;
mod support;
mod ugly;
