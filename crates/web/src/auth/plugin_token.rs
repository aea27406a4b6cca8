//! The Moodle plugin's tokens: one JWS a request, bound to user, route and body.
//!
//! To the byte: `contracts/bridge.md` §2. HS256 only, so signature and claims are checked here in
//! one place instead of by a library that offers more than is wanted.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use mzi_domain::MoodleUserId;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::Problem;

const AUDIENCE: &str = "mzi-backend";
/// Shorter keys are refused at start.
const SHORTEST_SECRET: usize = 32;
/// Longest life of a token, and how far clocks may be apart, in seconds.
const LONGEST_LIFE: i64 = 60;
const LEEWAY: i64 = 60;
/// A token cannot be valid for longer than its life and the leeway on both ends.
const REMEMBERED_SECONDS: i64 = LONGEST_LIFE + 2 * LEEWAY;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Scope {
    /// A student reads.
    #[serde(rename = "student.read")]
    StudentRead,
    /// A student writes.
    #[serde(rename = "student.write")]
    StudentWrite,
    /// Staff reads.
    #[serde(rename = "staff.read")]
    StaffRead,
    /// Staff writes.
    #[serde(rename = "staff.write")]
    StaffWrite,
    /// Staff reads, money too.
    #[serde(rename = "staff.finance")]
    StaffFinance,
    /// The site sends events.
    #[serde(rename = "events.write")]
    EventsWrite,
}

/// What the token's request is, as received.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// The method, upper case.
    pub method: &'a str,
    /// Path and query of the request line, untouched.
    pub target: &'a str,
    /// The body's bytes.
    pub body: &'a [u8],
}

/// A valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it may be used for.
    pub scope: Scope,
    /// The user on whose behalf, or nothing for the site itself.
    pub user: Option<MoodleUserId>,
    /// The member of staff who acts, if one does; a student token is then read-only.
    pub actor: Option<MoodleUserId>,
}

/// Checks tokens.
pub struct PluginTokens {
    secrets: Vec<SecretString>,
    key_id: String,
    issuers: Vec<String>,
    seen: SeenIds,
}

/// Why the plugin's settings cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("MOODLE_PLUGIN_SECRET must be at least 32 bytes long")]
pub struct SecretTooShort;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    sub: String,
    scope: Scope,
    rb: String,
    act: Option<Actor>,
}

#[derive(Deserialize)]
struct Actor {
    sub: String,
}

impl PluginTokens {
    /// Accepts tokens signed with `secret` (or the previous one) by one of these sites.
    pub fn new(
        secret: &SecretString,
        previous: Option<&SecretString>,
        key_id: String,
        issuers: Vec<String>,
    ) -> Result<Self, SecretTooShort> {
        let trimmed = |secret: &SecretString| secret.expose_secret().trim().to_owned();
        let mut secrets = Vec::new();
        for secret in [Some(secret), previous].into_iter().flatten() {
            let text = trimmed(secret);
            if text.len() < SHORTEST_SECRET {
                return Err(SecretTooShort);
            }
            secrets.push(SecretString::from(text));
        }
        Ok(Self {
            secrets,
            key_id,
            issuers,
            seen: SeenIds::default(),
        })
    }

    /// Checks a token against the request it came with. A read's token works once a process.
    pub fn verify(
        &self,
        token: &str,
        bound: Bound<'_>,
        now: DateTime<Utc>,
    ) -> Result<Verified, Problem> {
        let claims = self.signed_claims(token).ok_or(Problem::InvalidToken)?;
        let seconds = now.timestamp();
        let life = claims
            .exp
            .checked_sub(claims.iat)
            .ok_or(Problem::InvalidToken)?;
        let timely = (0..=LONGEST_LIFE).contains(&life)
            && seconds <= claims.exp.saturating_add(LEEWAY)
            && seconds >= claims.iat.saturating_sub(LEEWAY);
        let addressed = claims.aud == AUDIENCE && self.issuers.contains(&claims.iss);
        let binding = request_binding(bound);
        let same: bool = binding.as_bytes().ct_eq(claims.rb.as_bytes()).into();
        if !(timely && addressed && same) {
            return Err(Problem::InvalidToken);
        }
        let user = subject(&claims.sub).ok_or(Problem::InvalidToken)?;
        let actor = match &claims.act {
            None => None,
            Some(actor) => Some(subject(&actor.sub).flatten().ok_or(Problem::InvalidToken)?),
        };
        let id = uuid::Uuid::try_parse(&claims.jti)
            .ok()
            .ok_or(Problem::InvalidToken)?;
        if !self.seen.is_first(id, seconds) {
            return Err(Problem::InvalidToken);
        }
        Ok(Verified {
            scope: claims.scope,
            user,
            actor,
        })
    }

