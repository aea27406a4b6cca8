//! Servers under measure, as child processes: started, timed, weighed, and ended by their own id.

use std::{
    fs,
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::http;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Short against the start-up times to be measured, long enough to leave the core to the server.
const LOOK_EVERY: Duration = Duration::from_micros(300);

/// A server that answers. Dropping it kills it.
pub struct Served {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From exec to the first 200.
    pub started_in: Duration,
}

/// What a process holds, in megabytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident now.
    pub now: f64,
    /// The most it ever was.
    pub peak: f64,
}

/// A port of this machine that was free a moment ago.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

impl Served {
    /// Starts a server and waits for its first 200 at `path`; its output goes to `log`.
    pub fn start(
        mut command: Command,
        address: SocketAddr,
        path: &str,
        log: &Path,
    ) -> Result<Self> {
        let output = fs::File::create(log)?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let request = http::request("GET", path, &[], b"");
        let began = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let mut served = Self {
            child,
            address,
            started_in: Duration::ZERO,
        };
        while !is_up(address, &request) {
            if let Some(status) = served.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", end_of(log));
            }
            if began.elapsed() > START_LIMIT {
                bail!(
                    "the server did not answer within {START_LIMIT:?}:\n{}",
                    end_of(log)
                );
            }
            sleep(LOOK_EVERY);
        }
        served.started_in = began.elapsed();
        Ok(served)
    }

    /// Its memory; nothing where the system does not tell.
    pub fn memory(&self) -> Option<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        Some(Memory {
            now: megabytes(&status, "VmRSS:")?,
            peak: megabytes(&status, "VmHWM:")?,
        })
    }

    /// The processor time it has used so far; nothing where the system does not tell.
    ///
    /// Unlike time on the clock it hardly depends on what else the machine does.
    pub fn processor_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        processor_time(&stat)
    }

    /// Ends it without warning, as a power cut would.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        ask_to_end(&mut self.child)?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > STOP_LIMIT {
                bail!("the server did not end within {STOP_LIMIT:?}");
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ended = self.child.kill().and_then(|()| self.child.wait().map(drop));
    }
}

#[cfg(unix)]
fn ask_to_end(child: &mut Child) -> Result<()> {
    let status = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()?;
    if !status.success() {
        bail!("kill -TERM {}: {status}", child.id());
    }
    Ok(())
}

#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) -> Result<()> {
    Ok(child.kill()?)
}

fn is_up(address: SocketAddr, request: &[u8]) -> bool {
    http::call(address, request).is_ok_and(|answer| answer.status == 200)
}

fn megabytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1_024.0)
}

/// User and system time, the 14th and 15th field, in hundredths of a second (`proc_pid_stat(5)`).
fn processor_time(stat: &str) -> Option<Duration> {
    // The second field is the program's name, which may hold blanks.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let user: u64 = fields.get(11)?.parse().ok()?;
    let system: u64 = fields.get(12)?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

fn end_of(log: &Path) -> String {
    let text = match fs::read_to_string(log) {
        Err(error) if error.kind() == ErrorKind::NotFound => return String::new(),
        other => other.unwrap_or_default(),
    };
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(15)..)
        .unwrap_or_default()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_megabytes() {
        let status = "Name:\tmzi\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(megabytes(status, "VmRSS:"), Some(10.0));
        assert_eq!(megabytes(status, "VmHWM:"), Some(20.0));
        assert_eq!(megabytes(status, "VmSwap:"), None);
    }

    #[test]
    fn processor_time_is_user_and_system_time() {
        let stat = "42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 4 0 12345";
        assert_eq!(processor_time(stat), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_server_that_ends_at_once_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such thing >&2; exit 3"]);
        let address = free_address().unwrap();
        let started = Served::start(command, address, "/", &folder.path().join("log"));
        assert!(started.err().unwrap().to_string().contains("no such thing"));
    }
}
