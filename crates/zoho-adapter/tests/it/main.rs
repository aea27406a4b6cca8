#![cfg(test)]
//! The Zoho client over scripted answers and over the simulator.

mod answers;
mod channels;
mod conformance;
mod contract;
mod grant;
mod limits;
mod metadata;
mod organisation;
mod raw;
mod reads;
mod tokens;
mod world;
mod writes;
