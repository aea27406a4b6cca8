//! Two simulators, a database, and the settings a bridge between them gets.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use mzi_simulators::{
    moodle::{Content, MoodleOptions, MoodleSimulator},
    zoho::{ZohoOptions, ZohoSimulator},
};
use tempfile::TempDir;

use super::{Backend, Bridge, database::Database, port::Port, static_token, wait::PATIENCE};

pub const WEBHOOK_SECRET: &str = "test-secret-0123456789abcdef0123";
pub const PLUGIN_SECRET: &str = "plugin-secret-of-the-tests-0123456789";
pub const ALL_STEPS: &str = "backend,zoho,moodle,database,mapping,webhooks,golive";
/// How much of the log a failed test shows.
const LINES_SHOWN: usize = 80;

/// Everything a bridge needs around it.
pub struct World {
    pub zoho: ZohoSimulator,
    pub moodle: MoodleSimulator,
    pub database: Database,
    pub folder: TempDir,
    pub port: Port,
    environment: BTreeMap<String, String>,
}

/// A command that ran to its end.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl World {
    /// Empty simulators and a fresh database.
    pub async fn new(backend: Backend) -> Self {
        Self::with(
            backend,
            ZohoOptions {
                students: 0,
                ..ZohoOptions::default()
            },
        )
        .await
    }

    pub async fn with(backend: Backend, options: ZohoOptions) -> Self {
        install_tls();
        let zoho = ZohoSimulator::start(options).await.unwrap();
        let bare = MoodleOptions {
            content: Content::Bare,
            ..MoodleOptions::default()
        };
        let moodle = MoodleSimulator::start(bare).await.unwrap();
        let folder = TempDir::new().unwrap();
        let database = Database::fresh(backend, folder.path()).await;
        let port = Port::claim();
        let environment = environment(&zoho, &moodle, &database, &port);
        Self {
            zoho,
            moodle,
            database,
            folder,
            port,
            environment,
        }
    }

    /// Changes one setting.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    pub fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// Takes every setting away.
    pub fn unset_all(&mut self) {
        self.environment.clear();
    }

    /// Names and values of all settings.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Makes the bridge register notification channels, so that changes in Zoho arrive by
    /// themselves.
    pub fn with_channels(mut self) -> Self {
        self.set(
            "WEBHOOK_BASE_URL",
            format!("http://127.0.0.1:{}", self.port.number),
        );
        self
    }

    /// What the bridge has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("bridge.log")
    }

    /// `mzi` with this world's settings and nothing else from outside.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.under(Command::new(env!("CARGO_BIN_EXE_mzi")), arguments)
    }

    /// Any program with this world's settings.
    pub fn under(&self, mut program: Command, arguments: &[&str]) -> Command {
        program
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        program
    }

    /// Runs `mzi` to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = tokio::process::Command::from(self.command(arguments));
        let running = command.kill_on_drop(true).output();
        let output = tokio::time::timeout(PATIENCE, running).await;
        let output = output
            .unwrap_or_else(|_| panic!("mzi {arguments:?} does not end"))
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Starts the bridge and waits until it is ready.
    pub async fn start(&self) -> Bridge {
        let bridge = self.spawn();
        bridge.is_ready().await;
        bridge
    }

    /// Starts the bridge.
    pub fn spawn(&self) -> Bridge {
        Bridge::spawn(self.command(&["serve"]), &self.log_file(), self.port.number)
    }

    /// The token of a notice.
    pub fn static_token(&self) -> String {
        static_token(WEBHOOK_SECRET)
    }

    /// An API key of an administrator.
    pub async fn api_key(&self) -> String {
        let made = self.run(&["api-key", "add", "--role", "admin"]).await;
        assert_eq!(made.code, Some(0), "{}", made.err);
        made.out.trim().to_owned()
    }
}

impl Drop for World {
    /// A failed test shows the end of the log, which goes with the folder.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let end = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!("--- the bridge's log ends with\n{}\n---", end.join("\n"));
        }
    }
}

pub fn client() -> reqwest::Client {
    install_tls();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

fn install_tls() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

fn environment(
    zoho: &ZohoSimulator,
    moodle: &MoodleSimulator,
    database: &Database,
    port: &Port,
) -> BTreeMap<String, String> {
    let pairs = [
        ("BIND_ADDR", format!("127.0.0.1:{}", port.number)),
        ("DATABASE_URL", database.url.clone()),
        ("ALLOW_PRIVATE_HOSTS", "true".into()),
        ("ZOHO_CLIENT_ID", zoho.client_id().into()),
        ("ZOHO_CLIENT_SECRET", zoho.client_secret().into()),
        ("ZOHO_REFRESH_TOKEN", zoho.refresh_token().into()),
        ("ZOHO_ACCOUNTS_URL", zoho.base_url().into()),
        ("ZOHO_API_URL", zoho.base_url().into()),
        ("ZOHO_WEBHOOK_HMAC_SECRET", WEBHOOK_SECRET.into()),
        ("MOODLE_BASE_URL", moodle.base_url().into()),
        ("MOODLE_TOKEN", moodle.token().into()),
        ("MOODLE_PLUGIN_SECRET", PLUGIN_SECRET.into()),
        ("SETUP_COMPLETED_STEPS", ALL_STEPS.into()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
