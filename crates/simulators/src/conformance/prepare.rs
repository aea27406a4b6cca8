//! Turns OpenAPI 3.0 schemas into JSON schemas, and reads them strictly.
//!
//! An object may hold only the keys that are listed for it. Without that, nearly everything would
//! pass: Zoho's alternatives list no required keys, so that an answer of the wrong shape would
//! match the error's schema.

use serde_json::{Map, Value, json};

use super::documents::BASE;

/// How freely the schemas are read; each liberty is one exemption.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Liberties {
    /// `oneOf` means `anyOf`.
    pub overlapping_alternatives: bool,
    /// A referenced object may be null.
    pub null_references: bool,
    /// What a reference to an unpublished file describes is not checked.
    pub absent_files: bool,
}

/// The JSON schema of an OpenAPI schema that stands in `file`; applies to whole files too.
pub(super) fn prepared(schema: &Value, file: &str, known: &[&str], liberties: Liberties) -> Value {
    Preparation {
        file,
        known,
        liberties,
    }
    .value(schema)
}

struct Preparation<'a> {
    file: &'a str,
    known: &'a [&'a str],
    liberties: Liberties,
}

impl Preparation<'_> {
    fn value(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => self.object(fields),
            plain => plain.clone(),
        }
    }

    fn object(&self, fields: &Map<String, Value>) -> Value {
        if let Some(Value::String(reference)) = fields.get("$ref") {
            return self.reference(reference);
        }
        let mut object: Map<String, Value> = fields
            .iter()
            .map(|(key, value)| (key.clone(), self.member(key, value)))
            .collect();
        if fields.get("properties").is_some_and(Value::is_object)
            && !object.contains_key("additionalProperties")
        {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
        if self.liberties.overlapping_alternatives
            && let Some(alternatives) = object.remove("oneOf")
        {
            object.insert("anyOf".to_owned(), alternatives);
        }
        // Draft 4 has no empty list of required keys.
        if object.get("required") == Some(&json!([])) {
            object.remove("required");
        }
        if object.remove("nullable") == Some(json!(true)) {
            make_nullable(&mut object);
        }
        Value::Object(object)
    }

    fn member(&self, key: &str, value: &Value) -> Value {
        match (key, value) {
            ("properties", Value::Object(properties)) => {
                let property =
                    |(name, schema): (&String, &Value)| (name.clone(), self.property(schema));
                Value::Object(properties.iter().map(property).collect())
            }
            // Data, not schemas.
            ("enum" | "required" | "example" | "default", data) => data.clone(),
            (_, value) => self.value(value),
        }
    }

    fn property(&self, schema: &Value) -> Value {
        let prepared = self.value(schema);
        if self.liberties.null_references && prepared.get("$ref").is_some() {
            return json!({"anyOf": [{"type": "null"}, prepared]});
        }
        prepared
    }

    fn reference(&self, reference: &str) -> Value {
        let absolute = match reference.strip_prefix('#') {
            Some(fragment) => format!("{BASE}{}#{fragment}", self.file),
            None => reference.to_owned(),
        };
        let file = absolute
            .strip_prefix(BASE)
            .and_then(|rest| rest.split('#').next());
        let absent = !file.is_some_and(|file| self.known.contains(&file));
        if absent && self.liberties.absent_files {
            json!({})
        } else {
            json!({"$ref": absolute})
        }
    }
}

/// OpenAPI's `nullable` in the words of JSON Schema.
fn make_nullable(object: &mut Map<String, Value>) {
    if let Some(Value::String(kind)) = object.get("type") {
        let kinds = json!([kind, "null"]);
        object.insert("type".to_owned(), kinds);
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.push(Value::Null);
    }
}
