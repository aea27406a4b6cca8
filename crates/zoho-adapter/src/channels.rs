//! Notification channels (contracts/zoho.md §7).

use mzi_ports::{
    CrmError,
    crm::{Channel, ChannelRequest},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    call::{Call, Effect, module_path, scope},
    refusal,
    transport::Transport,
    value::{moment, moment_text},
    wire::{Verdict, Watched, WatchedModule, Watching},
};

const PATH: &str = "actions/watch";
const PER_PAGE: &str = "200";

/// More pages of channels than any account has: the loop must end.
const MAX_PAGES: u32 = 50;

/// Every channel that exists.
pub(crate) async fn list(transport: &Transport) -> Result<Vec<Channel>, CrmError> {
    let mut channels = Vec::new();
    for page in 1..=MAX_PAGES {
        let call = Call::read("list channels", scope::NOTIFICATIONS, PATH.into())
            .with("page", page.to_string())
            .with("per_page", PER_PAGE);
        let Some(body) = transport.ask::<Watching>(&call).await?.body else {
            break;
        };
        channels.extend(body.watch.into_iter().map(channel));
        if !body.info.more_records {
            break;
        }
    }
    Ok(channels)
}

/// Replaces the channel, or creates it when there is none, and reads its expiry back.
///
/// What Zoho answers to creating a channel twice is documented nowhere; that replacing an unknown
/// one is refused is. So replacing comes first, and creating decides when that was refused.
pub(crate) async fn subscribe(
    transport: &Transport,
    request: &ChannelRequest,
) -> Result<Channel, CrmError> {
    module_path(&request.module)?;
    match put(transport, request, Method::PUT).await {
        Err(CrmError::Rejected { .. }) => put(transport, request, Method::POST).await,
        other => other,
    }
}

/// Ends channels; one that is not there has ended already.
pub(crate) async fn unsubscribe(transport: &Transport, ids: &[String]) -> Result<(), CrmError> {
    if ids.is_empty() {
        return Ok(());
    }
    let call = Call::change(
        "end channels",
        scope::NOTIFICATIONS,
        Method::DELETE,
        PATH.into(),
        Effect::Repeatable,
    )
    .with("channel_ids", ids.join(","));
    let ended = match transport.ask::<Watched>(&call).await {
        Ok(answer) => answer.body.map(|body| body.watch).unwrap_or_default(),
        Err(CrmError::Rejected { code, .. }) if code == NOT_SUBSCRIBED => Vec::new(),
        Err(error) => return Err(error),
    };
    let fine = |verdict: &&Verdict| !verdict.is_success() && verdict.code != NOT_SUBSCRIBED;
    match ended.iter().find(fine) {
        Some(verdict) => Err(refusal::of_item(&call, verdict)),
        None => Ok(()),
    }
}

const NOT_SUBSCRIBED: &str = "NOT_SUBSCRIBED";

async fn put(
    transport: &Transport,
    request: &ChannelRequest,
    method: Method,
) -> Result<Channel, CrmError> {
    let call = Call::change(
        format!("subscribe to {}", request.module),
        scope::NOTIFICATIONS,
        method,
        PATH.into(),
        Effect::Repeatable,
    )
    .with_body(body(request));
    let answer = transport.ask::<Watched>(&call).await?;
    let first = answer.body.and_then(|body| body.watch.into_iter().next());
    let verdict = first.ok_or_else(|| refusal::of_nonsense(&call, "no outcome in the answer"))?;
    if !verdict.is_success() {
        return Err(refusal::of_item(&call, &verdict));
    }
    Ok(Channel {
        channel_id: request.channel_id.clone(),
        module: request.module.clone(),
        notify_url: Some(request.notify_url.clone()),
        expires_at: moment(kept(&verdict, &request.module)),
    })
}

/// The whole channel: a replacement drops what it does not repeat. Notices about related records
/// are on unless they are refused.
fn body(request: &ChannelRequest) -> Value {
    json!({ "watch": [{
        "channel_id": request.channel_id,
        "events": [format!("{}.all", request.module)],
        "notify_url": request.notify_url,
        "token": request.token,
        "channel_expiry": moment_text(request.expires_at),
        "notify_on_related_action": false,
    }] })
}

/// The expiry Zoho kept for the module.
fn kept<'a>(verdict: &'a Verdict, module: &str) -> Option<&'a Value> {
    let events = verdict.details.get("events")?.as_array()?;
    let ours = |event: &&Value| event.get("resource_name").and_then(Value::as_str) == Some(module);
    let event = events.iter().find(ours).or(events.first())?;
    event.get("channel_expiry")
}

fn channel(watched: WatchedModule) -> Channel {
    let expiry = watched.channel_expiry.map(Value::String);
    Channel {
        channel_id: watched.channel_id,
        module: watched.resource_name,
        notify_url: watched.notify_url,
        expires_at: moment(expiry.as_ref()),
    }
}
