//! The shipped unit is read by systemd, the shipped proxy file is run by nginx in front of a small upstream, and the temporary
//! PostgreSQL server is started and stopped.
//!
//! Needs nginx, openssl, systemd-analyze and PostgreSQL; each check says which package brings what is missing.
#![cfg(test)]

mod answer;
mod postgres;
mod proxy;
mod systemd;
mod through_nginx;
mod upstream;
