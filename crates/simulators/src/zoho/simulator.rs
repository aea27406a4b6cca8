//! The handle of a running simulator, for tests, the demo and the benches.

use std::{
    io,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

use super::{
    api,
    field_change::FieldChange,
    limits::Meter,
    oauth::TokenBook,
    options::{Limits, ZohoOptions},
    refusal::Refusal,
    store::{Store, seeded},
    watch::{Channels, Delivery, Outbox, deliver_all},
    world::World,
};
use crate::{
    clock::Clock,
    faults::{CallLog, Calls, Fault, Faults},
    invented::Size,
    locked,
    serve::Server,
};

/// A running Zoho CRM. Clones are handles of the same one.
///
/// Changes made here are made "by the registrar": they notify channels like any other change, and
/// `Modified_By` differs from that of changes made through the API.
#[derive(Debug, Clone)]
pub struct ZohoSimulator {
    pub(super) world: Arc<World>,
    running: Arc<Running>,
}

#[derive(Debug)]
struct Running {
    server: Server,
    delivering: Mutex<Option<JoinHandle<()>>>,
}

impl ZohoSimulator {
    /// Starts a simulator.
    ///
    /// # Errors
    /// When the address cannot be bound, or no HTTP client for notifications can be made.
    pub async fn start(options: ZohoOptions) -> io::Result<Self> {
        // The first provider of a process wins; another one is as good.
        let _already_there = rustls::crypto::ring::default_provider()
            .install_default()
            .is_err();
        let client = reqwest::Client::builder()
            .build()
            .map_err(io::Error::other)?;
        let listener = TcpListener::bind(options.addr).await?;
        let (queue, notifications) = mpsc::unbounded_channel();
        let world = Arc::new(world(
            options,
            format!("http://{}", listener.local_addr()?),
            queue,
        ));
        let answering = Arc::clone(&world);
        let server = Server::on(listener, move |request| {
            let world = Arc::clone(&answering);
            async move { api::handle(world, request).await }
        })?;
        let delivering = tokio::spawn(deliver_all(Arc::clone(&world), client, notifications));
        let running = Running {
            server,
            delivering: Mutex::new(Some(delivering)),
        };
        Ok(Self {
            world,
            running: Arc::new(running),
        })
    }

    /// Where it listens: accounts server, API and control interface alike.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.world.base_url
    }

    /// The client id of the simulated self client.
    #[must_use]
    pub fn client_id(&self) -> &'static str {
        super::CLIENT_ID
    }

    /// The client secret of the simulated self client.
    #[must_use]
    pub fn client_secret(&self) -> &'static str {
        super::CLIENT_SECRET
    }

    /// A refresh token that is valid from the start.
    #[must_use]
    pub fn refresh_token(&self) -> &'static str {
        super::REFRESH_TOKEN
    }

    /// A grant code that is valid from the start, once.
    #[must_use]
    pub fn grant_code(&self) -> &'static str {
        super::GRANT_CODE
    }

    /// Inserts a record and returns its id.
    ///
    /// # Errors
    /// With Zoho's refusal, when the fields do not fit.
    pub fn insert(&self, module: &str, fields: &Value) -> Result<String, Refusal> {
        self.world.insert(module, fields)
    }

    /// Changes fields of a record.
    ///
    /// # Errors
    /// With Zoho's refusal, when the record is unknown or the fields do not fit.
    pub fn update(&self, module: &str, id: &str, fields: &Value) -> Result<(), Refusal> {
        self.world.update(module, id, fields)
    }

    /// Moves a record to the recycle bin.
    ///
    /// # Errors
    /// With Zoho's refusal, when the record is unknown.
    pub fn delete(&self, module: &str, id: &str) -> Result<(), Refusal> {
        self.world.delete(module, id)
    }

    /// Takes a record out of the recycle bin again.
    ///
    /// # Errors
    /// With Zoho's refusal, when it is not there.
    pub fn restore(&self, module: &str, id: &str) -> Result<(), Refusal> {
        self.world.restore(module, id)
    }

    /// Deletes a record for good that is in the recycle bin.
    ///
    /// # Errors
    /// With Zoho's refusal, when it is not there.
    pub fn purge(&self, module: &str, id: &str) -> Result<(), Refusal> {
        self.world.purge(module, id)
    }

    /// A record as a single read shows it.
    #[must_use]
    pub fn record(&self, module: &str, id: &str) -> Option<Value> {
        self.world.record(module, id)
    }

    /// The ids of a module's records, oldest first.
    #[must_use]
    pub fn ids(&self, module: &str) -> Vec<String> {
        self.world.ids(module)
    }

    /// All records of a module as single reads show them, oldest first.
    #[must_use]
    pub fn records(&self, module: &str) -> Vec<Value> {
        self.ids(module)
            .iter()
            .filter_map(|id| self.record(module, id))
            .collect()
    }

    /// Renames, removes or flags a field, as an administrator might in Zoho's settings.
    ///
    /// # Errors
    /// With Zoho's refusal, when the module or field is unknown.
    pub fn alter_field(
        &self,
        module: &str,
        field: &str,
        change: &FieldChange,
    ) -> Result<(), Refusal> {
        self.world.alter_field(module, field, change)
    }

    /// The living notification channels, as `GET /actions/watch` lists them.
    #[must_use]
    pub fn channels(&self) -> Vec<Value> {
        super::watch::details_of_all(&self.world)
    }

    /// What became of the notifications so far.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world.outbox.deliveries()
    }

    /// Waits until every notification was delivered, refused or dropped.
    pub async fn settle(&self) {
        self.world.outbox.settle().await;
    }

    /// The log of calls.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.world.calls.snapshot()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.world.calls.clear();
    }

    /// Scripts a fault.
    pub fn fault(&self, fault: Fault) {
        self.world.faults.add(fault);
    }

    /// Removes every scripted fault.
    pub fn clear_faults(&self) {
        self.world.faults.clear();
    }

    /// Makes it another organisation.
    pub fn set_org_id(&self, zgid: &str) {
        zgid.clone_into(&mut locked(&self.world.org_id));
    }

    /// Revokes a refresh token with its access tokens, or one access token; false if unknown.
    pub fn revoke_token(&self, token: &str) -> bool {
        locked(&self.world.tokens).revoke(token)
    }

    /// Makes a refresh token valid, also one that was revoked.
    pub fn allow_refresh_token(&self, token: &str) {
        locked(&self.world.tokens).allow_refresh_token(token);
    }

    /// Ends every access token; refresh tokens stay valid.
    pub fn end_access_tokens(&self) {
        locked(&self.world.tokens).end_access_tokens();
    }

    /// Adds a grant code that works once within `life`.
    pub fn add_grant_code(&self, code: &str, life: TimeDelta) {
        let expires = self.world.now().saturating_add(life.num_seconds());
        locked(&self.world.tokens).add_code(code, expires);
    }

    /// Changes the scopes of tokens given from now on, comma-separated.
    pub fn set_scopes(&self, scopes: &str) {
        locked(&self.world.tokens).set_scopes(scopes);
    }

    /// Changes the limits of credits and concurrency.
    pub fn set_limits(&self, limits: Limits) {
        self.world.meter.set(limits);
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.world.clock.advance(by);
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    /// Stops answering and delivering.
    pub async fn stop(&self) {
        self.running.server.stop().await;
        let delivering = locked(&self.running.delivering).take();
        if let Some(task) = delivering {
            task.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(task) = locked(&self.delivering).take() {
            task.abort();
        }
    }
}

fn world(
    options: ZohoOptions,
    base_url: String,
    queue: mpsc::UnboundedSender<super::watch::Notification>,
) -> World {
    let clock = Clock::default();
    let today = options.today.unwrap_or_else(|| clock.now().date_naive());
    let mut store = match options.students {
        0 => Store::empty(),
        students => seeded(&Size {
            students,
            seed: options.seed,
            today,
        }),
    };
    for (module, field) in &options.unique_fields {
        let Some(table) = store.table_mut(module) else {
            continue;
        };
        let Some(number) = table.schema.number(field) else {
            continue;
        };
        table.alter(|schema| {
            FieldChange {
                unique: Some(true),
                ..FieldChange::default()
            }
            .apply(schema, number)
        });
    }
    World {
        base_url,
        clock,
        faults: Faults::default(),
        calls: CallLog::default(),
        meter: Arc::new(Meter::new(options.limits)),
        tokens: Mutex::new(TokenBook::new(options.seed, options.scopes.clone())),
        org_id: Mutex::new("700000001".to_owned()),
        store: Mutex::new(store),
        channels: Mutex::new(Channels::default()),
        outbox: Outbox::new(queue),
        options,
    }
}
