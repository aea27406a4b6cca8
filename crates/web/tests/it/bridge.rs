//! The HTTP surface over a store in memory.

use std::sync::Arc;

use actix_web::{
    App,
    body::to_bytes,
    http::{
        Method, StatusCode,
        header::{CONTENT_LENGTH, HeaderMap},
    },
    middleware::from_fn,
    test::{TestRequest, init_service},
};
use chrono::Duration;
use mzi_application::{
    api_keys::ApiKeys,
    breaker::Breakers,
    health::Health,
    issues::Issues,
    receive_webhook::{ReceiveWebhook, WebhookSecret},
    student_portal::StudentPortal,
    wakeup::Wakeup,
    worker::Pulse,
};
use mzi_domain::{Entity, Upstream, Values, WorkKey, ZohoId, role::Role};
use mzi_ports::{
    Ledger,
    ledger::{Claim, Committed, Effects, Verdict, WorkResult},
    testing::{
        memory_store::MemoryStore,
        store_contract::samples::created,
        time::{CountingIds, ManualClock},
    },
};
use mzi_web::{Web, auth::plugin_token::PluginTokens, metrics::Metrics};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// The secrets of these tests, used nowhere else.
pub const WEBHOOK_SECRET: &str = "test-secret-0123456789abcdef0123";
pub const PLUGIN_SECRET: &str = "test-vector-plugin-secret-0123456789abcdef";
pub const SITE: &str = "https://moodle.college.example";

/// A bridge with everything switched on, and its store.
pub struct Bridge {
    pub store: MemoryStore,
    pub clock: Arc<ManualClock>,
    pub breakers: Arc<Breakers>,
    web: Arc<Web>,
}

/// What a bridge is made of.
pub struct Parts {
    pub webhook_secret: Option<WebhookSecret>,
    pub plugin: Option<PluginTokens>,
    pub pulse: Option<Arc<Pulse>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            webhook_secret: WebhookSecret::new(WEBHOOK_SECRET.into(), None),
            plugin: Some(plugin_tokens()),
            pulse: None,
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Bridge {
    pub fn new() -> Self {
        Self::with(Parts::default())
    }

    pub fn with(parts: Parts) -> Self {
        let Parts {
            webhook_secret,
            plugin,
            pulse,
        } = parts;
        let store = MemoryStore::new();
        let clock = Arc::new(ManualClock::new());
        let breakers = Arc::new(Breakers::default());
        let shared = || Arc::new(store.clone());
        let modules = Entity::ALL.map(|entity| (entity.default_module().to_owned(), entity));
        let intake_enabled = webhook_secret.is_some();
        let web = Web {
            receive: ReceiveWebhook::new(
                shared(),
                clock.clone(),
                Arc::new(CountingIds::default()),
                Wakeup::default(),
                webhook_secret,
                modules.into(),
            ),
            portal: StudentPortal::new(shared(), breakers.clone(), clock.clone()),
            health: Health::new(
                shared(),
                clock.clone(),
                breakers.clone(),
                None,
                pulse,
                intake_enabled,
                "9.9.9",
            ),
            keys: ApiKeys::new(shared(), clock.clone()),
            issues: Issues::new(shared()),
            plugin,
            metrics: Metrics::new().unwrap(),
            instance: "nonce-of-this-process".into(),
        };
        Self {
            store,
            clock,
            breakers,
            web: Arc::new(web),
        }
    }

    /// Sends a request as the server would take it.
    pub async fn send(&self, request: TestRequest) -> Answer {
        self.deliver(request, true).await
    }

    /// The same, without saying beforehand how long the body is.
    pub async fn stream(&self, request: TestRequest) -> Answer {
        self.deliver(request, false).await
    }

    async fn deliver(&self, request: TestRequest, announced: bool) -> Answer {
        let mut request = request.to_request();
        if !announced {
            request.headers_mut().remove(CONTENT_LENGTH);
        }
        let app = App::new()
            .wrap(from_fn(mzi_web::request_id::tag))
            .configure(mzi_web::configure(Arc::clone(&self.web)));
        let service = init_service(app).await;
        let answer = actix_web::test::call_service(&service, request).await;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = to_bytes(answer.into_body()).await.ok().unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer {
            status,
            headers,
            body,
        }
    }

    /// A GET without any proof.
    pub async fn get(&self, target: &str) -> Answer {
        self.send(request(Method::GET, target)).await
    }

    /// A GET with a bearer token.
    pub async fn get_as(&self, token: &str, target: &str) -> Answer {
        let request = request(Method::GET, target);
        self.send(bearing(request, token)).await
    }

    /// A new API key with this role.
    pub async fn key(&self, role: Role) -> String {
        let key = self.web.keys.add("a test", role, None).await.unwrap();
        key.token.expose_secret().to_owned()
    }

    /// A new API key that ends after this much time, with its public half.
    pub async fn key_for(&self, span: Duration) -> (String, String) {
        use mzi_ports::Clock;
        let end = self.clock.now() + span;
        let key = self.web.keys.add("a test", Role::Admin, Some(end)).await;
        let key = key.unwrap();
        (key.token.expose_secret().to_owned(), key.key.id)
    }

    /// Revokes a key by its public half.
    pub async fn revoke(&self, id: &str) {
        assert!(self.web.keys.revoke(id).await.unwrap());
    }

    /// Zoho has been unreachable from now on.
    pub fn zoho_is_down(&self) {
        use mzi_ports::Clock;
        self.breakers.failed(Upstream::Zoho, true, self.clock.now());
    }

    /// The store holds this record, as the worker would have written it.
    pub async fn holds(&self, entity: Entity, number: u64, values: Values) -> ZohoId {
        let change = created(entity, number, values);
        let id = change.id.clone();
        let key = WorkKey::new(mzi_domain::Lane::Refresh(entity), id.clone());
        let effects = Effects {
            record: Some(change),
            ..Effects::default()
        };
        self.does(key, Verdict::Done, effects).await;
        id
    }

    /// A piece of work is done with these effects.
    pub async fn does(&self, key: WorkKey, verdict: Verdict, effects: Effects) {
        use mzi_ports::Clock;
        let now = self.clock.now();
        self.store
            .mark(std::slice::from_ref(&key), now)
            .await
            .unwrap();
        let claim = Claim {
            lane: key.lane,
            limit: 1,
            owner: "a test".into(),
            now,
            lease_for: std::time::Duration::from_secs(90),
        };
        let lease = self.store.claim(&claim).await.unwrap().remove(0);
        assert_eq!(lease.key, key);
        let result = WorkResult {
            lease,
            verdict,
            effects,
        };
        let committed = self.store.commit(&[result], now).await.unwrap();
        assert_eq!(committed, [Committed::Written]);
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Status and the problem's code, which every refusal must have, in its proper form.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let document = self.json();
        let code = document["code"].as_str().unwrap().to_owned();
        assert_eq!(document["status"], self.status.as_u16());
        assert_eq!(document["type"], format!("/problems/{code}"));
        assert_eq!(document["instance"].as_str(), self.header("x-request-id"));
        (self.status.as_u16(), code)
    }
}

/// A request line.
pub fn request(method: Method, target: &str) -> TestRequest {
    TestRequest::default().method(method).uri(target)
}

/// The request with a bearer token.
pub fn bearing(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

/// The plugin's tokens of the invented site.
pub fn plugin_tokens() -> PluginTokens {
    let secret = SecretString::from(PLUGIN_SECRET);
    PluginTokens::new(&secret, None, "primary".into(), vec![SITE.into()]).unwrap()
}
