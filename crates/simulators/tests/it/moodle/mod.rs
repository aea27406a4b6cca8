//! The Moodle simulator: against recordings of real sites, and surprise by surprise.

mod answers;
mod client;
mod control;
mod faults;
mod fixtures;
mod races;
mod replay;
mod seed;
mod seed_grades;
mod surprises;
mod transactions;
