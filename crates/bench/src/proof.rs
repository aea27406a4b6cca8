//! What Zoho and the Moodle plugin would send to prove themselves: `contracts/bridge.md` §1 and §2,
//! written a second time on purpose, so that a mistake shared with the bridge would show.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};

/// The secret of webhooks in every run; nothing outside this machine knows it.
pub const WEBHOOK_SECRET: &str = "bench-webhook-secret-0123456789ab";
/// The secret of the plugin in every run.
pub const PLUGIN_SECRET: &str = "bench-plugin-secret-0123456789abcdef";

const LIFE_SECONDS: u64 = 60;

/// The token a channel's notifications carry.
pub fn channel_token(secret: &str, channel: &str) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(tag(secret, channel.as_bytes())?))
}

/// Signs reads as the plugin does: each token is good for one request within about a minute.
pub struct PluginReads {
    site: String,
    target: String,
    binding: String,
    serial: u128,
}

impl PluginReads {
    /// Reads of one address on behalf of a site's users.
    pub fn of(site: &str, target: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!(
            "GET\n{target}\n{}",
            hex::encode(Sha256::digest(b""))
        ));
        Self {
            site: site.to_owned(),
            target: target.to_owned(),
            binding: URL_SAFE_NO_PAD.encode(hash.finalize()),
            serial: u128::from(seconds_now()) << 64,
        }
    }

    /// The next request on behalf of this user.
    pub fn request(&mut self, user: u64) -> Result<Vec<u8>> {
        let token = self.token(user)?;
        let authorization = format!("Authorization: Bearer {token}");
        Ok(crate::http::request(
            "GET",
            &self.target,
            &[&authorization],
            b"",
        ))
    }

    fn token(&mut self, user: u64) -> Result<String> {
        self.serial += 1;
        let now = seconds_now();
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": "primary"});
        let claims = json!({
            "iss": self.site, "aud": "mzi-backend", "iat": now, "exp": now + LIFE_SECONDS,
            "jti": uuid::Uuid::from_u128(self.serial).to_string(),
            "sub": format!("moodle:user:{user}"), "scope": "student.read", "rb": self.binding,
        });
        let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = URL_SAFE_NO_PAD.encode(tag(PLUGIN_SECRET, signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }
}

/// HMAC-SHA256.
fn tag(secret: &str, message: &[u8]) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().into())
}

fn seconds_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_token_of_channel_10001_is_made() {
        let token = channel_token("test-secret-0123456789abcdef0123", "10001").unwrap();
        assert_eq!(token, "SBktPKK8wSQEC6P4690Jh86AW3_D3kSyw5aZO1N0H9U");
    }

    #[test]
    fn the_contracts_binding_of_a_profile_read_is_made() {
        let reads = PluginReads::of("https://moodle.example", "/api/v1/student/profile");
        assert_eq!(reads.binding, "8N5Vs0IXcEJ5ovfu9aQQy22o5HYiS7B0_3iPLibQlGM");
    }

    #[test]
    fn no_two_reads_share_a_token() {
        let mut reads = PluginReads::of("https://moodle.example", "/x");
        assert_ne!(reads.token(7).unwrap(), reads.token(7).unwrap());
    }
}
