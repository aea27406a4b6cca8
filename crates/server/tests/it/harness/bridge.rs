//! A running `mzi serve`.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{
    Claims, WEBHOOK_SECRET, World, eventually, static_token, wait::PATIENCE, world::client,
};

/// A child process, killed when dropped.
pub struct Bridge {
    child: Child,
    client: reqwest::Client,
    log: PathBuf,
    pub url: String,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// `Retry-After`, if there is one.
    pub retry_after: Option<String>,
    pub text: String,
    /// The body, or null if it is no JSON.
    pub json: Value,
}

impl Bridge {
    /// Starts what `command` says; it writes to `log`.
    pub fn spawn(mut command: Command, log: &Path, port: u16) -> Self {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self {
            child,
            client: client(),
            log: log.to_owned(),
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    pub async fn is_ready(&self) {
        let url = format!("{}/health/ready", self.url);
        let ready = eventually(|| async {
            let answer = self.client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        });
        if ready.await.is_none() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("the bridge is not ready:\n{log}");
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its exit code.
    pub async fn stop(mut self) -> Option<i32> {
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
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A request to be completed by the test.
    pub fn request(&self, method: Method, target: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{target}", self.url))
    }

    pub async fn get(&self, target: &str) -> Answer {
        answer(self.request(Method::GET, target)).await
    }

    /// Posts a notice with the static token.
    pub async fn post(&self, target: &str, body: &Value) -> Answer {
        answer(self.notice(target).json(body)).await
    }

    /// A notice with the static token, without a body yet.
    pub fn notice(&self, target: &str) -> RequestBuilder {
        self.request(Method::POST, target)
            .header("X-Webhook-Token", static_token(WEBHOOK_SECRET))
    }

    /// Posts a notice about a record.
    pub async fn notify(&self, module: &str, id: &str) -> Answer {
        let body = json!({"zoho_id": id, "module": module});
        self.post(&format!("/api/v1/webhooks/{module}"), &body)
            .await
    }

    /// Asks the student API as the plugin would.
    pub async fn student(&self, world: &World, user: u64, target: &str) -> Answer {
        let token = Claims::reading(world.moodle.base_url(), user, target).sign();
        answer(self.request(Method::GET, target).bearer_auth(token)).await
    }

    /// Open issues.
    pub async fn issues(&self, key: &str) -> Vec<Value> {
        let request = self.request(Method::GET, "/api/v1/admin/issues?status=open&limit=200");
        let list = answer(request.bearer_auth(key)).await;
        assert_eq!(list.status, 200, "{}", list.text);
        list.json["items"].as_array().cloned().unwrap()
    }

    /// Waits for an open issue of this code.
    pub async fn issue(&self, key: &str, code: &str) -> Value {
        let found = eventually(|| async {
            self.issues(key)
                .await
                .into_iter()
                .find(|issue| issue["code"] == code)
        });
        found
            .await
            .unwrap_or_else(|| panic!("no issue {code} was opened"))
    }

    /// Waits until no issue of this code is open.
    pub async fn resolved(&self, key: &str, code: &str, patience: Duration) {
        let resolved = super::within(patience, || async {
            let open = self
                .issues(key)
                .await
                .into_iter()
                .any(|issue| issue["code"] == code);
            (!open).then_some(())
        });
        assert!(resolved.await.is_some(), "the issue {code} stays open");
    }

    pub async fn health(&self) -> Value {
        self.get("/health").await.json
    }

    /// Waits until nothing is due, in hand or undelivered; issues and waits may remain.
    pub async fn settles(&self, patience: Duration) {
        let settled = super::within(patience, || async {
            let queue = self.health().await["queue"].clone();
            let still = ["pending", "leased", "outbox"]
                .iter()
                .all(|name| queue[name] == 0);
            still.then_some(())
        });
        let settled = settled.await.is_some();
        assert!(
            settled,
            "work is left after {patience:?}: {}",
            self.health().await["queue"]
        );
    }
}

impl Answer {
    /// The code of a problem.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

/// Sends a request and reads its answer.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status,
        retry_after,
        text,
        json,
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // A test that failed must not leave a process behind.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
