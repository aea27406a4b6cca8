//! `…/actions/watch`, all verbs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    channel::{Channel, granted_expiry, resource_uri},
    request::{Entry, entries},
};
use crate::{
    locked,
    serve::{Answer, Request},
    zoho::{read::time, refusal::Refusal, store::Store, world::World},
};

/// POST: opens channels; a channel that exists is opened anew.
pub(in crate::zoho) fn enable(world: &World, request: &Request) -> Result<Answer, Refusal> {
    each(
        world,
        request,
        201,
        "Successfully subscribed for actions-watch of the given module",
        open,
    )
}

/// PUT: replaces what a channel holds; what is not sent is dropped.
pub(in crate::zoho) fn replace(world: &World, request: &Request) -> Result<Answer, Refusal> {
    each(world, request, 200, UPDATED, |world, store, entry| {
        existing(world, &entry.channel_id()?)?;
        open(world, store, entry)
    })
}

const UPDATED: &str = "Successfully updated the subscribe details";

/// PATCH: changes only what is sent, or drops events with `_delete_events`.
pub(in crate::zoho) fn modify(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let drops =
        |fields: &Map<String, Value>| fields.get("_delete_events") == Some(&Value::Bool(true));
    if entries(&request.body)?.iter().any(drops) {
        return each(
            world,
            request,
            200,
            "Successfully removed the subscribe details",
            drop_events,
        );
    }
    each(world, request, 200, UPDATED, |world, store, entry| {
        let mut channel = existing(world, &entry.channel_id()?)?;
        if entry.has("events") {
            channel.modules = grouped(entry.events(world, store)?);
        }
        if entry.has("notify_url") {
            channel.notify_url = entry.notify_url()?;
        }
        if entry.has("token") {
            channel.token = entry.token()?;
        }
        if entry.has("channel_expiry") {
            channel.expires = granted_expiry(entry.expiry()?, world.now());
        }
        if entry.has("notification_condition") {
            channel.conditions = entry.conditions()?;
        }
        channel.return_values = entry
            .flag("return_affected_field_values")
            .unwrap_or(channel.return_values);
        channel.on_related = entry
            .flag("notify_on_related_action")
            .unwrap_or(channel.on_related);
        Ok(channel)
    })
}

/// DELETE: closes channels.
pub(in crate::zoho) fn disable(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let ids = request.query_value("channel_ids").ok_or_else(|| {
        Refusal::missing_param("channel_ids")
            .with(json!({"param": "channel_ids", "param_name": "channel_ids"}))
    })?;
    let store = locked(&world.store);
    let mut channels = locked(&world.channels);
    let mut items = Vec::new();
    let mut failed = 0;
    for id in ids.split(',').map(str::trim) {
        match channels
            .by_id
            .remove(id)
            .filter(|channel| channel.expires > world.now())
        {
            Some(channel) => items.extend(channel.modules.keys().map(|module| {
                let details = json!({
                    "resource_uri": resource_uri(&world.base_url, module),
                    "resource_id": module_id(&store, module), "channel_id": id,
                });
                success("Successfully un-subscribed from actions-watch", &details)
            })),
            None => {
                failed += 1;
                items.push(not_subscribed(id).body());
            }
        }
    }
    let status = if failed == items.len() { 202 } else { 200 };
    Ok(Answer::json(status, &json!({"watch": items})))
}

/// GET: lists living channels, one entry per module.
pub(in crate::zoho) fn list(world: &World, request: &Request) -> Answer {
    let wanted_id = request.query_value("channel_id");
    let wanted_module = request.query_value("module");
    let mut found = details_of_all(world);
    found.retain(|details| {
        let is = |key: &str, wanted: &Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| details.get(key).and_then(Value::as_str) == Some(wanted))
        };
        is("channel_id", &wanted_id) && is("resource_name", &wanted_module)
    });
    if found.is_empty() {
        return Answer::empty(204);
    }
    let info = json!({"per_page": 200, "page": 1, "count": found.len(), "more_records": false});
    Answer::json(200, &json!({"watch": found, "info": info}))
}

/// Every living channel, one entry per module.
pub(in crate::zoho) fn details_of_all(world: &World) -> Vec<Value> {
    let store = locked(&world.store);
    let channels = locked(&world.channels);
    let of_module = |channel: &Channel| {
        let modules = channel.modules.keys();
        modules
            .map(|module| details(world, &store, channel, module))
            .collect::<Vec<_>>()
    };
    channels.living(world.now()).flat_map(of_module).collect()
}

