//! Ports nobody else takes while a test stops and starts its bridge.

use std::{
    fs::{File, OpenOptions},
    net::TcpListener,
};

use rand::Rng;

/// Below the range from which systems pick ports for outgoing connections.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port of our own, also against tests in other processes, until it is dropped.
#[derive(Debug)]
pub struct Port {
    pub number: u16,
    _lock: File,
}

impl Port {
    pub fn claim() -> Self {
        let folder = std::env::temp_dir().join("mzi-test-ports");
        std::fs::create_dir_all(&folder).unwrap();
        for _ in 0..1_000 {
            let number = rand::rng().random_range(RANGE);
            let path = folder.join(number.to_string());
            let lock = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path);
            let lock = lock.unwrap();
            let is_free = || TcpListener::bind(("127.0.0.1", number)).is_ok();
            if lock.try_lock().is_ok() && is_free() {
                return Self {
                    number,
                    _lock: lock,
                };
            }
        }
        panic!("no free port was found in {RANGE:?}");
    }
}
