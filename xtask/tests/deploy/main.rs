//! The shipped unit is read by systemd, and the shipped proxy file is run by nginx in front of a small upstream.
//!
//! Needs nginx, openssl and systemd-analyze; each check says which package brings what is missing.
#![cfg(test)]

mod answer;
mod proxy;
mod systemd;
mod through_nginx;
mod upstream;
