//! Starts `mzi` as an operator does: a child process that is told everything by its environment.

use std::{
    collections::BTreeMap,
    future::Future,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use mzi_simulators::{
    moodle::{Content, MoodleOptions, MoodleSimulator},
    zoho::{ZohoOptions, ZohoSimulator},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub const WEBHOOK_SECRET: &str = "test-secret-0123456789abcdef0123";
pub const PLUGIN_SECRET: &str = "plugin-secret-of-the-tests-0123456789";
pub const ALL_STEPS: &str = "backend,zoho,moodle,database,mapping,webhooks,golive";

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(25);

/// Both simulators, a database, and the settings a bridge between them gets.
pub struct World {
    pub zoho: ZohoSimulator,
    pub moodle: MoodleSimulator,
    pub folder: TempDir,
    pub environment: BTreeMap<String, String>,
    pub port: u16,
}

/// A running `mzi serve`.
pub struct Bridge {
    child: Child,
    pub url: String,
}

impl World {
    /// Empty simulators and a fresh SQLite file.
    pub async fn new() -> Self {
        Self::with(ZohoOptions {
            students: 0,
            ..ZohoOptions::default()
        })
        .await
    }

    pub async fn with(options: ZohoOptions) -> Self {
        install_tls();
        let zoho = ZohoSimulator::start(options).await.unwrap();
        let moodle = MoodleSimulator::start(MoodleOptions {
            content: Content::Bare,
            ..MoodleOptions::default()
        })
        .await
        .unwrap();
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let environment = environment(&zoho, &moodle, &folder, port);
        Self {
            zoho,
            moodle,
            folder,
            environment,
            port,
        }
    }

    /// Changes one setting.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    pub fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    pub fn log(&self) -> PathBuf {
        self.folder.path().join("bridge.log")
    }

    /// `mzi` with this world's settings and nothing else from outside.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mzi"));
        command
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs `mzi` to its end; answers whether it succeeded, and both outputs.
    pub fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// Starts the bridge and waits until it is ready.
    pub async fn start(&self) -> Bridge {
        let bridge = self.spawn();
        bridge.ready(self).await;
        bridge
    }

    /// Starts the bridge.
    pub fn spawn(&self) -> Bridge {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .unwrap();
        let child = self
            .command(&["serve"])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Bridge {
            child,
            url: format!("http://127.0.0.1:{}", self.port),
        }
    }

    /// The token of a notice.
    pub fn static_token(&self) -> String {
        mac(WEBHOOK_SECRET, b"static")
    }

    /// An API key of an administrator.
    pub fn api_key(&self) -> String {
        let (ok, key, error) = self.run(&["api-key", "add", "--role", "admin"]);
        assert!(ok, "{error}");
        key.trim().to_owned()
    }
}

impl Bridge {
    pub async fn ready(&self, world: &World) {
        let client = client();
        let url = format!("{}/health/ready", self.url);
        let ready = eventually(|| async {
            let answer = client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        });
        if ready.await.is_none() {
            panic!(
                "the bridge is not ready:\n{}",
                std::fs::read_to_string(world.log()).unwrap_or_default()
            );
        }
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "the bridge does not stop");
            std::thread::sleep(LOOK);
        }
    }

    /// Posts a notice about a record; answers status and body.
    pub async fn notify(&self, world: &World, module: &str, id: &str) -> (u16, Value) {
        let body = json!({"zoho_id": id, "module": module});
        self.post(
            &format!("/api/v1/webhooks/{module}"),
            &world.static_token(),
            body,
        )
        .await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> (u16, Value) {
        let request = client()
            .post(format!("{}{path}", self.url))
            .header("X-Webhook-Token", token)
            .json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Asks the student API as the plugin would.
    pub async fn student(&self, world: &World, user: i64, target: &str) -> (u16, Value) {
        let token = student_token(world.moodle.base_url(), user, target);
        let answer = client()
            .get(format!("{}{target}", self.url))
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Open issues.
    pub async fn issues(&self, key: &str) -> Vec<Value> {
        let url = format!("{}/api/v1/admin/issues?status=open&limit=200", self.url);
        let answer = client().get(url).bearer_auth(key).send().await.unwrap();
        let list: Value = answer.json().await.unwrap();
        list["items"].as_array().cloned().unwrap_or_default()
    }

    pub async fn health(&self) -> Value {
        let answer = client()
            .get(format!("{}/health", self.url))
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // A test that failed must not leave a process behind.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Looks until there is something to see, or patience ends.
pub async fn eventually<T, F>(look: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = Option<T>>,
{
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        tokio::time::sleep(LOOK).await;
    }
    None
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

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn environment(
    zoho: &ZohoSimulator,
    moodle: &MoodleSimulator,
    folder: &TempDir,
    port: u16,
) -> BTreeMap<String, String> {
    let pairs = [
        ("BIND_ADDR", format!("127.0.0.1:{port}")),
        (
            "DATABASE_URL",
            format!("sqlite:///{}", folder.path().join("mzi.db").display()),
        ),
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

fn mac(secret: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message);
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// A student's token for reading, made independently of the bridge's own code.
fn student_token(site: &str, user: i64, target: &str) -> String {
    let empty = hex::encode(Sha256::digest(b""));
    let binding = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("GET\n{target}\n{empty}")));
    let now = chrono::Utc::now().timestamp();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "primary"}).to_string();
    let claims = json!({
        "iss": site, "aud": "mzi-backend", "iat": now, "exp": now + 60,
        "jti": uuid::Uuid::new_v4().to_string(), "sub": format!("moodle:user:{user}"),
        "scope": "student.read", "rb": binding,
    })
    .to_string();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = mac(PLUGIN_SECRET, signed.as_bytes());
    format!("{signed}.{signature}")
}
