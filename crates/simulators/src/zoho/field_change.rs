//! Changes of the metadata, as an administrator makes them in Zoho's settings.

use serde::{Deserialize, Serialize};

use super::schema::{FieldNo, Schema};

/// What to change about a field; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldChange {
    /// A new API name.
    pub api_name: Option<String>,
    /// "Do not allow duplicate values".
    pub unique: Option<bool>,
    /// Whether it must have a value.
    pub mandatory: Option<bool>,
    /// The longest value, in characters.
    pub length: Option<usize>,
    /// The values a picklist offers.
    pub picks: Option<Vec<String>>,
    /// Whether it is gone from the metadata and from answers.
    pub removed: Option<bool>,
}

impl FieldChange {
    pub(super) fn apply(&self, schema: &mut Schema, number: FieldNo) {
        let Some(field) = schema.fields.get_mut(number) else {
            return;
        };
        if let Some(api_name) = &self.api_name {
            field.api_name.clone_from(api_name);
        }
        if let Some(picks) = &self.picks {
            field.picks.clone_from(picks);
        }
        field.unique = self.unique.unwrap_or(field.unique);
        field.mandatory = self.mandatory.unwrap_or(field.mandatory);
        field.length = self.length.unwrap_or(field.length);
        field.removed = self.removed.unwrap_or(field.removed);
    }
}
