//! The REST API.

pub mod admin;
pub mod student;
