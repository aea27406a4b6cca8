//! One signed read of one row.

use std::{
    cell::RefCell,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{HttpRequest, HttpResponse, http::header::AUTHORIZATION, web::Data};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diesel::SqliteConnection;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::store;
use crate::proof::PLUGIN_SECRET;

/// A connection of one worker thread, opened at its first read.
pub struct Reader {
    database: PathBuf,
    connection: RefCell<Option<SqliteConnection>>,
}

#[derive(Deserialize)]
struct Claims {
    exp: u64,
    sub: String,
    rb: String,
}

impl Reader {
    /// Reads this database.
    pub fn new(database: PathBuf) -> Self {
        Self {
            database,
            connection: RefCell::new(None),
        }
    }

    fn read(&self, user: i64) -> Option<String> {
        let mut slot = self.connection.borrow_mut();
        if slot.is_none() {
            *slot = store::connect(&self.database).ok();
        }
        store::read(slot.as_mut()?, user).ok()?
    }
}

/// Verify, read, answer.
pub async fn profile(reader: Data<Reader>, request: HttpRequest) -> HttpResponse {
    let answer = match verified(&request) {
        None => HttpResponse::Unauthorized().finish(),
        Some(user) => match reader.read(user) {
            None => HttpResponse::NotFound().finish(),
            Some(profile) => HttpResponse::Ok()
                .content_type("application/json")
                .body(profile),
        },
    };
    std::future::ready(answer).await
}

/// The user a valid token speaks for.
fn verified(request: &HttpRequest) -> Option<i64> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (signed, signature) = header.strip_prefix("Bearer ")?.rsplit_once('.')?;
    let mut mac = Hmac::<Sha256>::new_from_slice(PLUGIN_SECRET.as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?)
        .ok()?;
    let (_, claims) = signed.split_once('.')?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let bound = claims.rb == binding(request);
    let user = claims.sub.strip_prefix("moodle:user:")?.parse().ok()?;
    (bound && now <= claims.exp).then_some(user)
}

fn binding(request: &HttpRequest) -> String {
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut hash = Sha256::new();
    hash.update(format!(
        "{}\n{target}\n{}",
        request.method(),
        hex::encode(Sha256::digest(b""))
    ));
    URL_SAFE_NO_PAD.encode(hash.finalize())
}
