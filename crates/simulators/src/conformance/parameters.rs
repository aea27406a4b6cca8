//! Query parameters: known names, and values that look like their type.

use serde_json::Value;
use url::form_urlencoded;

/// A query parameter that is described.
#[derive(Debug)]
pub(super) struct Parameter {
    name: String,
    required: bool,
    kind: String,
    allowed: Vec<String>,
}

impl Parameter {
    /// The parameter described, if it belongs in the query.
    pub(super) fn of(described: &Value) -> Option<Self> {
        if described.get("in").and_then(Value::as_str) != Some("query") {
            return None;
        }
        let schema = described.get("schema");
        let kind = schema
            .and_then(|schema| schema.get("type"))
            .and_then(Value::as_str);
        let allowed = schema
            .and_then(|schema| schema.get("enum"))
            .and_then(Value::as_array);
        let allowed = allowed
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(ToOwned::to_owned);
        Some(Self {
            name: described.get("name")?.as_str()?.to_owned(),
            required: described
                .get("required")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            kind: kind.unwrap_or("string").to_owned(),
            allowed: allowed.collect(),
        })
    }

    fn fits(&self, value: &str) -> bool {
        let of_kind = match self.kind.as_str() {
            "integer" => value.parse::<i64>().is_ok(),
            "boolean" => ["true", "false"].contains(&value),
            _ => true,
        };
        of_kind && (self.allowed.is_empty() || self.allowed.iter().any(|allowed| allowed == value))
    }
}

/// What is wrong with a query.
pub(super) fn problems(described: &[Parameter], query: &str) -> Vec<String> {
    let given: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let mut problems = Vec::new();
    for (name, value) in &given {
        match described.iter().find(|parameter| parameter.name == *name) {
            None => problems.push(format!("the parameter {name} is not described")),
            Some(parameter) if !parameter.fits(value) => {
                problems.push(format!(
                    "the parameter {name} is no {}: {value}",
                    parameter.kind
                ));
            }
            Some(_) => {}
        }
    }
    let missing = |parameter: &&Parameter| {
        parameter.required && !given.iter().any(|(name, _)| *name == parameter.name)
    };
    let missing = described.iter().filter(missing);
    problems
        .extend(missing.map(|parameter| format!("the parameter {} is missing", parameter.name)));
    problems
}
