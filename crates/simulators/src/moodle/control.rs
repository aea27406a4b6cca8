//! The control interface under `/_control/`, for tools that are not written in Rust.
//!
//! | route | what |
//! |---|---|
//! | `GET state` | users, categories, courses, enrolments, name, URL, mode |
//! | `GET`, `DELETE calls` | the calls received |
//! | `GET`, `POST`, `DELETE faults` | the script, one [`Fault`] per POST |
//! | `POST users`, `courses`, `categories`, `enrolments` | adds one and answers its id |
//! | `POST users/{id}`, `courses/{id}` | changes the keys sent |
//! | `POST site` | `name`, `url`, `mode`, `version` |
//! | `POST rights` | `token?`, `capability?`, `function?`, `granted` |
//! | `POST tokens/revoke` | `token?`; the service user's when left out |

use hyper::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    access::Capability,
    options::MoodleVersion,
    server::Shared,
    site::{Category, Course, Enrolment, NotWritten, Site, SiteMode, User},
};
use crate::{
    faults::Fault,
    locked,
    serve::{Answer, Request},
};

/// Why a request was not carried out.
enum Fail {
    NoRoute,
    BadBody(String),
    Refused,
}

impl From<NotWritten> for Fail {
    fn from(_: NotWritten) -> Self {
        Self::Refused
    }
}

type Outcome = Result<Value, Fail>;

pub(super) fn answer(shared: &Shared, path: &str, request: &Request) -> Answer {
    let parts: Vec<&str> = path.split('/').collect();
    let outcome = match request.method {
        Method::GET => read(shared, &parts),
        Method::POST => change(shared, &parts, &request.body),
        Method::DELETE => clear(shared, &parts),
        _ => Err(Fail::NoRoute),
    };
    match outcome {
        Ok(value) => Answer::json(200, &value),
        Err(Fail::NoRoute) => Answer::text(404, "no such control"),
        Err(Fail::BadBody(why)) => Answer::text(400, &why),
        Err(Fail::Refused) => Answer::text(409, "the site refused that"),
    }
}

fn read(shared: &Shared, parts: &[&str]) -> Outcome {
    match parts {
        ["state"] => Ok(state(&locked(&shared.site))),
        ["calls"] => Ok(json!(shared.calls.snapshot())),
        ["faults"] => {
            let listed = shared.faults.list();
            Ok(listed
                .into_iter()
                .map(|(fault, met)| json!({"fault": fault, "met": met}))
                .collect())
        }
        _ => Err(Fail::NoRoute),
    }
}

fn state(site: &Site) -> Value {
    json!({
        "name": site.name,
        "url": site.url,
        "version": site.version,
        "mode": site.mode,
        "users": site.users.iter().collect::<Vec<_>>(),
        "categories": site.categories.values().collect::<Vec<_>>(),
        "courses": site.courses.iter().collect::<Vec<_>>(),
        "enrolments": site.enrolments.iter().collect::<Vec<_>>(),
    })
}

fn clear(shared: &Shared, parts: &[&str]) -> Outcome {
    match parts {
        ["calls"] => shared.calls.clear(),
        ["faults"] => shared.faults.clear(),
        _ => return Err(Fail::NoRoute),
    }
    Ok(Value::Null)
}

fn change(shared: &Shared, parts: &[&str], body: &[u8]) -> Outcome {
    let mut site = locked(&shared.site);
    match parts {
        ["faults"] => {
            shared.faults.add(parsed::<Fault>(body)?);
            Ok(Value::Null)
        }
        ["users"] => {
            let id = site.users.insert(parsed::<User>(body)?)?;
            Ok(json!({"id": id}))
        }
        ["users", id] => {
            let id = number(id)?;
            let user = site.users.get(id).ok_or(Fail::NoRoute)?;
            let changed: User = merged(user, body)?;
            site.users.update(id, |user| *user = changed)?;
            Ok(Value::Null)
        }
        ["courses"] => Ok(json!({"id": site.courses.insert(parsed::<Course>(body)?)})),
        ["courses", id] => {
            let id = number(id)?;
            let changed: Course = merged(site.courses.get(id).ok_or(Fail::NoRoute)?, body)?;
            site.courses.update(id, |course| *course = changed);
            Ok(Value::Null)
        }
        ["categories"] => Ok(json!({"id": site.add_category(parsed::<Category>(body)?)})),
        ["enrolments"] => {
            site.enrolments.put(parsed::<Enrolment>(body)?);
            Ok(Value::Null)
        }
        ["site"] => parsed::<SiteChange>(body).map(|change| change.apply(&mut site)),
        ["rights"] => parsed::<RightsChange>(body)?.apply(&mut site, &shared.token),
        ["tokens", "revoke"] => {
            let change: TokenChange = parsed(body)?;
            let text = change.token.as_ref().unwrap_or(&shared.token);
            site.tokens
                .remove(text)
                .map(|_| Value::Null)
                .ok_or(Fail::Refused)
        }
        _ => Err(Fail::NoRoute),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteChange {
    name: Option<String>,
    url: Option<String>,
    mode: Option<SiteMode>,
    version: Option<MoodleVersion>,
}

impl SiteChange {
    fn apply(self, site: &mut Site) -> Value {
        site.name = self.name.unwrap_or_else(|| site.name.clone());
        site.url = self.url.unwrap_or_else(|| site.url.clone());
        site.mode = self.mode.unwrap_or(site.mode);
        site.version = self.version.unwrap_or(site.version);
        Value::Null
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TokenChange {
    token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RightsChange {
    token: Option<String>,
    capability: Option<Capability>,
    function: Option<String>,
    granted: bool,
}

impl RightsChange {
    fn apply(self, site: &mut Site, default_token: &str) -> Outcome {
        let text = self.token.as_deref().unwrap_or(default_token);
        let token = site.tokens.get_mut(text).ok_or(Fail::Refused)?;
        if let Some(capability) = self.capability {
            token.set_capability(capability, self.granted);
        }
        if let Some(function) = self.function {
            token.set_function(&function, self.granted);
        }
        Ok(Value::Null)
    }
}

/// An empty body is an empty object.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fail> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Fail::BadBody(error.to_string()))
}

/// What is there with the keys sent replaced.
fn merged<T: Serialize + DeserializeOwned>(known: &T, body: &[u8]) -> Result<T, Fail> {
    let changes: Map<String, Value> = parsed(body)?;
    let mut whole = json!(known);
    if let Some(keys) = whole.as_object_mut() {
        keys.extend(changes);
    }
    serde_json::from_value(whole).map_err(|error| Fail::BadBody(error.to_string()))
}

fn number(text: &str) -> Result<u64, Fail> {
    text.parse().ok().ok_or(Fail::NoRoute)
}
