//! `systemd-analyze verify` on the shipped unit.

use std::fs;
use std::process::Command;

use xtask::scratch::Scratch;
use xtask::{run, tools};

const UNIT: &str = "mzi-backend.service";

fn shipped() -> String {
    fs::read_to_string(run::root().join("deploy/systemd").join(UNIT)).unwrap()
}

/// What systemd says about a unit whose program exists; nothing if it likes it.
///
/// An unknown key is a warning with exit code 0, so the words count, not the code alone.
fn complaints(unit: &str) -> String {
    let program = tools::require("systemd-analyze").unwrap_or_else(|error| panic!("{error}"));
    let folder = Scratch::new("systemd").unwrap();
    let here = std::env::current_exe().unwrap();
    assert!(unit.contains("ExecStart=/usr/local/bin/mzi serve\n"));
    let unit = unit.replace("/usr/local/bin/mzi ", &format!("{} ", here.display()));
    let path = folder.write(UNIT, &unit).unwrap();
    let output = Command::new(program)
        .arg("verify")
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // Units of the machine itself may be imperfect; that is not ours to judge.
    let about_ours: String = said
        .lines()
        .filter(|line| line.contains("mzi-backend"))
        .collect();
    if output.status.success() {
        about_ours
    } else {
        format!("{}: {said}", output.status)
    }
}

#[test]
fn systemd_accepts_the_shipped_unit_without_a_word() {
    assert_eq!(complaints(&shipped()), "");
}

#[test]
fn a_misspelt_key_would_be_noticed() {
    let misspelt = shipped().replace("\nNoNewPrivileges=", "\nNoNewPriviledges=");
    assert!(complaints(&misspelt).contains("NoNewPriviledges"));
}
