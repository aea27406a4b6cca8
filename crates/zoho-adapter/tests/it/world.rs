//! A Zoho to script, and clients that speak to it.

use std::{sync::Arc, time::Duration};

use mzi_domain::ZohoId;
use mzi_ports::testing::{memory_store::MemoryStore, time::ManualClock};
use mzi_zoho::{DataCentre, Hosts, ZohoApp, ZohoCrm, ZohoSettings};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockBuilder, MockServer, ResponseTemplate,
    matchers::{method, path},
};

pub const MODULE: &str = "BTEC_Grades";
pub const CLIENT_SECRET: &str = "client-secret-of-nobody";
pub const REFRESH_TOKEN: &str = "1000.refresh-token-of-nobody";

/// A scripted Zoho: accounts and API on one server.
pub struct Zoho {
    pub server: MockServer,
    pub vault: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
}

impl Zoho {
    /// A Zoho that answers nothing yet.
    pub async fn silent() -> Self {
        Self {
            server: MockServer::start().await,
            vault: Arc::new(MemoryStore::new()),
            clock: Arc::new(ManualClock::new()),
        }
    }

    /// A Zoho that gives out the access token `token-1`.
    pub async fn start() -> Self {
        let zoho = Self::silent().await;
        zoho.gives_tokens(&["token-1"]).await;
        zoho
    }

    /// Gives out these access tokens, the last one for ever.
    pub async fn gives_tokens(&self, tokens: &[&str]) {
        let (last, first) = tokens.split_last().unwrap();
        for token in first {
            let answer = ok(self.token_answer(token));
            let once = token_request().respond_with(answer).up_to_n_times(1);
            once.mount(&self.server).await;
        }
        self.answers(token_request(), ok(self.token_answer(last)))
            .await;
    }

    pub fn token_answer(&self, token: &str) -> Value {
        json!({
            "access_token": token,
            "scope": "ZohoCRM.modules.ALL ZohoCRM.settings.ALL",
            "api_domain": self.server.uri(),
            "token_type": "Bearer",
            "expires_in": 3600,
        })
    }

    pub async fn answers(&self, request: MockBuilder, answer: ResponseTemplate) {
        request.respond_with(answer).mount(&self.server).await;
    }

    /// Answers the next such request this way; later ones fall to what is mounted after.
    pub async fn answers_once(&self, request: MockBuilder, answer: ResponseTemplate) {
        let mock = request.respond_with(answer).up_to_n_times(1);
        mock.mount(&self.server).await;
    }

    pub fn app(&self) -> ZohoApp {
        app(&self.server.uri())
    }

    pub fn settings(&self) -> ZohoSettings {
        ZohoSettings::new(self.app(), REFRESH_TOKEN.into()).unwrap()
    }

    /// A client as the bridge's wiring makes it.
    pub fn crm(&self) -> ZohoCrm {
        self.crm_with(self.settings())
    }

    pub fn crm_with(&self, settings: ZohoSettings) -> ZohoCrm {
        ZohoCrm::new(settings, http(), self.vault.clone(), self.clock.clone())
    }

    /// How many requests went to a path.
    pub async fn count(&self, to: &str) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        requests
            .iter()
            .filter(|request| request.url.path() == to)
            .count()
    }

    /// How often a token was asked for.
    pub async fn refreshes(&self) -> usize {
        self.count(TOKEN_PATH).await
    }
}

pub const TOKEN_PATH: &str = "/oauth/v2/token";

pub fn token_request() -> MockBuilder {
    Mock::given(method("POST")).and(path(TOKEN_PATH))
}

/// An API request.
pub fn api(verb: &str, below: &str) -> MockBuilder {
    Mock::given(method(verb)).and(path(format!("/crm/v8/{below}")))
}

pub fn ok(body: Value) -> ResponseTemplate {
    answer(200, body)
}

pub fn answer(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

/// A refusal in Zoho's words.
pub fn refusal(status: u16, code: &str, message: &str) -> ResponseTemplate {
    answer(status, refused(code, message))
}

pub fn refused(code: &str, message: &str) -> Value {
    json!({"code": code, "details": {}, "message": message, "status": "error"})
}

/// `modules` with nothing in it: the plainest good answer.
pub fn no_modules() -> ResponseTemplate {
    ok(json!({"modules": []}))
}

pub fn modules() -> MockBuilder {
    api("GET", "settings/modules")
}

pub fn app(accounts_url: &str) -> ZohoApp {
    let secret = CLIENT_SECRET.into();
    let app = ZohoApp::new(DataCentre::Com, "1000.CLIENT", secret, Hosts::AlsoPrivate);
    app.unwrap().with_accounts_url(accounts_url).unwrap()
}

pub fn http() -> reqwest::Client {
    // The simulator may have installed it already; the first one of a process stays.
    let provider = rustls::crypto::ring::default_provider();
    let _already_there = provider.install_default().is_err();
    mzi_zoho::client_builder().build().unwrap()
}

pub fn id(digits: &str) -> ZohoId {
    ZohoId::parse(digits).unwrap()
}

pub fn names(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|&name| name.to_owned()).collect()
}

pub fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
