//! The published files, with the exemptions applied.

use std::collections::BTreeMap;

use serde_json::Value;

use super::exemptions::{Change, Exemption};

/// Where the files refer to each other.
pub(super) const BASE: &str =
    "https://raw.githubusercontent.com/Zohocorp-Pvt-Ltd/crm-oas/refs/heads/main/v8.0/";

macro_rules! published {
    ($($name:literal),* $(,)?) => {
        [$((
            concat!($name, ".json"),
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/../../docs/contracts/zoho-openapi/", $name, ".json"
            )),
        )),*]
    };
}

/// The files by name. The order decides between paths that could be either.
const PUBLISHED: [(&str, &str); 10] = published![
    "org",
    "modules",
    "fields",
    "notifications",
    "coql",
    "users",
    "record",
    "common",
    "layouts",
    "related_lists",
];

/// The files as JSON.
#[derive(Debug)]
pub(super) struct Documents {
    files: Vec<(&'static str, Value)>,
}

impl Documents {
    pub(super) fn load(exemptions: &[&Exemption]) -> Result<Self, String> {
        let parse = |(name, text): &(&'static str, &str)| {
            let document: Value =
                serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
            Ok((*name, document))
        };
        let files = PUBLISHED
            .iter()
            .map(parse)
            .collect::<Result<Vec<_>, String>>()?;
        let mut documents = Self { files };
        for exemption in exemptions {
            for change in exemption.changes {
                documents
                    .apply(change)
                    .map_err(|problem| format!("{}: {problem}", exemption.name))?;
            }
        }
        Ok(documents)
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.files.iter().map(|(name, document)| (*name, document))
    }

    /// Every file by the URL under which the others refer to it.
    pub(super) fn by_url(&self) -> BTreeMap<String, Value> {
        self.files()
            .map(|(name, document)| (format!("{BASE}{name}"), document.clone()))
            .collect()
    }

    fn apply(&mut self, change: &Change) -> Result<(), String> {
        let (Change::Replace { file, at, .. } | Change::Add { file, at, .. }) = change else {
            return Ok(());
        };
        let files = self.files.iter_mut();
        let document = files
            .into_iter()
            .find(|(name, _)| name == file)
            .map(|(_, document)| document);
        let place = document.and_then(|document| document.pointer_mut(at));
        let place = place.ok_or_else(|| format!("there is no {at} in {file}"))?;
        match (change, place) {
            (Change::Replace { with, .. }, place) => *place = parsed(with)?,
            (Change::Add { what, .. }, Value::Array(items)) => match parsed(what)? {
                Value::Array(more) => items.extend(more),
                one => items.push(one),
            },
            (Change::Add { what, .. }, Value::Object(fields)) => {
                if let Value::Object(more) = parsed(what)? {
                    fields.extend(more);
                }
            }
            _ => return Err(format!("nothing can be added at {at} in {file}")),
        }
        Ok(())
    }
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{text}: {error}"))
}
