//! The operations the files describe, with compiled schemas.

use std::collections::BTreeMap;

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use super::{
    documents::{BASE, Documents},
    exemptions::{Change, Exemption},
    parameters::Parameter,
    prepare::{Liberties, prepared},
};

/// Every operation, in the order of the files.
#[derive(Debug)]
pub(super) struct Operations {
    all: Vec<Operation>,
}

/// One verb at one path.
#[derive(Debug)]
pub(super) struct Operation {
    method: String,
    /// The path's parts; `{…}` stands for anything.
    template: Vec<String>,
    pub parameters: Vec<Parameter>,
    pub body: Option<Validator>,
    responses: BTreeMap<u16, Described>,
    /// What any status may answer that is not described, if it may at all.
    undescribed: Option<Undescribed>,
}

#[derive(Debug)]
enum Described {
    Json(Validator),
    Empty,
}

#[derive(Debug)]
struct Undescribed {
    /// The error shape all operations share.
    error: Validator,
}

/// What an answer is checked against.
pub(super) enum Answered<'a> {
    Json(&'a Validator),
    Empty,
}

impl Operations {
    pub(super) fn of(documents: &Documents, exemptions: &[&Exemption]) -> Result<Self, String> {
        let compiler = Compiler::of(documents, exemptions)?;
        let mut all = Vec::new();
        for (file, document) in documents.files() {
            let paths = document.get("paths").and_then(Value::as_object);
            for (path, verbs) in paths.into_iter().flatten() {
                for (verb, described) in verbs.as_object().into_iter().flatten() {
                    if ["get", "post", "put", "patch", "delete"].contains(&verb.as_str()) {
                        all.push(compiler.operation(file, document, (verb, path), described)?);
                    }
                }
            }
        }
        Ok(Self { all })
    }

    /// The operation of a call: the path with the fewest placeholders wins.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let matching = self.all.iter().filter(|operation| {
            operation.method.eq_ignore_ascii_case(method) && operation.describes(&parts)
        });
        // The first of equals: `min_by_key` keeps it.
        matching.min_by_key(|operation| operation.placeholders())
    }
}

impl Operation {
    fn describes(&self, parts: &[&str]) -> bool {
        self.template.len() == parts.len()
            && self
                .template
                .iter()
                .zip(parts)
                .all(|(wanted, part)| is_placeholder(wanted) || wanted == part)
    }

    fn placeholders(&self) -> usize {
        self.template
            .iter()
            .filter(|part| is_placeholder(part))
            .count()
    }

    /// What describes an answer of this status.
    pub(super) fn answered(&self, status: u16) -> Option<Answered<'_>> {
        if let Some(described) = self.responses.get(&status) {
            return Some(described.into());
        }
        let undescribed = self.undescribed.as_ref()?;
        match (status, self.responses.get(&200)) {
            (204 | 304, _) => Some(Answered::Empty),
            (201 | 202 | 207 | 400 | 412, Some(described)) => Some(described.into()),
            (400.., _) => Some(Answered::Json(&undescribed.error)),
            _ => None,
        }
    }
}

impl<'a> From<&'a Described> for Answered<'a> {
    fn from(described: &'a Described) -> Self {
        match described {
            Described::Json(validator) => Self::Json(validator),
            Described::Empty => Self::Empty,
        }
    }
}

fn is_placeholder(part: &str) -> bool {
    part.starts_with('{')
}

struct Compiler<'a> {
    registry: Registry,
    known: Vec<&'a str>,
    liberties: Liberties,
    undescribed: bool,
}

impl<'a> Compiler<'a> {
    fn of(documents: &'a Documents, exemptions: &[&Exemption]) -> Result<Self, String> {
        let takes = |wanted: &Change| {
            exemptions
                .iter()
                .any(|exempt| exempt.changes.contains(wanted))
        };
        let liberties = Liberties {
            overlapping_alternatives: takes(&Change::OverlappingAlternatives),
            null_references: takes(&Change::NullReferences),
            absent_files: takes(&Change::AbsentFiles),
        };
        let known: Vec<&str> = documents.files().map(|(name, _)| name).collect();
        let resources = documents.by_url().into_iter().map(|(url, document)| {
            let file = url.strip_prefix(BASE).unwrap_or_default();
            let schemas = prepared(&document, file, &known, liberties);
            let resource = Draft::Draft4.create_resource(schemas);
            (url, resource)
        });
        let registry =
            Registry::try_from_resources(resources).map_err(|error| error.to_string())?;
        Ok(Self {
            registry,
            known,
            liberties,
            undescribed: takes(&Change::UndescribedStatuses),
        })
    }

    fn operation(
        &self,
        file: &str,
        document: &Value,
        (method, path): (&str, &str),
        described: &Value,
    ) -> Result<Operation, String> {
        let follow = |value: &'_ Value| followed(document, value);
        let parameters = described
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let parameters = parameters
            .filter_map(|parameter| Parameter::of(&follow(parameter)))
            .collect();
        let body = described.get("requestBody").map(follow);
        let body = body.as_ref().and_then(json_schema);
        let body = body.map(|schema| self.compile(file, schema)).transpose()?;
        let mut responses = BTreeMap::new();
        for (status, response) in described
            .get("responses")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let response = follow(response);
            let described = match json_schema(&response) {
                Some(schema) => Described::Json(self.compile(file, schema)?),
                None => Described::Empty,
            };
            responses.insert(
                status.parse::<u16>().map_err(|error| error.to_string())?,
                described,
            );
        }
        let error = json!({"$ref": format!("{BASE}common.json#/components/schemas/API_Exception")});
        let undescribed = match self.undescribed {
            true => Some(Undescribed {
                error: self.compile("common.json", &error)?,
            }),
            false => None,
        };
        let template = path
            .trim_matches('/')
            .split('/')
            .map(ToOwned::to_owned)
            .collect();
        Ok(Operation {
            method: method.to_owned(),
            template,
            parameters,
            body,
            responses,
            undescribed,
        })
    }

    fn compile(&self, file: &str, schema: &Value) -> Result<Validator, String> {
        let schema = prepared(schema, file, &self.known, self.liberties);
        jsonschema::options()
            .with_draft(Draft::Draft4)
            .with_registry(self.registry.clone())
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| format!("{file}: {error}"))
    }
}

/// What a reference within the same file leads to.
fn followed(document: &Value, value: &Value) -> Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let target = reference
        .and_then(|text| text.strip_prefix('#'))
        .and_then(|at| document.pointer(at));
    target.unwrap_or(value).clone()
}

fn json_schema(holder: &Value) -> Option<&Value> {
    holder
        .get("content")?
        .get("application/json")?
        .get("schema")
}
