//! Takes a notice in: authenticate, read the ids, make it durable, and only then acknowledge.
//!
//! No call to Zoho or Moodle happens here; the worker reads the records later.

mod body;
mod proof;

use std::{collections::HashMap, sync::Arc};

pub use body::BodyFault;
use body::{Body, Notice};
use mzi_domain::{Entity, Operation};
pub use mzi_ports::inbox::Accepted;
use mzi_ports::{
    Clock, IdSource, Inbox, StoreError,
    inbox::{NewEvent, RejectedEvent},
};
pub use proof::WebhookSecret;

use crate::wakeup::Wakeup;

/// How much of an unusable body is kept for inspection.
const KEPT_OF_REJECTED: usize = 8 * 1024;

/// Takes notices in.
pub struct ReceiveWebhook {
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    wakeup: Wakeup,
    secret: Option<WebhookSecret>,
    /// Entities by the module names of the mappings.
    modules: HashMap<String, Entity>,
}

/// Where a notice was sent: the entity its path names, and the operation, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    entity: Entity,
    operation: Option<Operation>,
}

/// A notice as it came, its size and content type already accepted.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The path below `/api/v1/webhooks/`.
    pub tail: &'a str,
    /// `Content-Type`, empty if there is none.
    pub content_type: &'a str,
    /// `X-Webhook-Token`.
    pub header_token: Option<&'a str>,
    /// `X-Zoho-Signature`.
    pub signature: Option<&'a str>,
    /// `?token=`.
    pub query_token: Option<&'a str>,
    /// `?zoho_id=`.
    pub query_id: Option<&'a str>,
    /// `?op=`.
    pub query_operation: Option<&'a str>,
    /// The raw body.
    pub body: &'a [u8],
}

/// Why a notice was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No usable secret is set, so nothing can be proven.
    #[error("no usable webhook secret is set")]
    IntakeDisabled,
    /// No proof, or a wrong one.
    #[error("no valid proof")]
    Unauthorised,
    /// It is genuine, but useless.
    #[error(transparent)]
    Unusable(#[from] BodyFault),
    /// It could not be stored: the sender must try again.
    #[error(transparent)]
    NotStored(#[from] StoreError),
}

/// What was proven before the body was read.
enum Proof {
    Valid,
    OnlyBodyCanTell,
}

impl ReceiveWebhook {
    /// Takes notices for these modules, proven by this secret.
    pub fn new(
        inbox: Arc<dyn Inbox>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        wakeup: Wakeup,
        secret: Option<WebhookSecret>,
        modules: HashMap<String, Entity>,
    ) -> Self {
        Self {
            inbox,
            clock,
            ids,
            wakeup,
            secret,
            modules,
        }
    }

    /// Whether notices can be taken in at all.
    pub fn is_enabled(&self) -> bool {
        self.secret.is_some()
    }

    /// The entity a path means: an entity key, a mapped module name or an older address.
    pub fn route(&self, tail: &str) -> Option<Route> {
        let named = |entity| Route {
            entity,
            operation: None,
        };
        Entity::from_key(tail)
            .or_else(|| self.modules.get(tail).copied())
            .map(named)
            .or_else(|| {
                let (entity, operation) = Entity::from_legacy_tail(tail)?;
                Some(Route { entity, operation })
            })
    }

    /// Takes one notice in. When it answers `Ok`, the event would survive a crash.
    pub async fn run(&self, route: Route, call: Call<'_>) -> Result<Accepted, Refusal> {
        let secret = self.secret.as_ref().ok_or(Refusal::IntakeDisabled)?;
        let proof = proof_outside_body(secret, &call)?;
        let body = match (Body::parse(call.content_type, call.body), &proof) {
            (Ok(body), _) => body,
            (Err(_), Proof::OnlyBodyCanTell) => return Err(Refusal::Unauthorised),
            (Err(fault), Proof::Valid) => return self.reject(&call, None, fault).await,
        };
        proof_inside_body(secret, &body, &proof)?;
        match body.notice(call.query_id) {
            Ok(notice) => self.accept(route, &call, &body, notice).await,
            Err(fault) => self.reject(&call, body.token(), fault).await,
        }
    }

    async fn accept(
        &self,
        route: Route,
        call: &Call<'_>,
        body: &Body,
        notice: Notice,
    ) -> Result<Accepted, Refusal> {
        let named = notice.module.as_deref().and_then(|module| {
            self.modules
                .get(module)
                .copied()
                .or_else(|| Entity::from_key(module))
        });
        let entity = named.unwrap_or(route.entity);
        let operation = notice
            .operation
            .or_else(|| call.query_operation.and_then(Operation::parse))
            .or(route.operation)
            .unwrap_or(Operation::Upsert);
        let event = NewEvent {
            id: self.ids.next(),
            entity,
            operation,
            provenance: notice.provenance(entity.key(), operation),
            module: notice.module,
            records: notice.records,
            payload: storable(call.body, body.token()),
            received_at: self.clock.now(),
        };
        let accepted = self.inbox.accept(&event).await?;
        if matches!(accepted, Accepted::Fresh(_)) {
            self.wakeup.ring();
        }
        Ok(accepted)
    }

    async fn reject(
        &self,
        call: &Call<'_>,
        token: Option<&str>,
        fault: BodyFault,
    ) -> Result<Accepted, Refusal> {
        let body = call.body.get(..KEPT_OF_REJECTED).unwrap_or(call.body);
        let rejected = RejectedEvent {
            id: self.ids.next(),
            tail: call.tail.to_owned(),
            code: fault.code(),
            payload: storable(body, token),
            received_at: self.clock.now(),
        };
        if let Err(error) = self.inbox.keep_rejected(&rejected).await {
            // The refusal stands whether or not its body can be inspected later.
            tracing::error!(%error, code = fault.code(), "an unusable body could not be kept");
        }
        Err(fault.into())
    }
}

/// Checks header, query and signature: a wrong one is refused even beside a right one.
fn proof_outside_body(secret: &WebhookSecret, call: &Call<'_>) -> Result<Proof, Refusal> {
    let checks = [
        call.header_token.map(|token| secret.is_static_token(token)),
        call.query_token.map(|token| secret.is_static_token(token)),
        call.signature
            .map(|header| secret.is_signature(header, call.body)),
    ];
    if checks.contains(&Some(false)) {
        return Err(Refusal::Unauthorised);
    }
    if checks.contains(&Some(true)) {
        Ok(Proof::Valid)
    } else {
        Ok(Proof::OnlyBodyCanTell)
    }
}

fn proof_inside_body(secret: &WebhookSecret, body: &Body, proof: &Proof) -> Result<(), Refusal> {
    match (body.channel_proof(), proof) {
        (Some((channel, token)), _) if secret.is_channel_token(&channel, &token) => Ok(()),
        (None, Proof::Valid) => Ok(()),
        _ => Err(Refusal::Unauthorised),
    }
}

/// The body as text that any database can hold, without the notification's token.
fn storable(body: &[u8], token: Option<&str>) -> String {
    let text = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
    match token {
        Some(token) if !token.is_empty() => text.replace(token, "[token]"),
        _ => text,
    }
}
