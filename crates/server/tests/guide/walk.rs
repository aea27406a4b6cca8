//! Walks through the deployment guide: every block marked `test` is carried out, in its order, in
//! one temporary folder, against the real program and simulators of Zoho and Moodle.
//!
//! | marked | what is done |
//! |---|---|
//! | `sh test` | run by `sh -eu`; must succeed |
//! | `sh test server` | the server before is stopped, this one started and waited for |
//! | `ini test FILE` | written to the file |
//! | `text test log` | each line must be in the server's log |
//!
//! Invented values of the guide (addresses, credentials) are replaced by the simulators' own.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::Read,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mzi_simulators::{
    moodle::{Content, MoodleOptions, MoodleSimulator},
    zoho::{ZohoOptions, ZohoSimulator},
};
use tempfile::TempDir;

use crate::markdown::{Block, blocks, read, root};

const GUIDE: &str = "docs/operator/deployment.md";
/// Longest a command, a start, a stop or a delivery may take.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(25);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guides_commands_do_what_the_guide_says() {
    let mut walk = Walk::begin().await;
    let marked: Vec<Block> = blocks(&read(GUIDE))
        .into_iter()
        .filter(|block| block.info.iter().any(|word| word == "test"))
        .collect();
    assert!(
        marked.len() >= 15,
        "only {} blocks are marked",
        marked.len()
    );
    for block in &marked {
        walk.carry_out(block);
    }
    walk.students_are_in_moodle();
    walk.stop_server();
}

/// What the guide's reader would have before them.
struct Walk {
    zoho: ZohoSimulator,
    moodle: MoodleSimulator,
    folder: TempDir,
    address: String,
    students: Vec<String>,
    server: Option<Server>,
}

impl Walk {
    async fn begin() -> Self {
        let zoho = ZohoSimulator::start(ZohoOptions {
            students: 4,
            ..ZohoOptions::default()
        });
        let zoho = zoho.await.unwrap();
        let bare = MoodleOptions {
            content: Content::Bare,
            ..MoodleOptions::default()
        };
        let moodle = MoodleSimulator::start(bare).await.unwrap();
        let students = zoho
            .ids("BTEC_Students")
            .into_iter()
            .take(3)
            .collect::<Vec<_>>();
        let folder = TempDir::new().unwrap();
        let example = root().join(".env.example");
        fs::copy(example, folder.path().join(".env.example")).unwrap();
        fs::write(
            folder.path().join("ids.txt"),
            format!("{}\n{}\n", students[0], students[1]),
        )
        .unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        Self {
            zoho,
            moodle,
            folder,
            address,
            students,
            server: None,
        }
    }

    fn carry_out(&mut self, block: &Block) {
        let words: Vec<&str> = block.info.iter().map(String::as_str).collect();
        let text = self.with_our_values(&block.text);
        match words.as_slice() {
            ["sh", "test"] => self.run(block.line, &text),
            ["sh", "test", "server"] => {
                self.stop_server();
                self.server = Some(self.start_server(block.line, &text));
            }
            ["ini", "test", file] => fs::write(self.folder.path().join(file), text).unwrap(),
            ["text", "test", "log"] => self.log_has(block.line, &text),
            other => panic!("line {}: nobody knows how to test {other:?}", block.line),
        }
    }

    fn with_our_values(&self, text: &str) -> String {
        text.replace("127.0.0.1:8001", &self.address)
            .replace("1000.YOURCLIENTID", self.zoho.client_id())
            .replace("YOURCLIENTSECRET", self.zoho.client_secret())
            .replace("https://moodle.example.org", self.moodle.base_url())
            .replace("YOURMOODLETOKEN", self.moodle.token())
    }

    /// A shell in the folder, with `mzi` on its path and nothing of ours in its environment.
    fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-euc", script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path())
            .env("HOME", self.folder.path())
            .env("NO_COLOR", "1")
            .env("ALLOW_PRIVATE_HOSTS", "true")
            .env("ZOHO_ACCOUNTS_URL", self.zoho.base_url())
            .env("ZOHO_API_URL", self.zoho.base_url())
            .env("CODE", self.zoho.grant_code())
            .env("RECORD", &self.students[2])
            .stdin(Stdio::null());
        command
    }

    fn run(&self, line: usize, script: &str) {
        let seen = self.folder.path().join("output.log");
        let out = File::create(&seen).unwrap();
        let mut command = self.shell(script);
        command.stdout(out.try_clone().unwrap()).stderr(out);
        let mut child = command.spawn().unwrap();
        let status = ended(&mut child);
        let output = fs::read_to_string(&seen).unwrap();
        let server = self
            .server
            .as_ref()
            .map(|server| server.log(self.folder.path()));
        assert_eq!(
            status,
            Some(0),
            "{GUIDE} line {line} (it needs curl and awk):\n{script}\n{output}\nserver: {server:?}"
        );
    }

    fn start_server(&self, line: usize, script: &str) -> Server {
        // By `exec` the shell becomes the server, so that its signals reach it.
        let log = File::create(self.folder.path().join(SERVER_LOG)).unwrap();
        let mut command = self.shell(&format!("exec {script}"));
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = Server(command.spawn().unwrap());
        let ready = until(|| {
            let gone = server.0.try_wait().unwrap().is_some();
            assert!(
                !gone,
                "{GUIDE} line {line}: {}",
                server.log(self.folder.path())
            );
            is_ready(&self.address)
        });
        assert!(
            ready,
            "{GUIDE} line {line}: {}",
            server.log(self.folder.path())
        );
        server
    }

    fn stop_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            let pid = server.0.id().to_string();
            assert!(
                Command::new("kill")
                    .args(["-TERM", &pid])
                    .status()
                    .unwrap()
                    .success()
            );
            let log = server.log(self.folder.path());
            assert_eq!(ended(&mut server.0), Some(0), "{log}");
        }
    }

    fn log_has(&self, line: usize, expected: &str) {
        let server = self.server.as_ref().unwrap();
        for wanted in expected.lines() {
            let seen = until(|| server.log(self.folder.path()).contains(wanted));
            assert!(
                seen,
                "{GUIDE} line {line}: no '{wanted}' in\n{}",
                server.log(self.folder.path())
            );
        }
    }

    /// The two whose ids were sent as a list, and the one that was read again.
    fn students_are_in_moodle(&self) {
        for student in &self.students {
            let there = || {
                self.moodle
                    .users()
                    .iter()
                    .any(|user| user.idnumber == *student)
            };
            assert!(until(there), "{student} is not in Moodle");
        }
    }
}

const SERVER_LOG: &str = "server.log";

struct Server(Child);

impl Server {
    fn log(&self, folder: &Path) -> String {
        fs::read_to_string(folder.join(SERVER_LOG)).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed must not leave a process behind.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The folder of the program before everything else.
fn path() -> OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_mzi"))
        .parent()
        .unwrap()
        .to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(own).chain(std::env::split_paths(&others));
    std::env::join_paths(all).unwrap()
}

/// The exit code, or nothing if it had to be killed.
fn ended(child: &mut Child) -> Option<i32> {
    let mut status = None;
    until(|| {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    status.and_then(|status| status.code())
}

fn is_ready(address: &str) -> bool {
    let Ok(mut stream) = std::net::TcpStream::connect(address) else {
        return false;
    };
    let request =
        format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let sent = std::io::Write::write_all(&mut stream, request.as_bytes());
    let mut answer = String::new();
    sent.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

fn until(mut seen: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if seen() {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    false
}
