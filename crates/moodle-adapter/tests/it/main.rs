#![cfg(test)]
//! The Moodle client over recorded answers, over the simulator and, on request, over a real site.

mod batches;
mod connection;
mod contract;
mod creation;
mod looking;
mod lossy;
mod recorded;
mod refusals;
mod samples;
mod world;
