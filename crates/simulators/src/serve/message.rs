//! Requests and answers, as handlers see them.

use bytes::Bytes;
use hyper::{HeaderMap, Method, header};
use serde::Serialize;

/// A request, read whole.
#[derive(Debug, Clone)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// What follows the `?`, as sent; empty when there is none.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; empty when there is none.
    pub body: Bytes,
}

impl Request {
    /// A header's value, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The decoded pairs of the query, in the order sent.
    #[must_use]
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        decoded_pairs(self.query.as_bytes())
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// The decoded pairs of a form body, in the order sent.
    #[must_use]
    pub fn form_pairs(&self) -> Vec<(String, String)> {
        decoded_pairs(&self.body)
    }
}

fn decoded_pairs(raw: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(raw).into_owned().collect()
}

/// An answer to send.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers besides `content-length` and `date`, which the server adds.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => Self::json_bytes(status, bytes),
            Err(error) => Self::text(500, &format!("the answer cannot be written: {error}")),
        }
    }

    /// A JSON answer that is already written.
    #[must_use]
    pub fn json_bytes(status: u16, body: impl Into<Bytes>) -> Self {
        Self::typed(status, "application/json;charset=UTF-8", body.into())
    }

    /// A plain-text answer.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self::typed(
            status,
            "text/plain;charset=UTF-8",
            Bytes::copy_from_slice(body.as_bytes()),
        )
    }

    /// An answer of any media type.
    #[must_use]
    pub fn typed(status: u16, content_type: &str, body: Bytes) -> Self {
        let headers = vec![(header::CONTENT_TYPE.to_string(), content_type.to_owned())];
        Self {
            status,
            headers,
            body,
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What a handler makes of a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A whole answer.
    Answer(Answer),
    /// The headers announce the whole answer, the connection ends after this many body bytes.
    Truncated(Answer, usize),
    /// The connection ends without an answer.
    Drop,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}
