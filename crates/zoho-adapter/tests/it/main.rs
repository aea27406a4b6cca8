#![cfg(test)]
//! The Zoho client over scripted answers and over the simulator.

mod answers;
mod channels;
mod grant;
mod limits;
mod metadata;
mod raw;
mod reads;
mod tokens;
mod world;
mod writes;
