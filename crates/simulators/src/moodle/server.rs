//! A call's way from the request to the answer.

use std::{sync::Mutex, time::Duration};

use bytes::Bytes;
use hyper::{Method, header};
use serde_json::Value;

use super::{
    access::{Capability, Token, TokenState},
    control,
    functions::{self, Call, Function, Seen},
    refusal::Refusal,
    site::{Site, SiteMode},
    wire::{form::Inputs, json, params::Args, xml},
};
use crate::{
    clock::Clock,
    faults::{CallLog, Effect, Faults},
    locked,
    serve::{Answer, Reply, Request},
};

const REST: &str = "/webservice/rest/server.php";

/// What the server and the handles of one simulator share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) site: Mutex<Site>,
    pub(super) faults: Faults,
    pub(super) calls: CallLog,
    pub(super) clock: Clock,
    pub(super) race_window: Mutex<Option<Duration>>,
    /// The service user's token, which the control interface means when it names none.
    pub(super) token: String,
}

impl Shared {
    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }
}

pub(super) async fn answer(shared: &Shared, request: &Request) -> Reply {
    if let Some(path) = request.path.strip_prefix("/_control/") {
        return control::answer(shared, path, request).into();
    }
    if request.path != REST {
        return html(404, "<html><body>Not found</body></html>").into();
    }
    rest(shared, RestCall::read(request)).await
}

/// A request with the protocol's own parameters taken out.
struct RestCall {
    method: Method,
    token: String,
    function: String,
    as_json: bool,
    inputs: Inputs,
    /// The body without what must not be kept.
    loggable: Bytes,
}

