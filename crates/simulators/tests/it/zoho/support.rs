//! A client that holds every call against Zoho's OpenAPI files.

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock, Mutex},
};

use mzi_simulators::{
    conformance::Zoho,
    serve::{Answer, Request, Server},
    zoho::{ZohoOptions, ZohoSimulator},
};
use reqwest::Method;
use serde_json::{Value, json};

static PUBLISHED: LazyLock<Zoho> = LazyLock::new(|| match Zoho::load() {
    Ok(zoho) => zoho,
    Err(problem) => panic!("{problem}"),
});

/// A call as it went over the wire.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: String,
    pub sent: Vec<u8>,
    pub status: u16,
    pub received: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    /// Null when the answer has no body.
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Heard {
    /// The one item of a `data` list.
    pub fn item(&self) -> &Value {
        assert_eq!(self.items().len(), 1, "{self:?}");
        &self.items()[0]
    }

    /// The items of a `data` list.
    pub fn items(&self) -> &[Value] {
        self.body["data"].as_array().map_or(&[], Vec::as_slice)
    }

    pub fn codes(&self) -> Vec<&str> {
        self.items()
            .iter()
            .map(|item| item["code"].as_str().unwrap_or_default())
            .collect()
    }
}

/// A simulator and a client with a token.
pub struct Desk {
    pub zoho: ZohoSimulator,
    pub http: reqwest::Client,
    pub token: String,
    pub heard: Mutex<Vec<Exchange>>,
}

impl Desk {
    /// A small college and a token with every scope.
    pub async fn open() -> Self {
        Self::with(ZohoOptions {
            students: 30,
            ..ZohoOptions::default()
        })
        .await
    }

    pub async fn with(options: ZohoOptions) -> Self {
        let zoho = ZohoSimulator::start(options).await.expect("a free port");
        let http = reqwest::Client::builder().build().expect("a client");
        let mut desk = Self {
            zoho,
            http,
            token: String::new(),
            heard: Mutex::default(),
        };
        desk.token = desk.new_token().await;
        desk
    }

    pub async fn new_token(&self) -> String {
        let granted = self.refresh().await;
        assert_eq!(granted.status, 200, "{granted:?}");
        granted.body["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    pub async fn refresh(&self) -> Heard {
        self.accounts(&[
            ("grant_type", "refresh_token"),
            ("client_id", self.zoho.client_id()),
            ("client_secret", self.zoho.client_secret()),
            ("refresh_token", self.zoho.refresh_token()),
        ])
        .await
    }

    /// Calls the accounts server, which Zoho publishes no OpenAPI file for.
    pub async fn accounts(&self, form: &[(&str, &str)]) -> Heard {
        let url = format!("{}/oauth/v2/token", self.zoho.base_url());
        heard(
            self.http
                .post(url)
                .form(form)
                .send()
                .await
                .expect("an answer"),
        )
        .await
    }

    pub async fn get(&self, target: &str) -> Heard {
        self.call(Method::GET, target, &[], None).await
    }

    pub async fn post(&self, target: &str, body: Value) -> Heard {
        self.call(Method::POST, target, &[], Some(body)).await
    }

    pub async fn put(&self, target: &str, body: Value) -> Heard {
        self.call(Method::PUT, target, &[], Some(body)).await
    }

    pub async fn patch(&self, target: &str, body: Value) -> Heard {
        self.call(Method::PATCH, target, &[], Some(body)).await
    }

    pub async fn delete(&self, target: &str) -> Heard {
        self.call(Method::DELETE, target, &[], None).await
    }

    /// Calls with the request and the answer held against the published files.
    pub async fn call(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Heard {
        let exchange = self.exchange(method, target, headers, body).await;
        let Exchange {
            method,
            path,
            query,
            sent,
            ..
        } = &exchange.0;
        if let Err(problem) = PUBLISHED.validate_request(method, path, query, sent) {
            panic!("{problem}");
        }
        exchange.1
    }

    /// Calls with a request that is wrong on purpose; only the answer is held against the files.
    pub async fn misuse(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Heard {
        self.exchange(method, target, headers, body).await.1
    }

    async fn exchange(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (Exchange, Heard) {
        let url = format!("{}/crm/v8/{target}", self.zoho.base_url());
        let mut request = self.http.request(method.clone(), &url);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Zoho-oauthtoken {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        if !sent.is_empty() {
            request = request.body(sent.clone());
        }
        let answer = request.send().await.expect("an answer");
        let path = answer.url().path().to_owned();
        let query = answer.url().query().unwrap_or_default().to_owned();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let received = answer.bytes().await.expect("a body").to_vec();
        let exchange = Exchange {
            method: method.to_string(),
            path,
            query,
            sent,
            status,
            received,
        };
        self.heard.lock().expect("no panic").push(exchange.clone());
        let Exchange { method, path, .. } = &exchange;
        if let Err(problem) = PUBLISHED.validate_response(method, path, status, &exchange.received)
        {
            panic!("{problem}");
        }
        let body = serde_json::from_slice(&exchange.received).unwrap_or_default();
        (
            exchange,
            Heard {
                status,
                body,
                headers,
            },
        )
    }

    /// The id of the first record of a module.
    pub fn first(&self, module: &str) -> String {
        self.zoho.ids(module).first().expect("a record").clone()
    }
}

async fn heard(answer: reqwest::Response) -> Heard {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.expect("a body");
    Heard {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or_default(),
    }
}

/// A receiver of notifications.
pub struct Receiver {
    pub server: Server,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    pub async fn open() -> Self {
        let bodies: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = Arc::clone(&bodies);
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::start(any_port, move |request: Request| {
            let kept = Arc::clone(&kept);
            async move {
                let body = serde_json::from_slice(&request.body).expect("JSON");
                kept.lock().expect("no panic").push(body);
                Answer::json(202, &json!({"status": "accepted"})).into()
            }
        })
        .await
        .expect("a free port");
        Self { server, bodies }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks?k=v", self.server.local_addr())
    }

    pub fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().expect("no panic").clone()
    }
}

/// Opens channel 10001 with these keys beside the mandatory ones.
pub async fn watch(desk: &Desk, receiver: &Receiver, events: &[&str], more: Value) -> Value {
    let mut entry = json!({
        "channel_id": "10001", "events": events, "notify_url": receiver.url(), "token": "echo-me",
        "notify_on_related_action": false,
    });
    entry
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    let heard = desk.post("actions/watch", json!({"watch": [entry]})).await;
    assert_eq!(heard.status, 201, "{heard:?}");
    heard.body["watch"][0]["details"]["events"].clone()
}
