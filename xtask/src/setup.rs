//! Installs what the tests need, where the system is one we know how to install on.

use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::account::caller_is_root;
use crate::suite::Scope;
use crate::tools;

/// Debian asks this program before it starts a service that was just installed; 101 means no.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Leaves the machine with everything of the scope, or says what is still missing.
pub fn install_missing(scope: Scope) -> Result<()> {
    install_rust_components()?;
    let missing = tools::missing(scope);
    if missing.is_empty() {
        println!("setup: everything is there");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.debian).collect();
    if !Path::new("/etc/debian_version").exists() {
        bail!(
            "this system is not Debian; install by hand:\n{}",
            tools::explain(&missing)
        );
    }
    println!("setup: installing {}", packages.join(" "));
    let installed = install_debian(&packages);
    let still = tools::missing(scope);
    if !still.is_empty() {
        installed?;
        bail!("still missing:\n{}", tools::explain(&still));
    }
    if let Err(error) = installed {
        println!("setup: everything is there, though the installation complained: {error:#}");
    }
    Ok(())
}

fn install_rust_components() -> Result<()> {
    let lacking: Vec<&str> = [("rustfmt", "fmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(_, subcommand)| !answers(crate::run::cargo([subcommand, "--version"])))
        .map(|(component, _)| component)
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    println!("setup: rustup component add {}", lacking.join(" "));
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add"]).args(&lacking);
    succeed(rustup)
}

fn install_debian(packages: &[&str]) -> Result<()> {
    let _no_service_starts = ServicePolicy::forbid()?;
    // A list that cannot be renewed may still be good enough; the installation decides.
    if let Err(error) = succeed(apt(["update"])) {
        println!("setup: {error:#}");
    }
    let mut install = apt(["install", "--yes", "--no-install-recommends"]);
    install.args(packages);
    succeed(install)
}

fn apt<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = privileged("env");
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(["-o", "DPkg::Lock::Timeout=300"])
        .args(arguments);
    command
}

/// As root directly, else by sudo, which may ask for a password only when somebody is there to type it.
fn privileged(program: &str) -> Command {
    if caller_is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    if !std::io::stdin().is_terminal() {
        command.arg("--non-interactive");
    }
    command.arg(program);
    command
}

/// Keeps packages from starting their services for as long as it lives: the tests start their own servers, a container cannot
/// start any, and a developer did not ask for a web server on port 80.
struct ServicePolicy {
    ours: bool,
}

impl ServicePolicy {
    fn forbid() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { ours: false });
        }
        let mut write = privileged("sh");
        write.args([
            "-c",
            &format!("printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}"),
        ]);
        succeed(write)?;
        Ok(Self { ours: true })
    }
}

impl Drop for ServicePolicy {
    fn drop(&mut self) {
        if self.ours {
            let mut remove = privileged("rm");
            remove.args(["-f", POLICY]);
            if let Err(error) = succeed(remove) {
                eprintln!("setup: {POLICY} is left behind, remove it: {error:#}");
            }
        }
    }
}

fn answers(mut command: Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn succeed(mut command: Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {:?}", command.get_program()))?;
    if !status.success() {
        bail!(
            "{:?} {:?} ended with {status}",
            command.get_program(),
            command.get_args()
        );
    }
    Ok(())
}
