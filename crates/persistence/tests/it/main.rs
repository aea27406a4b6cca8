#![cfg(test)]
//! The store contract and the ugly cases, on every back end this build has.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
mod support;
