//! Signs requests as the Moodle plugin does (`contracts/bridge.md` §2).

use anyhow::{Result, anyhow};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use mzi_web::auth::plugin_token::{Bound, request_binding};
use serde_json::json;
use sha2::Sha256;

/// A student's token for reading `target`.
pub(super) fn for_reading(
    secret: &str,
    site: &str,
    user: u64,
    target: &str,
    now: i64,
    id: &str,
) -> Result<String> {
    let bound = Bound {
        method: "GET",
        target,
        body: b"",
    };
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "primary"});
    let claims = json!({
        "iss": site,
        "aud": "mzi-backend",
        "iat": now,
        "exp": now + 60,
        "jti": id,
        "sub": format!("moodle:user:{user}"),
        "scope": "student.read",
        "rb": request_binding(bound),
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|error| anyhow!("the demo's secret is no key: {error}"))?;
    mac.update(signed.as_bytes());
    Ok(format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    ))
}
