//! The bridge under measure: the real `mzi serve`, told everything by its environment.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::{
    college::College,
    place::{Disk, Place},
    process::{Served, free_address},
    proof,
};

/// Starts it in this place, until its first 200. Without a college neither Zoho nor Moodle is
/// configured: notices are taken in and nothing is worked.
pub fn start(place: &Place, disk: Disk, college: Option<&College>) -> Result<Served> {
    let address = free_address()?;
    let mut command = disk.command(&program()?);
    command.arg("serve").current_dir(place.folder()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("BIND_ADDR", address.to_string());
    command.env(
        "DATABASE_URL",
        format!("sqlite:///{}", place.database().display()),
    );
    command.env("ZOHO_WEBHOOK_HMAC_SECRET", proof::WEBHOOK_SECRET);
    command.env("MOODLE_PLUGIN_SECRET", proof::PLUGIN_SECRET);
    command.env("LOG_FORMAT", "json");
    if let Some(college) = college {
        command.envs(college.environment());
    }
    Served::start(command, address, "/health/live", &place.log())
}

/// `mzi`, which `cargo xtask bench` builds beside this program.
fn program() -> Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program")?;
    let program = own.with_file_name(format!("mzi{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        program.is_file(),
        "{} is not there; run `cargo xtask bench`",
        program.display()
    );
    Ok(program)
}
