//! A PostgreSQL server of our own for the length of one test run.
//!
//! It listens on a free loopback port, keeps its data in a temporary folder and is asked for a password no one else knows, so
//! it neither meets nor disturbs a server that is already installed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::account::Account;
use crate::loopback::free_ports;
use crate::scratch::{Scratch, random_word};
use crate::tools;

const SUPERUSER: &str = "mzi";
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Another program may take the free port between our look and the server's bind.
const START_ATTEMPTS: u32 = 3;

/// A running server; stopped, and its folder removed, on drop.
#[derive(Debug)]
pub struct TemporaryPostgres {
    process: Child,
    account: Account,
    binaries: PathBuf,
    port: u16,
    password: String,
    folder: Scratch,
}

impl TemporaryPostgres {
    pub fn start() -> Result<Self> {
        let binaries = tools::require("PostgreSQL server")?;
        let account = Account::unprivileged()?;
        let folder = Scratch::new("postgres")?;
        account.take(folder.path())?;
        let password = random_word();
        create_cluster(&binaries, account, &folder, &password)?;
        for attempt in 1.. {
            match launch(&binaries, account, folder.path()) {
                Ok((process, port)) => {
                    return Ok(Self {
                        process,
                        account,
                        binaries,
                        port,
                        password,
                        folder,
                    });
                }
                Err(error) if attempt == START_ATTEMPTS => return Err(error),
                Err(_) => {}
            }
        }
        bail!("the temporary PostgreSQL server was never started")
    }

    /// For `MZI_TEST_POSTGRES_URL`. The account may create databases, so each test can have its own.
    pub fn url(&self) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }
}

impl Drop for TemporaryPostgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        // Immediate: nobody will read this data again, and a test's forgotten connection must not hold the end up.
        let stopped = pg_program(&self.binaries, "pg_ctl").and_then(|pg_ctl| {
            quiet(self.account.command(&pg_ctl))
                .arg("stop")
                .args(["-m", "immediate", "-w", "-t", "15", "-D"])
                .arg(&data)
                .status()
                .context("pg_ctl stop")
        });
        let deadline = Instant::now() + STOP_LIMIT;
        while stopped.is_ok() && Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _already_gone = self.process.kill();
        let _already_waited = self.process.wait();
    }
}

fn create_cluster(
    binaries: &Path,
    account: Account,
    folder: &Scratch,
    password: &str,
) -> Result<()> {
    let password_file = folder.write("password", password)?;
    account.take(&password_file)?;
    let output = account
        .command(&pg_program(binaries, "initdb")?)
        .args(["--username", SUPERUSER, "--auth", "scram-sha-256"])
        .args(["--encoding", "UTF8", "--locale", "C", "--no-sync"])
        .arg("--pwfile")
        .arg(&password_file)
        .arg("--pgdata")
        .arg(folder.path().join("data"))
        .stdin(Stdio::null())
        .output()
        .context("starting initdb")?;
    fs::remove_file(&password_file).context("removing the password file")?;
    if !output.status.success() {
        bail!(
            "initdb failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn launch(binaries: &Path, account: Account, folder: &Path) -> Result<(Child, u16)> {
    let [port] = free_ports()?;
    let log = folder.join("server.log");
    let log_file = fs::File::create(&log).context("creating the server's log")?;
    let mut process = account
        .command(&pg_program(binaries, "postgres")?)
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-c", "listen_addresses=127.0.0.1", "-c"])
        .arg(format!("port={port}"))
        .args(["-c", "unix_socket_directories="])
        // Every test opens a pool of its own.
        .args(["-c", "max_connections=500"])
        // The data dies with the run; no test cuts the power of the machine.
        .args(["-c", "fsync=off", "-c", "full_page_writes=off"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log_file)
        .spawn()
        .context("starting postgres")?;
    match wait_until_ready(&mut process, folder) {
        Ok(()) => Ok((process, port)),
        Err(error) => {
            let _already_gone = process.kill();
            let _already_waited = process.wait();
            let said = fs::read_to_string(&log).unwrap_or_default();
            Err(error.context(format!("PostgreSQL said:\n{said}")))
        }
    }
}

/// The server writes its state into the last line of `postmaster.pid`; `pg_ctl -w` reads the same line.
fn wait_until_ready(process: &mut Child, folder: &Path) -> Result<()> {
    let state = folder.join("data").join("postmaster.pid");
    let deadline = Instant::now() + START_LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = process.try_wait().context("watching postgres")? {
            bail!("postgres ended at once with {status}");
        }
        match fs::read_to_string(&state) {
            Ok(text)
                if text
                    .lines()
                    .last()
                    .is_some_and(|line| line.trim() == "ready") =>
            {
                return Ok(());
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).context("reading postmaster.pid"),
        }
        thread::sleep(Duration::from_millis(20));
    }
    bail!("postgres was not ready within {START_LIMIT:?}")
}

fn pg_program(binaries: &Path, name: &str) -> Result<PathBuf> {
    tools::executable(binaries, name).with_context(|| format!("{name} in {}", binaries.display()))
}

fn quiet(mut command: Command) -> Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
