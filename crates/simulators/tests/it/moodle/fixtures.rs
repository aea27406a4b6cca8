//! Recorded requests and answers of real sites.

use std::{collections::BTreeMap, fs, path::PathBuf};

use mzi_simulators::moodle::MoodleVersion;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub struct Fixture {
    pub name: String,
    pub request: Sent,
    pub status: u16,
    pub content_type: String,
    pub response: Value,
    /// The body, where it is not JSON.
    pub response_text: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Sent {
    pub method: String,
    pub path: String,
    pub content_type: String,
    pub body: String,
}

/// All recordings of one version by name.
pub struct Recorded {
    pub version: MoodleVersion,
    pub fixtures: BTreeMap<String, Fixture>,
}

impl Recorded {
    pub fn of(version: MoodleVersion) -> Self {
        let folder = match version {
            MoodleVersion::V4_5 => "4.5",
            MoodleVersion::V5_1 => "5.1",
        };
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/contracts/moodle-fixtures")
            .join(folder);
        let files = fs::read_dir(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let fixtures = files
            .map(|file| {
                let text = fs::read_to_string(file.expect("an entry").path()).expect("a file");
                let fixture: Fixture = serde_json::from_str(&text).expect("a fixture");
                (fixture.name.clone(), fixture)
            })
            .collect();
        Self { version, fixtures }
    }

    /// The answer of a fixture; null where this version has no such recording.
    pub fn answer(&self, name: &str) -> &Value {
        self.fixtures
            .get(name)
            .map_or(&Value::Null, |fixture| &fixture.response)
    }
}

/// The items of a list, none if it is no list.
pub fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub fn id(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

pub fn seconds(value: &Value, key: &str) -> i64 {
    value[key].as_i64().unwrap_or_default()
}

pub fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
