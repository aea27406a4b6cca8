//! Tokens as the plugin makes them.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use mzi_web::auth::plugin_token::{Bound, request_binding};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::bridge::{PLUGIN_SECRET, SITE};

/// The claims of a token that is good now for a GET of this target by a student.
pub fn claims(user: u32, target: &str) -> Value {
    static ISSUED: AtomicU64 = AtomicU64::new(1);
    let number = ISSUED.fetch_add(1, Ordering::Relaxed);
    let bound = Bound {
        method: "GET",
        target,
        body: b"",
    };
    let now = now();
    json!({
        "iss": SITE,
        "aud": "mzi-backend",
        "iat": now,
        "exp": now + 60,
        "jti": uuid::Uuid::from_u128(number.into()),
        "sub": format!("moodle:user:{user}"),
        "scope": "student.read",
        "rb": request_binding(bound),
    })
}

/// The claims, signed.
pub fn signed(claims: &Value) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "primary"});
    let signed = format!("{}.{}", encoded(&header), encoded(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(PLUGIN_SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// A good token of a student for a GET of this target.
pub fn token(user: u32, target: &str) -> String {
    signed(&claims(user, target))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bridge compares a token's times with the wall clock"
)]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}
