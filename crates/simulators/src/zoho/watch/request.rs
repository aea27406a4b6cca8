//! One entry of a request's `watch` list.

use serde_json::{Map, Value, json};
use url::Url;

use super::condition::Condition;
use crate::zoho::{
    refusal::Refusal,
    store::{Store, instant},
    world::World,
};

/// The longest token Zoho echoes.
const MAX_TOKEN: usize = 50;
/// What may follow the module in an event.
const OPERATIONS: [&str; 4] = ["create", "edit", "delete", "all"];

/// An entry, with where it stands for `json_path`.
pub(super) struct Entry<'a> {
    fields: &'a Map<String, Value>,
    path: String,
}

impl<'a> Entry<'a> {
    pub(super) fn new(fields: &'a Map<String, Value>, position: usize) -> Self {
        Self {
            fields,
            path: format!("$.watch[{position}]"),
        }
    }

    /// A caller-chosen long, written as a number or as text.
    pub(super) fn channel_id(&self) -> Result<String, Refusal> {
        let id = match self.required("channel_id")? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        if id.parse::<i64>().is_ok() {
            Ok(id)
        } else {
            Err(self.invalid("channel_id"))
        }
    }

    /// Module and operation of each event.
    pub(super) fn events(
        &self,
        world: &World,
        store: &Store,
    ) -> Result<Vec<(String, String)>, Refusal> {
        let written = self
            .required("events")?
            .as_array()
            .filter(|events| !events.is_empty());
        let written = written.ok_or_else(|| self.invalid("events"))?;
        let event = |event: &Value| {
            let (module, operation) = event.as_str()?.rsplit_once('.')?;
            let known = store.table(module).is_some() && OPERATIONS.contains(&operation);
            let watchable = !world
                .options
                .unwatchable_modules
                .iter()
                .any(|name| name == module);
            (known && watchable).then(|| (module.to_owned(), operation.to_owned()))
        };
        let events = written.iter().map(event).collect::<Option<Vec<_>>>();
        events.ok_or_else(|| self.invalid("events"))
    }

    pub(super) fn notify_url(&self) -> Result<String, Refusal> {
        let url = self.required("notify_url")?.as_str().unwrap_or_default();
        match Url::parse(url) {
            Ok(parsed) if ["http", "https"].contains(&parsed.scheme()) => Ok(url.to_owned()),
            _ => Err(self.invalid("notify_url")),
        }
    }

    pub(super) fn token(&self) -> Result<Option<String>, Refusal> {
        match self.fields.get("token") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(token)) if token.chars().count() <= MAX_TOKEN => {
                Ok(Some(token.clone()))
            }
            Some(_) => Err(self.invalid("token")),
        }
    }

    pub(super) fn expiry(&self) -> Result<Option<i64>, Refusal> {
        match self.fields.get("channel_expiry") {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let seconds = value.as_str().and_then(instant);
                seconds
                    .map(Some)
                    .ok_or_else(|| self.invalid("channel_expiry"))
            }
        }
    }

    pub(super) fn conditions(&self) -> Result<Vec<Condition>, Refusal> {
        let written = match self.fields.get("notification_condition") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(written)) => written,
            Some(_) => return Err(self.invalid("notification_condition")),
        };
        let conditions = written
            .iter()
            .map(Condition::parse)
            .collect::<Option<Vec<_>>>();
        conditions.ok_or_else(|| self.invalid("notification_condition"))
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.fields.get(name).and_then(Value::as_bool)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    fn required(&self, name: &str) -> Result<&Value, Refusal> {
        let value = self.fields.get(name).filter(|value| !value.is_null());
        value.ok_or_else(|| {
            Refusal::new(400, "MANDATORY_NOT_FOUND", "required field not found").with(self.at(name))
        })
    }

    fn invalid(&self, name: &str) -> Refusal {
        Refusal::invalid_data().with(self.at(name))
    }

    fn at(&self, name: &str) -> Value {
        json!({"api_name": name, "json_path": format!("{}.{name}", self.path)})
    }
}

/// The entries of a request's body.
pub(super) fn entries(body: &[u8]) -> Result<Vec<Map<String, Value>>, Refusal> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(entries) = body.get("watch") else {
        let refusal = Refusal::new(400, "MANDATORY_NOT_FOUND", "required field not found");
        return Err(refusal.with(json!({"api_name": "watch", "json_path": "$.watch"})));
    };
    let entries = entries
        .as_array()
        .map(|entries| entries.iter().map(|entry| entry.as_object().cloned()));
    let entries = entries.and_then(Iterator::collect::<Option<Vec<_>>>);
    entries.filter(|entries: &Vec<_>| !entries.is_empty()).ok_or_else(|| {
        Refusal::invalid_data()
            .with(json!({"api_name": "watch", "json_path": "$.watch", "expected_data_type": "jsonarray"}))
    })
}
