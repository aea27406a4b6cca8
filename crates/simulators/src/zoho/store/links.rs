//! Multi-select lookups: each selected record is one record of the linking module.

use serde_json::{Map, Value, json};

use super::{Store, draft::At, value::reference};
use crate::zoho::{
    refusal::Refusal,
    schema::{Field, Target},
};

/// What happens to one link.
#[derive(Debug)]
pub(super) enum LinkDraft {
    Add(u64),
    Remove(u64),
}

impl Store {
    /// `[{"<other field>": {"id": …}}]` adds links, `{"id": <link>, "_delete": null}` removes one.
    pub(super) fn draft_links(
        &self,
        at: At<'_>,
        field: &Field,
        written: &Value,
    ) -> Result<Vec<LinkDraft>, Refusal> {
        let json_path = format!("{}.{}", at.path, field.api_name);
        let details = json!({
            "api_name": field.api_name, "json_path": json_path, "expected_data_type": "jsonarray",
        });
        let (Value::Array(items), Target::Links(links)) = (written, &field.target) else {
            return Err(Refusal::invalid_data().with(details));
        };
        let draft = |item: &Value| {
            let object = item.as_object()?;
            match (object.contains_key("_delete"), object.get("id")) {
                (true, Some(id)) => reference(id).map(LinkDraft::Remove),
                (true, None) => None,
                (false, _) => reference(object.get(&links.other)?).map(LinkDraft::Add),
            }
        };
        let drafts = items.iter().map(draft).collect::<Option<Vec<_>>>();
        drafts.ok_or_else(|| Refusal::invalid_data().with(details))
    }

    /// What a link adds to the linking module.
    pub(super) fn link_record(
        field: &Field,
        own: u64,
        other: u64,
    ) -> Option<(String, Map<String, Value>)> {
        let Target::Links(links) = &field.target else {
            return None;
        };
        let record = [(&links.own, own), (&links.other, other)]
            .into_iter()
            .map(|(name, id)| (name.clone(), json!({"id": id.to_string()})))
            .collect();
        Some((links.module.clone(), record))
    }
}
