#![cfg(test)]
//! The use cases over a CRM, a learning platform and a store in memory: what a registrar may rely
//! on, one sentence a test.

mod accounts;
mod arriving;
mod channels;
mod courses;
mod crash;
mod deleted;
mod echoes;
mod gate;
mod ids;
mod instances;
mod misfits;
mod outages;
mod places;
mod reordering;
mod seats;
mod teachers;
mod waiting;
mod world;