impl RestCall {
    /// A body of any other type than a form is ignored, as PHP does.
    fn read(request: &Request) -> Self {
        let mut pairs = request.query_pairs();
        let is_form = request
            .header(header::CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if request.method == Method::POST && is_form {
            pairs.extend(request.form_pairs());
        }
        let mut inputs = Inputs::from_pairs(pairs);
        Self {
            method: request.method.clone(),
            token: inputs.take_text("wstoken").unwrap_or_default(),
            function: inputs.take_text("wsfunction").unwrap_or_default(),
            as_json: inputs.take_text("moodlewsrestformat").as_deref() == Some("json"),
            inputs,
            loggable: without_secrets(&request.body),
        }
    }
}

/// Leaves token and passwords out of what the log keeps.
fn without_secrets(body: &Bytes) -> Bytes {
    let is_secret = |pair: &&[u8]| {
        let key = pair.split(|b| *b == b'=').next().unwrap_or_default();
        key == b"wstoken"
            || key.windows(10).any(|part| part == b"[password]")
            || key
                .windows(14)
                .any(|part| part.eq_ignore_ascii_case(b"%5bpassword%5d"))
    };
    let kept: Vec<&[u8]> = body
        .split(|b| *b == b'&')
        .filter(|pair| !is_secret(pair))
        .collect();
    kept.join(&b'&').into()
}

async fn rest(shared: &Shared, call: RestCall) -> Reply {
    let verdict = shared.faults.of_call(call.method.as_str(), &call.function);
    let logged = shared.calls.begin(
        shared.clock.now(),
        &call.function,
        call.method.as_str(),
        call.function.clone(),
        &call.loggable,
    );
    if !verdict.latency.is_zero() {
        tokio::time::sleep(verdict.latency).await;
    }
    let effect = verdict.effect;
    let prevented = effect
        .as_ref()
        .and_then(|effect| instead(effect, call.as_json));
    let reply = match (prevented, &effect) {
        (Some(reply), _) => reply,
        (None, Some(effect)) => effect.afterwards(perform(shared, call).await),
        (None, None) => perform(shared, call).await.into(),
    };
    if let Reply::Answer(answer) | Reply::Truncated(answer, _) = &reply {
        logged.answered(answer.status);
    }
    reply
}

/// The reply of a fault that keeps the call from being applied.
fn instead(effect: &Effect, as_json: bool) -> Option<Reply> {
    match effect {
        Effect::TokenRevoked => Some(written(Err(Refusal::invalid_token()), as_json).into()),
        Effect::RateLimit { retry_after } => {
            // Moodle limits nothing itself; the web server before it may.
            let answer = html(429, "<html><body>Too many requests</body></html>");
            Some(match retry_after {
                Some(seconds) => answer
                    .with_header("retry-after", seconds.to_string())
                    .into(),
                None => answer.into(),
            })
        }
        other => other.instead(),
    }
}

async fn perform(shared: &Shared, call: RestCall) -> Answer {
    let mode = locked(&shared.site).mode;
    match mode {
        SiteMode::CliMaintenance => html(503, "<html><body>Down for maintenance</body></html>"),
        SiteMode::WebServicesOff => html(403, ""),
        SiteMode::Open | SiteMode::Maintenance => {
            let as_json = call.as_json;
            written(execute(shared, call).await, as_json)
        }
    }
}

/// Every Moodle-level answer has HTTP status 200, refusals too.
fn written(result: Result<Value, Refusal>, as_json: bool) -> Answer {
    if as_json {
        let body = result.unwrap_or_else(|refusal| refusal.body());
        return Answer::typed(200, "application/json", json::to_bytes(&body).into());
    }
    let body = match result {
        Ok(value) => xml::result(&value),
        Err(refusal) => xml::refusal(&refusal),
    };
    Answer::typed(200, "application/xml; charset=utf-8", body.into())
}

fn html(status: u16, body: &'static str) -> Answer {
    Answer::typed(
        status,
        "text/html; charset=utf-8",
        Bytes::from_static(body.as_bytes()),
    )
}

/// A call that was admitted and has looked, but not written.
struct Looked {
    function: &'static Function,
    token: Token,
    args: Args,
    seen: Seen,
}

async fn execute(shared: &Shared, call: RestCall) -> Result<Value, Refusal> {
    let window = *locked(&shared.race_window);
    let looked = {
        let mut site = locked(&shared.site);
        let looked = look(&mut site, call)?;
        match window {
            Some(_) if looked.function.look.is_some() => looked,
            _ => return write(&mut site, shared.now(), looked),
        }
    };
    tokio::time::sleep(window.unwrap_or_default()).await;
    write(&mut locked(&shared.site), shared.now(), looked)
}

fn look(site: &mut Site, call: RestCall) -> Result<Looked, Refusal> {
    let token = authenticate(site, &call.token)?;
    let function = authorise(site, &token, &call.function)?;
    let args = Args::check(&function.fields, &call.inputs)?;
    let seen = function
        .look
        .map(|look| look(site, &args))
        .unwrap_or_default();
    Ok(Looked {
        function,
        token,
        args,
        seen,
    })
}

fn write(site: &mut Site, now: i64, looked: Looked) -> Result<Value, Refusal> {
    let Looked {
        function,
        token,
        args,
        seen,
    } = looked;
    (function.run)(
        &mut Call {
            site,
            token,
            now,
            seen,
        },
        &args,
    )
}

fn authenticate(site: &mut Site, text: &str) -> Result<Token, Refusal> {
    let token = site
        .tokens
        .get(text)
        .cloned()
        .ok_or_else(Refusal::invalid_token)?;
    match token.state {
        TokenState::Expired => {
            // Moodle deletes the row on first use: the next call finds nothing.
            site.tokens.remove(text);
            return Err(Refusal::access());
        }
        TokenState::AddressRefused => return Err(Refusal::access()),
        TokenState::Valid | TokenState::ServiceDisabled => {}
    }
    if site.mode == SiteMode::Maintenance {
        return Err(Refusal::maintenance());
    }
    match site.users.get(token.user_id) {
        Some(owner) if owner.suspended => Err(Refusal::owner_suspended(&owner.username)),
        Some(_) => Ok(token),
        None => Err(Refusal::invalid_token()),
    }
}

fn authorise(site: &Site, token: &Token, name: &str) -> Result<&'static Function, Refusal> {
    if name.is_empty() {
        return Err(Refusal::invalid_parameter());
    }
    if !functions::exists(name) {
        return Err(Refusal::missing_row(site.version, "external_functions"));
    }
    let offered = token.state == TokenState::Valid
        && token.may(Capability::UseRest)
        && token.functions.iter().any(|known| known == name);
    match functions::find(name) {
        Some(function) if offered => Ok(function),
        _ => Err(Refusal::access()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_neither_token_nor_password() {
        let body = Bytes::from_static(
            b"wstoken=abc&wsfunction=f&users%5B0%5D%5Bpassword%5D=s3cret&users[1][password]=x&a=1",
        );

        assert_eq!(
            without_secrets(&body),
            Bytes::from_static(b"wsfunction=f&a=1")
        );
    }
}
