//! nginx with the shipped file.
//!
//! Run as shipped but for what an operator replaces too, and for what a test may not touch:
//!
//! | in the file | here |
//! |---|---|
//! | `listen 80;`, `listen 443 ssl http2;` | the same on free ports of 127.0.0.1 |
//! | the `[::]` lines | left out: not every machine has IPv6 |
//! | the certificate's paths | one made for the test |
//! | `127.0.0.1:8001` | the test's upstream |
//! | `/var/log/nginx/` | a temporary folder |

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use xtask::scratch::Scratch;
use xtask::{loopback, run, tools};

use crate::answer::{Answer, Connection};

pub const NAME: &str = "bridge.example.org";
const START_LIMIT: Duration = Duration::from_secs(10);
const STOP_LIMIT: Duration = Duration::from_secs(5);

pub struct Proxy {
    process: Option<Child>,
    pub http_port: u16,
    https_port: u16,
    folder: Scratch,
}

impl Proxy {
    /// nginx in front of the upstream on this port.
    pub fn start(upstream_port: u16) -> Self {
        let (folder, http_port, https_port) = prepare(upstream_port);
        let process = nginx(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut proxy = Self {
            process: Some(process),
            http_port,
            https_port,
            folder,
        };
        proxy.wait_until_ready();
        proxy
    }

    pub fn connect(&self) -> Connection {
        let certificate = self.folder.path().join("certificate.pem");
        Connection::open(self.https_port, NAME, &certificate)
    }

    /// Sends one request; `headers` are whole lines.
    pub fn request(&self, method: &str, target: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut head =
            format!("{method} {target} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n");
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        if method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut connection = self.connect();
        connection.send(&head, body);
        connection.answer()
    }

    pub fn get(&self, target: &str) -> Answer {
        self.request("GET", target, &[], b"")
    }

    /// Everything nginx has written into any log, after it has ended.
    pub fn stop_and_read_logs(mut self) -> String {
        self.stop();
        fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "log"))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", self.https_port)).is_err() {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            let errors = fs::read_to_string(self.folder.path().join("start.log"));
            assert!(ended.is_none(), "nginx ended with {ended:?}: {errors:?}");
            assert!(
                Instant::now() < deadline,
                "nginx does not listen: {errors:?}"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// `nginx -s stop` signals the process whose id is in our own pid file, which ends its workers before itself.
    fn stop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let _told = nginx(self.folder.path()).args(["-s", "stop"]).output();
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(process.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _already_gone = process.kill();
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `nginx -t` on the shipped file.
pub fn configuration_test() -> Output {
    let (folder, _, _) = prepare(8001);
    nginx(folder.path()).arg("-t").output().unwrap()
}

fn prepare(upstream_port: u16) -> (Scratch, u16, u16) {
    let folder = Scratch::new("nginx").unwrap();
    make_certificate(folder.path());
    let [http_port, https_port] = loopback::free_ports().unwrap();
    let shipped = fs::read_to_string(run::root().join("deploy/nginx/mzi.conf")).unwrap();
    let adapted = adapt(
        &shipped,
        folder.path(),
        http_port,
        https_port,
        upstream_port,
    );
    folder.write("mzi.conf", &adapted).unwrap();
    folder.write("nginx.conf", &around(folder.path())).unwrap();
    (folder, http_port, https_port)
}

fn adapt(shipped: &str, folder: &Path, http: u16, https: u16, upstream: u16) -> String {
    let letsencrypt = format!("/etc/letsencrypt/live/{NAME}");
    let replacements = [
        ("    listen [::]:80;\n".to_owned(), String::new()),
        ("    listen [::]:443 ssl http2;\n".to_owned(), String::new()),
        ("listen 80;".to_owned(), format!("listen 127.0.0.1:{http};")),
        (
            "listen 443 ssl http2;".to_owned(),
            format!("listen 127.0.0.1:{https} ssl http2;"),
        ),
        (
            format!("{letsencrypt}/fullchain.pem"),
            folder.join("certificate.pem").display().to_string(),
        ),
        (
            format!("{letsencrypt}/privkey.pem"),
            folder.join("key.pem").display().to_string(),
        ),
        (
            "proxy_pass http://127.0.0.1:8001;".to_owned(),
            format!("proxy_pass http://127.0.0.1:{upstream};"),
        ),
        (
            "/var/log/nginx/".to_owned(),
            format!("{}/", folder.display()),
        ),
    ];
    replacements
        .iter()
        .fold(shipped.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "the shipped file has no {from:?}");
            text.replace(from, to)
        })
}

/// The rest of a configuration. It compresses whatever it can, as distributions switch on, so that the shipped file must refuse.
fn around(folder: &Path) -> String {
    let here = folder.display();
    format!(
        "daemon off;
worker_processes 1;
pid {here}/nginx.pid;
error_log {here}/start.log;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {here}/client;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    uwsgi_temp_path {here}/uwsgi;
    scgi_temp_path {here}/scgi;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    gzip_proxied any;
    include {here}/mzi.conf;
}}
"
    )
}

fn nginx(folder: &Path) -> Command {
    let program = tools::require("nginx").unwrap_or_else(|error| panic!("{error}"));
    let mut command = Command::new(program);
    command.arg("-e").arg(folder.join("start.log"));
    command.arg("-c").arg(folder.join("nginx.conf"));
    command
}

fn make_certificate(folder: &Path) -> PathBuf {
    let program = tools::require("openssl").unwrap_or_else(|error| panic!("{error}"));
    let certificate = folder.join("certificate.pem");
    let output = Command::new(program)
        .args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-subj", &format!("/CN={NAME}")])
        .args(["-addext", &format!("subjectAltName=DNS:{NAME}")])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl req: {said}");
    certificate
}
