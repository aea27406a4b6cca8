//! Conditions of a channel on the changed fields: a tree of up to ten fields in two groups.

use serde_json::Value;

/// The most fields of one condition.
const MAX_FIELDS: usize = 10;

/// A condition on updates of one module.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::zoho) struct Condition {
    pub module: String,
    selection: Selection,
    /// As it was written, to show it again.
    pub written: Value,
}

#[derive(Debug, Clone, PartialEq)]
enum Selection {
    Field(String),
    All(Vec<Selection>),
    Any(Vec<Selection>),
}

impl Condition {
    /// Reads one entry of `notification_condition`; none when it is malformed.
    pub(super) fn parse(written: &Value) -> Option<Self> {
        let module = written.get("module")?.get("api_name")?.as_str()?.to_owned();
        let selection = Selection::parse(written.get("field_selection")?)?;
        (selection.fields() <= MAX_FIELDS).then(|| Self {
            module,
            selection,
            written: written.clone(),
        })
    }

    /// Whether the changed fields satisfy it.
    pub(super) fn holds(&self, affected: &[String]) -> bool {
        self.selection.holds(affected)
    }
}

impl Selection {
    fn parse(written: &Value) -> Option<Self> {
        if let Some(field) = written.get("field") {
            return Some(Self::Field(field.get("api_name")?.as_str()?.to_owned()));
        }
        let group = written.get("group")?.as_array()?;
        let parts = group.iter().map(Self::parse).collect::<Option<Vec<_>>>()?;
        match written.get("group_operator")?.as_str()? {
            "and" => Some(Self::All(parts)),
            "or" => Some(Self::Any(parts)),
            _ => None,
        }
    }

    fn fields(&self) -> usize {
        match self {
            Self::Field(_) => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::fields).sum(),
        }
    }

    fn holds(&self, affected: &[String]) -> bool {
        match self {
            Self::Field(name) => affected.contains(name),
            Self::All(parts) => parts.iter().all(|part| part.holds(affected)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(affected)),
        }
    }
}
