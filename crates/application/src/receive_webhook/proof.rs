//! Proofs that a notice comes from somebody who knows the shared secret.
//!
//! Zoho signs nothing itself, so three proofs exist (`contracts/bridge.md` §1): a token in a
//! notification's body derived from its channel, a static token in a header or query, and an
//! HMAC of the raw body. All derive from one secret and are compared in constant time.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Shorter secrets are refused: they can be guessed.
const SHORTEST_SECRET: usize = 16;

/// The shared secret, and the one before it while everything is being re-pointed.
#[derive(Debug, Clone)]
pub struct WebhookSecret {
    current: SecretString,
    previous: Option<SecretString>,
}

impl WebhookSecret {
    /// Takes the secret's UTF-8 bytes as they are; nothing if it is blank or too short to be one.
    pub fn new(current: SecretString, previous: Option<SecretString>) -> Option<Self> {
        let usable = |secret: &SecretString| {
            let text = secret.expose_secret();
            !text.trim().is_empty() && text.len() >= SHORTEST_SECRET
        };
        let previous = previous.filter(usable);
        usable(&current).then_some(Self { current, previous })
    }

    /// The token a channel's notices must carry.
    pub fn channel_token(&self, channel_id: &str) -> String {
        encoded(&self.current, channel_id.as_bytes())
    }

    /// The token for senders that can only add a fixed header or query parameter.
    pub fn static_token(&self) -> String {
        encoded(&self.current, b"static")
    }

    /// Whether this is the token of that channel.
    pub fn is_channel_token(&self, channel_id: &str, token: &str) -> bool {
        self.any(|secret| same(&encoded(secret, channel_id.as_bytes()), token))
    }

    /// Whether this is the static token.
    pub fn is_static_token(&self, token: &str) -> bool {
        self.any(|secret| same(&encoded(secret, b"static"), token))
    }

    /// Whether `sha256=<hex>` signs these bytes; the hex may be of either case.
    pub fn is_signature(&self, header: &str, body: &[u8]) -> bool {
        let Some(digits) = header.trim().strip_prefix("sha256=") else {
            return false;
        };
        let Ok(given) = hex::decode(digits) else {
            return false;
        };
        self.any(|secret| bool::from(tag(secret, body).as_slice().ct_eq(&given)))
    }

    /// Tries both secrets without stopping at the first, so that time tells nothing.
    fn any(&self, check: impl Fn(&SecretString) -> bool) -> bool {
        let current = check(&self.current);
        let previous = self.previous.as_ref().is_some_and(check);
        current | previous
    }
}

fn same(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}

fn encoded(secret: &SecretString, message: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(tag(secret, message))
}

fn tag(secret: &SecretString, message: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
        // HMAC takes keys of any length; an empty tag equals nothing anybody can send.
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> WebhookSecret {
        WebhookSecret::new("test-secret-0123456789abcdef0123".into(), None).unwrap()
    }

    #[test]
    fn the_contracts_vectors_hold() {
        let body = br#"{"zoho_id":"900000000000101","module":"BTEC_Students"}"#;
        let signature = "sha256=68e8f0c0dcd5fc7e05387e8eab25ad405c592b95876ec52c8d60e23015e7c581";
        assert_eq!(
            secret().channel_token("10001"),
            "SBktPKK8wSQEC6P4690Jh86AW3_D3kSyw5aZO1N0H9U"
        );
        assert_eq!(
            secret().static_token(),
            "uKoy3sibo9bBb1OVw1viJxB5R4QwPf3fP-oqXdnmM6M"
        );
        assert!(secret().is_signature(signature, body));
        assert!(secret().is_signature(&signature.to_uppercase().replace("SHA", "sha"), body));
        assert!(!secret().is_signature(signature, b"{}"));
    }

    #[test]
    fn a_blank_or_short_secret_is_none() {
        for text in [
            "",
            "               ",
            "fifteen-bytes-x",
            "                    ",
        ] {
            assert!(WebhookSecret::new(text.into(), None).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_previous_secret_counts_until_it_is_dropped() {
        let old = secret().static_token();
        let rotated = WebhookSecret::new(
            "another-secret-0123456789".into(),
            Some("test-secret-0123456789abcdef0123".into()),
        );
        assert!(rotated.unwrap().is_static_token(&old));
        let done = WebhookSecret::new("another-secret-0123456789".into(), None).unwrap();
        assert!(!done.is_static_token(&old));
    }
}
