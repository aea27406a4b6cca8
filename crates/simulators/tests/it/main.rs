//! Tests of both simulators over real sockets.
#![cfg(test)]

mod moodle;
mod serve;
mod zoho;
