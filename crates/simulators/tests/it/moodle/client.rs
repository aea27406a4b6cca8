//! A client that sees bytes: status, media type and body as they came.

use mzi_simulators::moodle::{MoodleOptions, MoodleSimulator};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub const FORM: &str = "application/x-www-form-urlencoded";

/// An answer as it came.
#[derive(Debug)]
pub struct Received {
    pub status: u16,
    pub content_type: String,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Moodle's error code, empty if the body is no refusal.
    pub fn errorcode(&self) -> String {
        self.json()["errorcode"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The codes among `warnings`.
    pub fn warning_codes(&self) -> Vec<String> {
        let body = self.json();
        let warnings = body["warnings"].as_array().expect("warnings");
        warnings
            .iter()
            .map(|w| w["warningcode"].as_str().expect("a code").to_owned())
            .collect()
    }
}

/// Sends one request; none when the connection ended without a whole answer.
pub async fn try_send(
    site: &MoodleSimulator,
    method: &str,
    target: &str,
    content_type: &str,
    body: &str,
) -> Option<Received> {
    let host = site
        .base_url()
        .strip_prefix("http://")
        .expect("an http URL");
    let mut stream = TcpStream::connect(host).await.expect("connected");
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("head sent");
    stream.write_all(body.as_bytes()).await.expect("body sent");
    let mut bytes = Vec::new();
    // A reset instead of an orderly end leaves what came before it in the buffer.
    let _ended = stream.read_to_end(&mut bytes).await;
    received(&String::from_utf8(bytes).expect("text"))
}

fn received(raw: &str) -> Option<Received> {
    let (head, body) = raw.split_once("\r\n\r\n")?;
    let value = |name: &str| {
        let line = head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with(name))?;
        line.split_once(": ").map(|(_, value)| value.to_owned())
    };
    let announced: usize =
        value("content-length").map_or(0, |text| text.parse().expect("a length"));
    (announced == body.len()).then(|| Received {
        status: head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status"),
        content_type: value("content-type").unwrap_or_default(),
        body: body.to_owned(),
    })
}

pub async fn send(
    site: &MoodleSimulator,
    method: &str,
    target: &str,
    content_type: &str,
    body: &str,
) -> Received {
    try_send(site, method, target, content_type, body)
        .await
        .expect("a whole answer")
}

/// A site with the demo's content.
pub async fn demo_site() -> MoodleSimulator {
    MoodleSimulator::start(MoodleOptions::default())
        .await
        .expect("a free port")
}

/// Sends form pairs to the REST server.
pub async fn post(site: &MoodleSimulator, pairs: &[(&str, &str)]) -> Received {
    send(
        site,
        "POST",
        "/webservice/rest/server.php",
        FORM,
        &form(pairs),
    )
    .await
}

/// Calls a function as the service user and reads the answer as JSON.
pub async fn call(site: &MoodleSimulator, function: &str, params: &[(&str, &str)]) -> Received {
    let token = site.token().to_owned();
    let mut pairs = vec![
        ("wstoken", token.as_str()),
        ("wsfunction", function),
        ("moodlewsrestformat", "json"),
    ];
    pairs.extend_from_slice(params);
    post(site, &pairs).await
}

pub fn form(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.bytes().map(encoded).collect::<String>();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    pairs.join("&")
}

fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
