//! HTTP/1.1 by hand: requests as bytes, and the little of an answer that a load driver must read.
//!
//! A whole client would cost as much as the servers it measures, on the same two cores.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CALL_LIMIT: Duration = Duration::from_secs(15);
const CHUNK: usize = 16 * 1024;

/// The bytes of a request; `headers` are whole lines without their ends.
pub fn request(method: &str, target: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// One call on a connection of its own.
pub fn call(address: SocketAddr, request: &[u8]) -> Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, CALL_LIMIT)?;
    stream.set_read_timeout(Some(CALL_LIMIT))?;
    stream.set_nodelay(true)?;
    stream.write_all(request)?;
    let mut reader = Reader::default();
    let mut chunk = [0; CHUNK];
    loop {
        if let Some((status, body)) = reader.take()? {
            return Ok(Answer { status, body });
        }
        let read = stream.read(&mut chunk)?;
        reader.feed(chunk.get(..read).unwrap_or_default())?;
    }
}

/// A connection that is kept alive over many calls.
pub struct Connection {
    stream: tokio::net::TcpStream,
    reader: Reader,
    chunk: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = tokio::net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            reader: Reader::default(),
            chunk: vec![0; CHUNK],
        })
    }

    /// Sends a request, waits for its whole answer, and tells its status.
    pub async fn call(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        loop {
            if let Some((status, _body)) = self.reader.take()? {
                return Ok(status);
            }
            let read = self.stream.read(&mut self.chunk).await?;
            self.reader
                .feed(self.chunk.get(..read).unwrap_or_default())?;
        }
    }
}

/// Bytes received and not yet understood.
#[derive(Default)]
struct Reader(Vec<u8>);

impl Reader {
    fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            bail!("the server closed the connection before its answer");
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// The next answer, once it is there whole.
    fn take(&mut self) -> Result<Option<(u16, Vec<u8>)>> {
        let Some(end) = self.0.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let body_at = end + 4;
        let head = std::str::from_utf8(self.0.get(..end).unwrap_or_default())?;
        let (status, length) = read_head(head)?;
        let Some(body) = self.0.get(body_at..body_at + length) else {
            return Ok(None);
        };
        let body = body.to_vec();
        self.0.drain(..body_at + length);
        Ok(Some((status, body)))
    }
}

fn read_head(head: &str) -> Result<(u16, usize)> {
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .context("no status line")?;
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("chunked answers are not understood");
        }
    }
    Ok((status.parse()?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_tells_the_length_of_its_body() {
        let bytes = request("POST", "/x", &["Content-Type: application/json"], b"{}");
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\n\r\n{}"
        );
    }

    #[test]
    fn answers_are_read_one_after_the_other_however_they_arrive() {
        let sent = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 304 Not Modified\r\n\r\n";
        let mut reader = Reader::default();
        let mut seen = Vec::new();
        for byte in sent {
            reader.feed(&[*byte]).unwrap();
            seen.extend(reader.take().unwrap());
        }
        assert_eq!(seen, [(202, b"{}".to_vec()), (304, Vec::new())]);
    }

    #[test]
    fn a_closed_connection_is_an_error_and_not_an_endless_wait() {
        assert!(Reader::default().feed(b"").is_err());
    }
}
