//! What travels: Zoho's envelopes as serde types. Keys that differ between versions are read in
//! every shape they are known to have (contracts/zoho.md §12).

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A record or any other object whose keys depend on the account.
pub(crate) type Object = Map<String, Value>;

/// `{"error":"invalid_code"}`, the token endpoint's refusal.
#[derive(Deserialize)]
pub(crate) struct TokenRefusal {
    #[serde(rename = "error")]
    _error: String,
}

/// A refusal of a whole request, or the outcome of one item of a write.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    /// An object, but an empty list or text in older answers.
    #[serde(default)]
    pub(crate) details: Value,
}

impl Verdict {
    /// A text among the details.
    pub(crate) fn detail(&self, key: &str) -> Option<&str> {
        self.details.get(key)?.as_str()
    }

    pub(crate) fn is_success(&self) -> bool {
        self.code == "SUCCESS"
    }
}

/// `data` with records, and how to go on.
#[derive(Deserialize)]
pub(crate) struct Records {
    pub(crate) data: Vec<Object>,
    #[serde(default)]
    pub(crate) info: Info,
}

/// `info` of a list.
#[derive(Default, Deserialize)]
pub(crate) struct Info {
    #[serde(default)]
    pub(crate) more_records: bool,
    #[serde(default)]
    pub(crate) next_page_token: Option<String>,
}

/// `data` with one outcome a record written.
#[derive(Deserialize)]
pub(crate) struct Written {
    pub(crate) data: Vec<Verdict>,
}

/// `watch` with one outcome a channel.
#[derive(Deserialize)]
pub(crate) struct Watched {
    pub(crate) watch: Vec<Verdict>,
}

/// `watch` with the channels that exist.
#[derive(Deserialize)]
pub(crate) struct Watching {
    pub(crate) watch: Vec<WatchedModule>,
    #[serde(default)]
    pub(crate) info: Info,
}

/// One module of one channel.
#[derive(Debug, Deserialize)]
pub(crate) struct WatchedModule {
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) channel_id: String,
    pub(crate) resource_name: String,
    #[serde(default)]
    pub(crate) channel_expiry: Option<String>,
    #[serde(default)]
    pub(crate) notify_url: Option<String>,
}

/// `modules`.
#[derive(Deserialize)]
pub(crate) struct Modules {
    pub(crate) modules: Vec<Module>,
}

/// A module's metadata.
#[derive(Deserialize)]
pub(crate) struct Module {
    #[serde(default)]
    pub(crate) api_name: Option<String>,
    #[serde(default)]
    pub(crate) plural_label: Option<String>,
    #[serde(default)]
    pub(crate) generated_type: Option<String>,
    #[serde(default)]
    pub(crate) api_supported: Option<bool>,
}

/// `fields`.
#[derive(Deserialize)]
pub(crate) struct Fields {
    pub(crate) fields: Vec<Field>,
}

/// A field's metadata.
#[derive(Deserialize)]
pub(crate) struct Field {
    pub(crate) api_name: String,
    #[serde(default)]
    pub(crate) field_label: Option<String>,
    #[serde(default)]
    pub(crate) display_label: Option<String>,
    #[serde(default)]
    pub(crate) data_type: Option<String>,
    #[serde(default)]
    pub(crate) length: Value,
    #[serde(default)]
    pub(crate) unique: Value,
    #[serde(default)]
    pub(crate) read_only: Option<bool>,
    #[serde(default)]
    pub(crate) field_read_only: Option<bool>,
    #[serde(default)]
    pub(crate) lookup: Value,
    #[serde(default)]
    pub(crate) pick_list_values: Option<Vec<PickListValue>>,
}

/// A value of a picklist.
#[derive(Deserialize)]
pub(crate) struct PickListValue {
    #[serde(default)]
    pub(crate) actual_value: Option<String>,
    #[serde(default)]
    pub(crate) display_value: Option<String>,
}

/// `org`.
#[derive(Deserialize)]
pub(crate) struct Organisations {
    pub(crate) org: Vec<Organisation>,
}

/// An organisation.
#[derive(Deserialize)]
pub(crate) struct Organisation {
    #[serde(deserialize_with = "text_or_number")]
    pub(crate) zgid: String,
    #[serde(default)]
    pub(crate) company_name: Option<String>,
    #[serde(default)]
    pub(crate) time_zone: Option<String>,
}

/// Ids are text; in old versions and in some samples they are numbers.
fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("an id, as text or number")),
    }
}
