//! What stands behind the proxy in these checks: remembers every request as it came, to the byte.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Answers below this path with two server-sent events, the second only when told.
pub const STREAM: &str = "/admin/runs/7/progress";
/// What every other path is answered with: long enough for a proxy to want to compress it.
pub const BODY: &str = "<p>the same answer the same answer the same answer the same answer</p>";

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Every value of a header, in order.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

pub struct Upstream {
    pub port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    second_event: Sender<()>,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (second_event, told) = channel();
        let told = Arc::new(Mutex::new(told));
        let remembered = Arc::clone(&seen);
        // Lives as long as the test's process; each connection is bounded by its timeout.
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (seen, told) = (Arc::clone(&remembered), Arc::clone(&told));
                thread::spawn(move || serve(connection, &seen, &told));
            }
        });
        Self {
            port,
            seen,
            second_event,
        }
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// The stream under way writes its second event and ends.
    pub fn release_second_event(&self) {
        self.second_event.send(()).unwrap();
    }
}

fn serve(connection: TcpStream, seen: &Mutex<Vec<Request>>, told: &Mutex<Receiver<()>>) {
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let Some(request) = read_request(&mut reader) else {
        return;
    };
    let streams = request.target == STREAM;
    seen.lock().unwrap().push(request);
    if streams {
        stream(connection, told);
    } else {
        answer(connection);
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let first = read_line(reader)?;
    let (method, rest) = first.split_once(' ')?;
    let (target, _version) = rest.rsplit_once(' ')?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .first()
        .map(|text| text.parse().unwrap());
    request.body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    let text = String::from_utf8(line).ok()?;
    text.strip_suffix("\r\n").map(str::to_owned)
}

fn answer(mut connection: TcpStream) {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"strong\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        BODY.len()
    );
    let _client_gone = connection.write_all(format!("{head}{BODY}").as_bytes());
}

fn stream(mut connection: TcpStream, told: &Mutex<Receiver<()>>) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    write_chunk(&mut connection, "data: first\n\n");
    if told.lock().unwrap().recv_timeout(PATIENCE).is_ok() {
        write_chunk(&mut connection, "data: second\n\n");
        write_chunk(&mut connection, "");
    }
}

fn write_chunk(connection: &mut TcpStream, text: &str) {
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    connection.write_all(chunk.as_bytes()).unwrap();
}
