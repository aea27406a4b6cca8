//! The channels and which of them hear of a change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{condition::Condition, deliver::Notification};
use crate::{
    joined,
    zoho::{
        read::{full, whole},
        store::{Change, Operation, Store},
        world::World,
    },
};

/// The longest life of a channel, in seconds; a longer one silently becomes an hour.
const LONGEST_LIFE: i64 = 7 * 86_400;
/// The life of a channel that asks for none, or for too long a one.
const DEFAULT_LIFE: i64 = 3600;

/// One channel.
#[derive(Debug, Clone)]
pub(in crate::zoho) struct Channel {
    pub id: String,
    pub notify_url: String,
    pub token: Option<String>,
    /// In seconds since the epoch.
    pub expires: i64,
    /// Modules with the events asked for, as they were written.
    pub modules: BTreeMap<String, Vec<String>>,
    pub return_values: bool,
    pub on_related: bool,
    pub conditions: Vec<Condition>,
}

/// Every channel by its id.
#[derive(Debug, Default)]
pub(in crate::zoho) struct Channels {
    pub(super) by_id: BTreeMap<String, Channel>,
}

/// When a channel ends that asks to live until `wanted`.
pub(super) fn granted_expiry(wanted: Option<i64>, now: i64) -> i64 {
    match wanted {
        Some(wanted) if wanted > now && wanted <= now + LONGEST_LIFE => wanted,
        _ => now + DEFAULT_LIFE,
    }
}

impl Channel {
    fn hears(&self, module: &str, operation: Operation) -> bool {
        self.modules.get(module).is_some_and(|events| {
            events
                .iter()
                .any(|event| event == "all" || event == operation.in_subscription())
        })
    }

    fn passes(&self, change: &Change) -> bool {
        if change.operation != Operation::Update {
            return true;
        }
        let mut of_module = self
            .conditions
            .iter()
            .filter(|condition| condition.module == change.module);
        of_module.all(|condition| condition.holds(&change.affected))
    }
}

impl Channels {
    /// The channels that still live.
    pub(in crate::zoho) fn living(&self, now: i64) -> impl Iterator<Item = &Channel> {
        self.by_id
            .values()
            .filter(move |channel| channel.expires > now)
    }

    /// One notification per channel, module and operation, as for the records of one call.
    pub(in crate::zoho) fn notifications(
        &self,
        world: &World,
        store: &Store,
        changes: &[Change],
    ) -> Vec<Notification> {
        let now = world.clock.now();
        let mut notifications = Vec::new();
        for channel in self.living(now.timestamp()) {
            for operation in [Operation::Insert, Operation::Update, Operation::Delete] {
                let heard = |change: &&Change| {
                    change.operation == operation
                        && channel.hears(&change.module, operation)
                        && channel.passes(change)
                };
                for (module, changes) in by_module(changes.iter().filter(heard)) {
                    notifications.push(notification(world, store, channel, &module, &changes, now));
                }
            }
            if channel.on_related {
                notifications.extend(related(world, channel, changes, now));
            }
        }
        notifications
    }
}

fn by_module<'a>(changes: impl Iterator<Item = &'a Change>) -> BTreeMap<String, Vec<&'a Change>> {
    let mut modules: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        modules
            .entry(change.module.clone())
            .or_default()
            .push(change);
    }
    modules
}

fn notification(
    world: &World,
    store: &Store,
    channel: &Channel,
    module: &str,
    changes: &[&Change],
    now: DateTime<Utc>,
) -> Notification {
    let operation = changes
        .first()
        .map_or(Operation::Update, |change| change.operation);
    let ids: Vec<String> = changes.iter().map(|change| change.id.to_string()).collect();
    let updated = changes
        .iter()
        .filter(|change| change.operation == Operation::Update);
    let affected: Vec<Value> = updated
        .clone()
        .map(|change| json!({change.id.to_string(): change.affected}))
        .collect();
    let values = channel.return_values.then(|| {
        let values = updated.map(|change| affected_values(world, store, module, change));
        json!({"affected_values": values.collect::<Vec<Value>>()})
    });
    let body = body(world, channel, module, operation, &ids, now);
    let body = joined(body, json!({"affected_fields": affected}));
    let body = joined(body, values.unwrap_or_default());
    Notification::new(channel, module, operation, ids, body)
}

/// A linked record's module hears of an update although nothing of its own changed.
fn related(
    world: &World,
    channel: &Channel,
    changes: &[Change],
    now: DateTime<Utc>,
) -> Vec<Notification> {
    let mut linked: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (module, id) in changes.iter().flat_map(|change| &change.related) {
        let ids = linked.entry(module).or_default();
        if channel.hears(module, Operation::Update) && !ids.contains(&id.to_string()) {
            ids.push(id.to_string());
        }
    }
    linked.retain(|_, ids| !ids.is_empty());
    linked
        .into_iter()
        .map(|(module, ids)| {
            let body = body(world, channel, module, Operation::Update, &ids, now);
            Notification::new(channel, module, Operation::Update, ids, body)
        })
        .collect()
}

fn body(
    world: &World,
    channel: &Channel,
    module: &str,
    operation: Operation,
    ids: &[String],
    now: DateTime<Utc>,
) -> Value {
    let query = channel
        .notify_url
        .split_once('?')
        .map_or("", |(_, query)| query);
    let query: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    json!({
        "server_time": now.timestamp_millis(),
        "query_params": query,
        "module": module,
        "resource_uri": resource_uri(&world.base_url, module),
        "ids": ids,
        "affected_fields": [],
        "operation": operation.in_notification(),
        "channel_id": channel.id,
        "token": channel.token,
    })
}

/// The URI of a module, with the version Zoho writes whatever version was called.
pub(super) fn resource_uri(base_url: &str, module: &str) -> String {
    format!("{base_url}/crm/v2/{module}")
}

fn affected_values(world: &World, store: &Store, module: &str, change: &Change) -> Value {
    let record = whole(store, module, change.id)
        .and_then(|whole| serde_json::from_slice::<Value>(&full(&whole, None, world.zone())).ok())
        .unwrap_or_default();
    let values: serde_json::Map<String, Value> = change
        .affected
        .iter()
        .map(|name| (name.clone(), record.get(name).cloned().unwrap_or_default()))
        .collect();
    json!({"record_id": change.id.to_string(), "values": values})
}