/// Handles a body's entries one by one; the status is 202 only when all fail.
fn each(
    world: &World,
    request: &Request,
    status: u16,
    message: &str,
    change: impl Fn(&World, &Store, &Entry<'_>) -> Result<Channel, Refusal>,
) -> Result<Answer, Refusal> {
    let entries = entries(&request.body)?;
    let store = locked(&world.store);
    let mut items = Vec::new();
    let mut failed = 0;
    for (position, fields) in entries.iter().enumerate() {
        match change(world, &store, &Entry::new(fields, position)) {
            Ok(channel) => {
                items.push(success(
                    message,
                    &json!({"events": granted(world, &store, &channel)}),
                ));
                let mut channels = locked(&world.channels);
                if channel.modules.is_empty() {
                    channels.by_id.remove(&channel.id);
                } else {
                    channels.by_id.insert(channel.id.clone(), channel);
                }
            }
            Err(refusal) => {
                failed += 1;
                items.push(refusal.body());
            }
        }
    }
    let status = if failed == items.len() { 202 } else { status };
    Ok(Answer::json(status, &json!({"watch": items})))
}

fn open(world: &World, store: &Store, entry: &Entry<'_>) -> Result<Channel, Refusal> {
    Ok(Channel {
        id: entry.channel_id()?,
        modules: grouped(entry.events(world, store)?),
        notify_url: entry.notify_url()?,
        token: entry.token()?,
        expires: granted_expiry(entry.expiry()?, world.now()),
        conditions: entry.conditions()?,
        return_values: entry.flag("return_affected_field_values").unwrap_or(false),
        // The default is a nuisance: linked records' modules notify too.
        on_related: entry.flag("notify_on_related_action").unwrap_or(true),
    })
}

fn drop_events(world: &World, store: &Store, entry: &Entry<'_>) -> Result<Channel, Refusal> {
    let mut channel = existing(world, &entry.channel_id()?)?;
    for (module, operation) in entry.events(world, store)? {
        if let Some(events) = channel.modules.get_mut(&module) {
            events.retain(|known| *known != operation && operation != "all");
        }
    }
    channel.modules.retain(|_, events| !events.is_empty());
    Ok(channel)
}

fn existing(world: &World, id: &str) -> Result<Channel, Refusal> {
    let channels = locked(&world.channels);
    let channel = channels
        .by_id
        .get(id)
        .filter(|channel| channel.expires > world.now());
    channel.cloned().ok_or_else(|| not_subscribed(id))
}

fn grouped(events: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, operation) in events {
        modules.entry(module).or_default().push(operation);
    }
    modules
}

fn granted(world: &World, store: &Store, channel: &Channel) -> Vec<Value> {
    let event = |module: &String| {
        json!({
            "resource_name": module,
            "resource_id": module_id(store, module),
            "resource_uri": resource_uri(&world.base_url, module),
            "channel_id": channel.id,
            "channel_expiry": time(channel.expires, world.zone()),
            "notification_condition": conditions(channel, module),
        })
    };
    channel.modules.keys().map(event).collect()
}

fn details(world: &World, store: &Store, channel: &Channel, module: &str) -> Value {
    let events = channel.modules.get(module).into_iter().flatten();
    let events: Vec<String> = events
        .map(|operation| format!("{module}.{operation}"))
        .collect();
    json!({
        "channel_id": channel.id, "resource_name": module, "resource_id": module_id(store, module),
        "resource_uri": resource_uri(&world.base_url, module), "events": events,
        "channel_expiry": time(channel.expires, world.zone()), "notify_url": channel.notify_url,
        "token": channel.token, "notify_on_related_action": channel.on_related,
        "return_affected_field_values": channel.return_values, "fields": null,
        "notification_condition": conditions(channel, module),
    })
}

fn conditions(channel: &Channel, module: &str) -> Vec<Value> {
    let of_module = channel
        .conditions
        .iter()
        .filter(|condition| condition.module == module);
    of_module
        .map(|condition| condition.written.clone())
        .collect()
}

fn module_id(store: &Store, module: &str) -> String {
    store
        .table(module)
        .map_or_else(String::new, |table| table.schema.id.to_string())
}

fn success(message: &str, details: &Value) -> Value {
    json!({"code": "SUCCESS", "status": "success", "message": message, "details": details})
}

fn not_subscribed(id: &str) -> Refusal {
    Refusal::new(400, "NOT_SUBSCRIBED", "the channel is not subscribed")
        .with(json!({"channel_id": id}))
}
