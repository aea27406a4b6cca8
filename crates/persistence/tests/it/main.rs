#![cfg(test)]
//! The store contract and the ugly cases, on every back end this build has.

mod sqlite;
mod support;
