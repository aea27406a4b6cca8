#![cfg(test)]
//! The documents, held against the program: the guide's commands are run, the tables of the
//! reference are compared with what they describe, and nothing that is linked or named is missing.

mod markdown;
mod references;
mod tables;
#[cfg(unix)]
mod walk;
