//! Proofs of Zoho's notices and of the plugin's requests, computed from `contracts/bridge.md` and
//! not by the bridge's own code.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::world::PLUGIN_SECRET;

/// The token for header and query.
pub fn static_token(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(secret, b"static"))
}

/// The token in the body of a notification of this channel.
pub fn channel_token(secret: &str, channel: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(secret, channel.as_bytes()))
}

/// `X-Zoho-Signature` of a body.
pub fn signature(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(mac(secret, body)))
}

fn mac(secret: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// The claims of a plugin's token, to be bent out of shape.
#[derive(Debug, Clone)]
pub struct Claims {
    pub header: Value,
    pub body: Value,
    pub secret: String,
}

impl Claims {
    /// A good token of a student who reads `target`.
    pub fn reading(site: &str, user: u64, target: &str) -> Self {
        let empty = hex::encode(Sha256::digest(b""));
        let binding = Sha256::digest(format!("GET\n{target}\n{empty}"));
        let now = chrono::Utc::now().timestamp();
        Self {
            header: json!({"alg": "HS256", "typ": "JWT", "kid": "primary"}),
            body: json!({
                "iss": site, "aud": "mzi-backend", "iat": now, "exp": now + 60,
                "jti": uuid::Uuid::new_v4().to_string(), "sub": format!("moodle:user:{user}"),
                "scope": "student.read", "rb": URL_SAFE_NO_PAD.encode(binding),
            }),
            secret: PLUGIN_SECRET.to_owned(),
        }
    }

    /// The same token with one claim changed.
    pub fn with(mut self, claim: &str, value: Value) -> Self {
        self.body[claim] = value;
        self
    }

    /// The compact form.
    pub fn sign(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&self.header), part(&self.body));
        let signature = URL_SAFE_NO_PAD.encode(mac(&self.secret, signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
