//! Binds first, builds everything, then runs until told to stop.

use std::{net::SocketAddr, sync::Arc};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, rt};
use anyhow::{Context, Result, bail};
use mzi_domain::setup::Gate;
use mzi_web::Web;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    settings::Settings,
    wiring::{Bridge, Running},
};

/// Threads that serve requests; each costs memory, and two cores gain nothing from more.
const MOST_HTTP_WORKERS: usize = 4;
/// How long an idle connection is kept.
const KEEP_ALIVE_SECONDS: u64 = 75;
/// How long a client may take to send its request's head.
const HEAD_SECONDS: u64 = 10;
/// How long open requests may take to end after a stop.
const SHUTDOWN_SECONDS: u64 = 10;

/// A bridge that is bound and built.
pub struct Application {
    address: SocketAddr,
    server: actix_web::dev::Server,
    running: Running,
}

impl Application {
    /// Opens the database, migrates it if that is wanted, and binds. Calls nobody outside.
    pub async fn build(settings: Settings, migrate: bool) -> Result<Self> {
        let bind = settings.bind;
        let bridge = Bridge::open(settings)?;
        own(&bridge)?;
        bring_up_to_date(&bridge, migrate)?;
        introduce(&bridge);
        let running = bridge.assemble().await?;
        let (address, server) = listen(bind, Arc::clone(&running.web))?;
        Ok(Self {
            address,
            server,
            running,
        })
    }

    /// Runs until `stop`: no new work is claimed, open requests and running work end, then all is
    /// let go.
    pub async fn run_until(self, stop: CancellationToken) -> Result<()> {
        tracing::info!(address = %self.address, "listening");
        let tasks = TaskTracker::new();
        match self.running.worker {
            Some(worker) => drop(tasks.spawn(worker.run(stop.clone()))),
            None => tracing::warn!(
                "Zoho or Moodle is not configured yet: webhooks are stored, nothing is worked"
            ),
        }
        if let Some(channels) = self.running.channels {
            tasks.spawn(channels.run(stop.clone()));
        }
        tasks.close();
        let handle = self.server.handle();
        rt::spawn(stop_server(handle, stop.clone()));
        let ended = self.server.await;
        // The server also ends by itself when a socket fails: then everything else must end too.
        stop.cancel();
        tasks.wait().await;
        tracing::info!("stopped");
        ended.context("the server failed")
    }
}

async fn stop_server(handle: ServerHandle, stop: CancellationToken) {
    stop.cancelled().await;
    tracing::info!("stopping: open requests and running work are allowed to end");
    handle.stop(true).await;
}

fn listen(bind: SocketAddr, web: Arc<Web>) -> Result<(SocketAddr, actix_web::dev::Server)> {
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(mzi_web::request_id::tag))
            .configure(mzi_web::configure(Arc::clone(&web)))
    })
    .workers(workers.min(MOST_HTTP_WORKERS))
    .keep_alive(std::time::Duration::from_secs(KEEP_ALIVE_SECONDS))
    .client_request_timeout(std::time::Duration::from_secs(HEAD_SECONDS))
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals()
    .bind(bind)
    .with_context(|| format!("BIND_ADDR {bind} cannot be listened on"))?;
    let address = server.addrs().first().copied().unwrap_or(bind);
    Ok((address, server.run()))
}

/// One process works a SQLite database: its leases would mean nothing to a second one.
fn own(bridge: &Bridge) -> Result<()> {
    let is_file = bridge.settings.database_url.starts_with("sqlite:");
    if is_file && !bridge.db.is_sole_owner() {
        bail!("another mzi process is serving this database");
    }
    Ok(())
}

fn bring_up_to_date(bridge: &Bridge, migrate: bool) -> Result<()> {
    if migrate {
        let applied = bridge.db.migrate()?.len();
        if applied > 0 {
            tracing::info!(migrations.applied = applied, "the database is up to date");
        }
        return Ok(());
    }
    let pending = bridge.db.pending()?;
    if !pending.is_empty() {
        bail!(
            "migrations are pending ({}); run `mzi migrate`, or start without --no-migrate",
            pending.join(", ")
        );
    }
    Ok(())
}

/// One line that says which organisation, which site, and whether anything is written.
fn introduce(bridge: &Bridge) {
    let settings = &bridge.settings;
    for warning in &settings.layers.warnings {
        tracing::warn!("{warning}");
    }
    let zoho = settings
        .zoho
        .as_ref()
        .map_or("not configured", |zoho| zoho.place.region.as_str());
    let moodle = settings
        .moodle
        .as_ref()
        .map_or("not configured", |moodle| moodle.base_url.as_str());
    let mode = match settings.policy.gate {
        Gate::Live => "LIVE",
        Gate::Observing => "OBSERVING",
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        zoho.region = zoho,
        moodle,
        "{mode}"
    );
}
