//! Taking a notification in, with nothing around it.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::store::{Event, Stored, Writer};
use crate::proof::WEBHOOK_SECRET;

#[derive(Deserialize)]
struct Notification {
    server_time: u64,
    module: String,
    ids: Vec<String>,
    operation: String,
    channel_id: String,
    token: String,
}

#[derive(Serialize)]
struct Receipt {
    status: &'static str,
    event_id: String,
}

/// Check, parse, store, answer.
pub async fn receive(writer: Data<Writer>, body: Bytes) -> HttpResponse {
    let Ok(notification) = serde_json::from_slice::<Notification>(&body) else {
        return HttpResponse::BadRequest().finish();
    };
    if !is_proven(&notification) {
        return HttpResponse::Unauthorized().finish();
    }
    match writer.store(event(notification, &body)).await {
        Some(Stored {
            event_id,
            fresh: true,
        }) => HttpResponse::Accepted().json(Receipt {
            status: "accepted",
            event_id,
        }),
        Some(Stored {
            event_id,
            fresh: false,
        }) => HttpResponse::Ok().json(Receipt {
            status: "duplicate",
            event_id,
        }),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn is_proven(notification: &Notification) -> bool {
    let Ok(given) = URL_SAFE_NO_PAD.decode(&notification.token) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()) else {
        return false;
    };
    mac.update(notification.channel_id.as_bytes());
    mac.verify_slice(&given).is_ok()
}

fn event(notification: Notification, body: &[u8]) -> Event {
    let Notification {
        server_time,
        module,
        ids,
        operation,
        channel_id,
        ..
    } = notification;
    let identity = format!(
        "{channel_id}/{server_time}/{module}/{operation}/{}",
        ids.join(",")
    );
    let payload = String::from_utf8_lossy(body).into_owned();
    Event {
        identity,
        module,
        operation,
        ids,
        payload,
    }
}
