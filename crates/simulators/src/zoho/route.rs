//! Which operation a request asks for.

use hyper::Method;

use super::{
    limits::Cost,
    oauth::{Action, Area, Need},
    refusal::Refusal,
};
use crate::serve::Request;

/// The one version simulated.
const PREFIX: &str = "/crm/v8/";

/// An operation with the parts of the path it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    Token,
    Revoke,
    Org,
    Modules,
    Module(&'a str),
    Fields,
    Field(&'a str),
    Watch(Action),
    WatchReplace,
    List(&'a str),
    Insert(&'a str),
    Update(&'a str, Option<&'a str>),
    Delete(&'a str),
    DeleteOne(&'a str, &'a str),
    Read(&'a str, &'a str),
    Upsert(&'a str),
    Deleted(&'a str),
    Search(&'a str),
    Count(&'a str),
}

/// Finds the operation of a method and a path.
pub(super) fn operation<'a>(method: &Method, path: &'a str) -> Result<Operation<'a>, Refusal> {
    match path {
        "/oauth/v2/token" => return only(method, &Method::POST, Operation::Token),
        "/oauth/v2/token/revoke" => return only(method, &Method::POST, Operation::Revoke),
        _ => {}
    }
    let rest = path.strip_prefix(PREFIX).ok_or_else(Refusal::invalid_url)?;
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["org"] => only(method, &Method::GET, Operation::Org),
        ["settings", "modules"] => only(method, &Method::GET, Operation::Modules),
        ["settings", "modules", name] => only(method, &Method::GET, Operation::Module(name)),
        ["settings", "fields"] => only(method, &Method::GET, Operation::Fields),
        ["settings", "fields", id] => only(method, &Method::GET, Operation::Field(id)),
        ["settings", ..] => Err(Refusal::invalid_url()),
        ["actions", "watch"] => match *method {
            Method::GET => Ok(Operation::Watch(Action::Read)),
            Method::POST => Ok(Operation::Watch(Action::Create)),
            Method::PATCH => Ok(Operation::Watch(Action::Update)),
            Method::DELETE => Ok(Operation::Watch(Action::Delete)),
            Method::PUT => Ok(Operation::WatchReplace),
            _ => Err(Refusal::invalid_method()),
        },
        [module] => match *method {
            Method::GET => Ok(Operation::List(module)),
            Method::POST => Ok(Operation::Insert(module)),
            Method::PUT => Ok(Operation::Update(module, None)),
            Method::DELETE => Ok(Operation::Delete(module)),
            _ => Err(Refusal::invalid_method()),
        },
        [module, "upsert"] => only(method, &Method::POST, Operation::Upsert(module)),
        [module, "deleted"] => only(method, &Method::GET, Operation::Deleted(module)),
        [module, "search"] => only(method, &Method::GET, Operation::Search(module)),
        [module, "actions", "count"] => only(method, &Method::GET, Operation::Count(module)),
        [module, id] => match *method {
            Method::GET => Ok(Operation::Read(module, id)),
            Method::PUT => Ok(Operation::Update(module, Some(id))),
            Method::DELETE => Ok(Operation::DeleteOne(module, id)),
            _ => Err(Refusal::invalid_method()),
        },
        _ => Err(Refusal::invalid_url()),
    }
}

fn only<'a>(
    method: &Method,
    allowed: &Method,
    operation: Operation<'a>,
) -> Result<Operation<'a>, Refusal> {
    if method == allowed {
        Ok(operation)
    } else {
        Err(Refusal::invalid_method())
    }
}

impl<'a> Operation<'a> {
    /// The name under which the log counts it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Token => "oauth.token",
            Self::Revoke => "oauth.revoke",
            Self::Org => "org",
            Self::Modules => "modules.list",
            Self::Module(_) => "modules.read",
            Self::Fields => "fields.list",
            Self::Field(_) => "fields.read",
            Self::Watch(Action::Read) => "watch.list",
            Self::Watch(Action::Create) => "watch.enable",
            Self::Watch(Action::Update) => "watch.modify",
            Self::Watch(Action::Delete) => "watch.disable",
            Self::WatchReplace => "watch.replace",
            Self::List(_) => "records.list",
            Self::Insert(_) => "records.insert",
            Self::Update(..) => "records.update",
            Self::Delete(_) | Self::DeleteOne(..) => "records.delete",
            Self::Read(..) => "records.read",
            Self::Upsert(_) => "records.upsert",
            Self::Deleted(_) => "records.deleted",
            Self::Search(_) => "records.search",
            Self::Count(_) => "records.count",
        }
    }

    /// The scope it needs; none for the accounts server.
    pub(super) fn need(&self) -> Option<Need<'a>> {
        let (area, action) = match *self {
            Self::Token | Self::Revoke => return None,
            Self::Org => (Area::Org, Action::Read),
            Self::Modules | Self::Module(_) => (Area::Settings("modules"), Action::Read),
            Self::Fields | Self::Field(_) => (Area::Settings("fields"), Action::Read),
            Self::Watch(action) => (Area::Notifications, action),
            Self::WatchReplace => (Area::Notifications, Action::Update),
            Self::List(module) | Self::Read(module, _) | Self::Deleted(module) => {
                (Area::Records(module), Action::Read)
            }
            Self::Search(module) | Self::Count(module) => (Area::Search(module), Action::Read),
            Self::Insert(module) | Self::Upsert(module) => (Area::Records(module), Action::Create),
            Self::Update(module, _) => (Area::Records(module), Action::Update),
            Self::Delete(module) | Self::DeleteOne(module, _) => {
                (Area::Records(module), Action::Delete)
            }
        };
        Some(Need { area, action })
    }

    /// What it costs (`zoho.md` §9).
    pub(super) fn cost(&self, request: &Request) -> Cost {
        match self {
            Self::Token | Self::Revoke => Cost {
                credits: 0,
                heavy: false,
            },
            Self::Deleted(_) => Cost {
                credits: 2,
                heavy: false,
            },
            Self::Search(_) => Cost {
                credits: 1,
                heavy: true,
            },
            Self::List(_) => {
                let viewed = request.query_value("cvid").is_some();
                let sorted = request.query_value("sort_by").is_some();
                Cost {
                    credits: if viewed { 3 } else { 1 },
                    heavy: viewed || sorted,
                }
            }
            Self::Insert(_) | Self::Update(..) | Self::Upsert(_) => {
                let records = records_in(&request.body);
                Cost {
                    credits: records.div_ceil(10).max(1),
                    heavy: records > 10,
                }
            }
            _ => Cost {
                credits: 1,
                heavy: false,
            },
        }
    }
}

/// How many records a write holds.
fn records_in(body: &[u8]) -> u64 {
    #[derive(serde::Deserialize)]
    struct Counted {
        #[serde(default)]
        data: Vec<serde::de::IgnoredAny>,
    }
    let counted = serde_json::from_slice::<Counted>(body).map(|counted| counted.data.len());
    counted
        .ok()
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or_default()
}
