#![cfg(test)]
//! The Moodle client over recorded answers, over the simulator and, on request, over a real site.

mod contract;
mod lossy;
mod world;