    fn signed_claims(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // Every secret is tried, so that time does not tell which one fits.
        let fits = self.secrets.iter().fold(false, |fits, secret| {
            fits | is_signature(secret, signed.as_bytes(), &signature)
        });
        if !fits {
            return None;
        }
        let header: Header = decoded(header)?;
        let exact = header.alg == "HS256" && header.typ == "JWT" && header.kid == self.key_id;
        if exact { decoded(claims) } else { None }
    }
}

/// `rb`: base64url of SHA-256 over method, target and the body's hash.
pub fn request_binding(bound: Bound<'_>) -> String {
    let mut hash = Sha256::new();
    hash.update(bound.method.as_bytes());
    hash.update(b"\n");
    hash.update(bound.target.as_bytes());
    hash.update(b"\n");
    hash.update(hex::encode(Sha256::digest(bound.body)).as_bytes());
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// `moodle:user:<id>` or `moodle:system`; anything else is no subject.
fn subject(text: &str) -> Option<Option<MoodleUserId>> {
    match text.strip_prefix("moodle:")? {
        "system" => Some(None),
        user => {
            let digits = user.strip_prefix("user:")?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            plain
                .then(|| MoodleUserId::parse(digits).ok())
                .flatten()
                .map(Some)
        }
    }
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn is_signature(secret: &SecretString, signed: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    mac.update(signed);
    mac.finalize()
        .into_bytes()
        .as_slice()
        .ct_eq(signature)
        .into()
}

/// Token ids of this process, remembered for as long as their tokens could be valid.
#[derive(Default)]
struct SeenIds(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    since: i64,
    young: HashSet<uuid::Uuid>,
    old: HashSet<uuid::Uuid>,
}

impl SeenIds {
    /// Remembers an id; answers whether it is new.
    fn is_first(&self, id: uuid::Uuid, now: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now - seen.since > REMEMBERED_SECONDS {
            seen.old = std::mem::take(&mut seen.young);
            seen.since = now;
        }
        !seen.old.contains(&id) && seen.young.insert(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_binding_vectors_hold() {
        let read = Bound {
            method: "GET",
            target: "/api/v1/student/profile",
            body: b"",
        };
        assert_eq!(
            request_binding(read),
            "8N5Vs0IXcEJ5ovfu9aQQy22o5HYiS7B0_3iPLibQlGM"
        );
        let write = Bound {
            method: "POST",
            target: "/api/v1/moodle/events",
            body: br#"{"events":[]}"#,
        };
        assert_eq!(
            request_binding(write),
            "bJ2_F13blHzzr-Lz1tViw9itVuTbhqKqT8V6mdb208s"
        );
    }

    #[test]
    fn ids_are_remembered_at_least_as_long_as_tokens_live() {
        let seen = SeenIds::default();
        let id = uuid::Uuid::from_u128(1);
        assert!(seen.is_first(id, 1_000));
        assert!(!seen.is_first(id, 1_000 + REMEMBERED_SECONDS));
        assert!(!seen.is_first(id, 1_001 + REMEMBERED_SECONDS));
    }

    #[test]
    fn only_whole_numbers_are_users() {
        assert_eq!(subject("moodle:system"), Some(None));
        assert!(matches!(subject("moodle:user:42"), Some(Some(user)) if user.get() == 42));
        for text in [
            "moodle:user:",
            "moodle:user:0",
            "moodle:user:+4",
            "user:4",
            "moodle:user:4 ",
        ] {
            assert_eq!(subject(text), None, "{text}");
        }
    }
}
