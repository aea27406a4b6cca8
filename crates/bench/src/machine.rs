//! On what the figures were measured: without it they mean little.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::Instant,
};

use anyhow::Result;

use crate::{
    latency::{Latencies, milliseconds},
    place,
};

const WRITES: usize = 200;

/// Cores, load, SQLite, and what it takes this disk to make 4 KB safe.
pub fn describe(folder: &Path) -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let fsync = fsync(folder)?;
    Ok(format!(
        "{cores} cores, load {load} before the run; SQLite {} in the limit; one fsync of 4 KB: p50 {:.2} ms, p99 {:.2} ms",
        place::sqlite_version()?,
        milliseconds(fsync.median()),
        milliseconds(fsync.percentile(99)),
    ))
}

fn fsync(folder: &Path) -> Result<Latencies> {
    let path = tempfile::NamedTempFile::new_in(folder)?;
    let mut file = File::create(path.path())?;
    let mut took = Vec::new();
    for _ in 0..WRITES {
        let began = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        took.push(began.elapsed());
    }
    Ok(Latencies::new(took))
}
