//! `mzi demo`: both simulators, a fresh database and the bridge in one process, and the story of
//! one student told on the terminal. Everything runs on loopback; no account is needed anywhere.

mod story;
mod token;

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use mzi_domain::role::Role;
use mzi_simulators::{
    moodle::{MoodleOptions, MoodleSimulator},
    zoho::{ZohoOptions, ZohoSimulator},
};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Demo, say},
    process::stop_signal,
    settings::{Given, Layers, Settings},
    startup::Application,
    telemetry::{self, Volume},
    wiring::Bridge,
};

/// Secrets of the demo, good for loopback and a temporary database only.
const PLUGIN_SECRET: &str = "demo-plugin-secret-for-loopback-only";
const WEBHOOK_SECRET: &str = "demo-webhook-secret-for-loopback-only";

/// The two sides and where the bridge is.
pub(super) struct Stage {
    zoho: ZohoSimulator,
    moodle: MoodleSimulator,
    bridge: String,
}

/// Runs the demo until its story is told, or until Ctrl-C.
pub async fn run(options: Demo) -> Result<ExitCode> {
    let stop = stop_signal()?;
    let folder = Folder::create()?;
    let bind = free(options.bind)?;
    let stage = Stage {
        zoho: ZohoSimulator::start(ZohoOptions {
            students: options.students,
            ..ZohoOptions::default()
        })
        .await
        .context("the Zoho simulator cannot start")?,
        moodle: MoodleSimulator::start(MoodleOptions::default())
            .await
            .context("the Moodle simulator cannot start")?,
        bridge: format!("http://{bind}"),
    };
    let layers = Layers::read(&Given {
        environment: environment(&stage, bind, folder.path()),
        ..Given::default()
    })?;
    telemetry::start(&layers, Volume::Errors)?;
    let key = administrators_key(&stage, bind, folder.path()).await?;
    let application = Application::build(Settings::from_layers(layers)?, true).await?;
    let bridge = actix_web::rt::spawn(application.run_until(stop.clone()));
    greet(&stage, &key);
    let told = tell(&stage, &key, &stop).await;
    if told.is_ok() && !options.once {
        say(
            "\nThe bridge keeps running; change a record in the Zoho simulator and watch it arrive. Ctrl-C ends the demo.",
        );
        stop.cancelled().await;
    }
    stop.cancel();
    bridge.await.context("the bridge panicked")??;
    stage.zoho.stop().await;
    stage.moodle.stop().await;
    told?;
    Ok(ExitCode::SUCCESS)
}

async fn tell(stage: &Stage, key: &str, stop: &CancellationToken) -> Result<()> {
    tokio::select! {
        told = story::tell(stage, key) => told,
        () = stop.cancelled() => Ok(()),
    }
}

fn greet(stage: &Stage, key: &str) {
    say("Moodle–Zoho Integration, with invented data and nothing outside this machine.\n");
    say(format!("  Zoho simulator    {}", stage.zoho.base_url()));
    say(format!("  Moodle simulator  {}", stage.moodle.base_url()));
    say(format!("  The bridge        {}/health", stage.bridge));
    say(format!("  Log in with       Authorization: Bearer {key}"));
    say(format!(
        "                    ({}/api/v1/admin/issues)\n",
        stage.bridge
    ));
}

/// The same names an operator would set.
fn environment(stage: &Stage, bind: SocketAddr, folder: &Path) -> Vec<(String, String)> {
    let database = folder.join("demo.db");
    let pairs = [
        ("BIND_ADDR", bind.to_string()),
        ("DATABASE_URL", format!("sqlite:///{}", database.display())),
        ("ALLOW_PRIVATE_HOSTS", "true".to_owned()),
        ("ZOHO_CLIENT_ID", stage.zoho.client_id().to_owned()),
        ("ZOHO_CLIENT_SECRET", stage.zoho.client_secret().to_owned()),
        ("ZOHO_REFRESH_TOKEN", stage.zoho.refresh_token().to_owned()),
        ("ZOHO_ACCOUNTS_URL", stage.zoho.base_url().to_owned()),
        ("ZOHO_API_URL", stage.zoho.base_url().to_owned()),
        ("ZOHO_WEBHOOK_HMAC_SECRET", WEBHOOK_SECRET.to_owned()),
        ("WEBHOOK_BASE_URL", stage.bridge.clone()),
        ("MOODLE_BASE_URL", stage.moodle.base_url().to_owned()),
        ("MOODLE_TOKEN", stage.moodle.token().to_owned()),
        ("MOODLE_PLUGIN_SECRET", PLUGIN_SECRET.to_owned()),
        (
            "SETUP_COMPLETED_STEPS",
            "backend,zoho,moodle,database,mapping,webhooks,golive".to_owned(),
        ),
        ("ORG_TIMEZONE", "Asia/Amman".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// A key made before the bridge starts, as an operator would with `mzi api-key add`.
async fn administrators_key(stage: &Stage, bind: SocketAddr, folder: &Path) -> Result<String> {
    let given = Given {
        environment: environment(stage, bind, folder),
        ..Given::default()
    };
    let bridge = Bridge::open(Settings::from_layers(Layers::read(&given)?)?)?;
    bridge.db.migrate()?;
    let made = bridge.keys().add("demo", Role::Admin, None).await?;
    Ok(made.token.expose_secret().to_owned())
}

/// The wanted address, or another free port beside it.
fn free(wanted: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind(wanted)
        .or_else(|_| TcpListener::bind(SocketAddr::new(wanted.ip(), 0)))
        .context("no free port")?;
    listener.local_addr().context("no free port")
}

/// A temporary folder that goes away with the demo.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self> {
        let mut bytes = [0_u8; 6];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        let path = std::env::temp_dir().join(format!("mzi-demo-{}", hex::encode(bytes)));
        std::fs::create_dir(&path).context("the temporary folder cannot be made")?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing in it is worth an error at the end.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
