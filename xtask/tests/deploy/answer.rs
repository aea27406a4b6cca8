//! A client that sends exactly the bytes it is given, over TLS: `openssl s_client`, since the standard library has no TLS.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use xtask::tools;

const PATIENCE: Duration = Duration::from_secs(20);

/// One connection; ended by its process id on drop.
pub struct Connection {
    process: Child,
    arriving: Receiver<Vec<u8>>,
    arrived: Vec<u8>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Connection {
    /// The certificate must be the proxy's own, and bear its name.
    pub fn open(port: u16, server_name: &str, certificate: &Path) -> Self {
        let openssl = tools::require("openssl").unwrap_or_else(|error| panic!("{error}"));
        let mut process = Command::new(openssl)
            .args(["s_client", "-quiet", "-verify_return_error"])
            .args(["-connect", &format!("127.0.0.1:{port}")])
            .args(["-servername", server_name])
            .args(["-verify_hostname", server_name])
            .arg("-CAfile")
            .arg(certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = process.stdout.take().unwrap();
        let (send, arriving) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            process,
            arriving,
            arrived: Vec::new(),
        }
    }

    /// A server that refuses early closes early; what it answered is still read, so a broken pipe is no failure here.
    pub fn send(&mut self, head: &str, body: &[u8]) {
        let input = self.process.stdin.as_mut().unwrap();
        let _refused_early = input
            .write_all(head.as_bytes())
            .and_then(|()| input.write_all(body))
            .and_then(|()| input.flush());
    }

    /// Waits until the text has arrived; everything that came up to now.
    pub fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let so_far = String::from_utf8_lossy(&self.arrived).into_owned();
            if so_far.contains(text) {
                return so_far;
            }
            assert!(self.more(deadline), "{text:?} did not arrive: {so_far:?}");
        }
    }

    /// Everything until the server closes.
    pub fn answer(mut self) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        while self.more(deadline) {}
        let text = String::from_utf8_lossy(&self.arrived).into_owned();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    /// `false` when the server has closed.
    fn more(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.arriving.recv_timeout(left) {
            Ok(bytes) => {
                self.arrived.extend(bytes);
                true
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => false,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                panic!("no answer within {PATIENCE:?}")
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _already_waited = self.process.wait();
    }
}
