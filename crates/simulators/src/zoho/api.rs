//! The way of a call: log, faults, limits, authority, answer.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::{
    control,
    limits::too_many_requests,
    metadata,
    oauth::{self, Action, invalid_token},
    org, read,
    refusal::Refusal,
    route::{self, Operation},
    watch,
    world::World,
    write,
};
use crate::{
    faults::Effect,
    serve::{Answer, Reply, Request},
};

/// Answers any request to the simulator.
pub(super) async fn handle(world: Arc<World>, request: Request) -> Reply {
    if let Some(path) = request.path.strip_prefix("/_control/") {
        return control::answer(&world, &request, path).into();
    }
    let operation = route::operation(&request.method, &request.path);
    let name = operation.as_ref().map_or("unknown", Operation::name);
    let log = log_entry(name, &request);
    let in_flight = world.calls.begin(
        world.clock.now(),
        name,
        request.method.as_str(),
        log.0.clone(),
        &log.1,
    );
    let verdict = world.faults.of_call(request.method.as_str(), &log.0);
    let admitted = operation.and_then(|operation| {
        let slot = world.meter.enter(operation.cost(&request), world.now())?;
        Ok((operation, slot))
    });
    if !verdict.latency.is_zero() {
        sleep_until(Instant::now() + verdict.latency).await;
    }
    if let Some(reply) = verdict.effect.as_ref().and_then(Effect::instead) {
        if let Reply::Answer(answer) = &reply {
            in_flight.answered(answer.status);
        }
        return reply;
    }
    let mut answer = match (&verdict.effect, &admitted) {
        (Some(Effect::RateLimit { retry_after }), _) => rate_limited(*retry_after),
        (Some(Effect::TokenRevoked), Ok((operation, _))) if operation.need().is_some() => {
            invalid_token().answer()
        }
        (_, Ok((operation, _))) => {
            perform(&world, &request, *operation).unwrap_or_else(|refusal| refusal.answer())
        }
        (_, Err(refusal)) => refusal.answer(),
    };
    if let Ok((_, slot)) = &admitted
        && let Some(credits) = slot.remaining
    {
        answer = answer.with_header("X-API-CREDITS-REMAINING", credits.to_string());
    }
    drop(admitted);
    // Clients read the organisation's time here, so it must move with the simulated clock.
    let date = world.clock.now().format("%a, %d %b %Y %H:%M:%S GMT");
    answer = answer.with_header("Date", date.to_string());
    in_flight.answered(answer.status);
    match verdict.effect {
        Some(effect) => effect.afterwards(answer),
        None => answer.into(),
    }
}

fn perform(world: &World, request: &Request, operation: Operation<'_>) -> Result<Answer, Refusal> {
    if let Some(need) = operation.need() {
        oauth::allow(world, request, need)?;
    }
    match operation {
        Operation::Token => Ok(oauth::token(world, request)),
        Operation::Revoke => Ok(oauth::revoke(world, request)),
        Operation::Org => Ok(org::answer(world)),
        Operation::Modules => Ok(metadata::modules(world, request)),
        Operation::Module(name) => metadata::module(world, name),
        Operation::Fields => metadata::fields(world, request),
        Operation::Field(id) => metadata::field(world, request, id),
        Operation::Watch(Action::Read) => Ok(watch::list(world, request)),
        Operation::Watch(Action::Create) => watch::enable(world, request),
        Operation::Watch(Action::Update) => watch::modify(world, request),
        Operation::Watch(Action::Delete) => watch::disable(world, request),
        Operation::WatchReplace => watch::replace(world, request),
        Operation::List(module) => read::list::answer(world, request, module),
        Operation::Read(module, id) => read::one::answer(world, request, module, id),
        Operation::Deleted(module) => read::deleted::answer(world, request, module),
        Operation::Search(module) => read::search::answer(world, request, module),
        Operation::Count(module) => read::count::answer(world, request, module),
        Operation::Insert(module) => write::insert(world, request, module),
        Operation::Update(module, id) => write::update(world, request, module, id),
        Operation::Upsert(module) => write::upsert(world, request, module),
        Operation::Delete(module) => write::delete_many(world, request, module),
        Operation::DeleteOne(module, id) => write::delete_one(world, module, id),
    }
}

/// The target and body to log; those of the accounts server hold credentials.
fn log_entry(name: &str, request: &Request) -> (String, Bytes) {
    if name.starts_with("oauth.") || request.query.is_empty() {
        let body = if name.starts_with("oauth.") {
            Bytes::new()
        } else {
            request.body.clone()
        };
        return (request.path.clone(), body);
    }
    (
        format!("{}?{}", request.path, request.query),
        request.body.clone(),
    )
}

fn rate_limited(retry_after: Option<u64>) -> Answer {
    let answer = too_many_requests().answer();
    match retry_after {
        Some(seconds) => answer.with_header("Retry-After", seconds.to_string()),
        None => answer,
    }
}
