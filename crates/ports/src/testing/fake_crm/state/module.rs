//! One module: its records, what it remembers of deleted ones, and its fields.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use mzi_domain::{CrmRecord, FieldValue, ZohoId};

use super::rejected;
use crate::{
    crm::{CrmField, DeletedPage, Deletion, Page, PageRequest},
    error::CrmError,
};

/// One module.
#[derive(Default)]
pub(in super::super) struct Module {
    records: BTreeMap<ZohoId, Held>,
    deletions: Vec<Deletion>,
    described: Vec<CrmField>,
    unique: BTreeSet<String>,
    hidden: BTreeSet<String>,
}

struct Held {
    modified_at: DateTime<Utc>,
    fields: BTreeMap<String, FieldValue>,
}

impl Module {
    pub(in super::super) fn describe(&mut self, fields: Vec<CrmField>) {
        let unique = fields.iter().filter(|field| field.unique);
        self.unique
            .extend(unique.map(|field| field.api_name.clone()));
        self.described = fields;
    }

    pub(in super::super) fn make_unique(&mut self, field: &str) {
        self.unique.insert(field.to_owned());
    }

    pub(in super::super) fn hide(&mut self, field: &str) {
        self.hidden.insert(field.to_owned());
    }

    pub(in super::super) fn put(
        &mut self,
        id: ZohoId,
        fields: BTreeMap<String, FieldValue>,
        modified_at: DateTime<Utc>,
    ) {
        self.deletions.retain(|deletion| deletion.id != id);
        self.records.insert(
            id,
            Held {
                modified_at,
                fields,
            },
        );
    }

    /// Changes a record's fields; false if there is none.
    pub(in super::super) fn change(
        &mut self,
        id: &ZohoId,
        fields: BTreeMap<String, FieldValue>,
        now: DateTime<Utc>,
    ) -> bool {
        let Some(held) = self.records.get_mut(id) else {
            return false;
        };
        held.fields.extend(fields);
        held.modified_at = now;
        true
    }

    /// Changes a record's fields, or makes the record.
    pub(super) fn upsert(
        &mut self,
        id: &ZohoId,
        fields: BTreeMap<String, FieldValue>,
        now: DateTime<Utc>,
    ) {
        if !self.change(id, fields.clone(), now) {
            self.put(id.clone(), fields, now);
        }
    }

    /// Deletes a record and remembers it; false if there is none.
    pub(in super::super) fn delete(&mut self, id: &ZohoId, now: DateTime<Utc>) -> bool {
        let existed = self.records.remove(id).is_some();
        if existed {
            self.deletions.push(Deletion {
                id: id.clone(),
                deleted_at: Some(now),
            });
        }
        existed
    }

    pub(in super::super) fn ids(&self) -> Vec<ZohoId> {
        self.records.keys().cloned().collect()
    }

    pub(in super::super) fn all_fields(&self, id: &ZohoId) -> Option<BTreeMap<String, FieldValue>> {
        self.records.get(id).map(|held| held.fields.clone())
    }

    /// The described fields, or else text fields named as those that records have.
    pub(in super::super) fn fields(&self) -> Vec<CrmField> {
        if !self.described.is_empty() {
            let described = self.described.iter().cloned();
            let unique = |name: &String| self.unique.contains(name);
            return described
                .map(|field| CrmField {
                    unique: unique(&field.api_name),
                    ..field
                })
                .collect();
        }
        let names: BTreeSet<&String> = self
            .records
            .values()
            .flat_map(|h| h.fields.keys())
            .collect();
        names
            .into_iter()
            .map(|name| self.text_field(name))
            .collect()
    }

    /// The record as a list call gives it: without sub-forms.
    pub(in super::super) fn listed(&self, id: &ZohoId, fields: &[String]) -> Option<CrmRecord> {
        let flat = |name: &&String| !self.is_sub_form(name);
        self.read(id, fields.iter().filter(flat))
    }

    /// The record as a call for it alone gives it.
    pub(in super::super) fn opened(&self, id: &ZohoId, fields: &[String]) -> Option<CrmRecord> {
        self.read(id, fields.iter())
    }

    /// The page after the record its token names, oldest change first.
    pub(in super::super) fn page(
        &self,
        request: &PageRequest,
        size: usize,
    ) -> Result<Page, CrmError> {
        let after = request.page_token.as_deref().map(parse_token).transpose()?;
        let mut order: Vec<_> = self
            .records
            .iter()
            .map(|(id, held)| (held.modified_at, id.clone()))
            .filter(|(at, _)| request.modified_since.is_none_or(|since| *at >= since))
            .filter(|key| after.as_ref().is_none_or(|after| key > after))
            .collect();
        order.sort();
        let more = order.len() > size;
        order.truncate(size);
        let next_page_token = order.last().filter(|_| more).map(token);
        let read = |(_, id): &(_, ZohoId)| self.listed(id, &request.fields);
        Ok(Page {
            records: order.iter().filter_map(read).collect(),
            next_page_token,
            server_time: None,
        })
    }

    pub(in super::super) fn deleted(
        &self,
        since: Option<DateTime<Utc>>,
        page: u32,
        size: usize,
    ) -> DeletedPage {
        let skipped = usize::try_from(page.saturating_sub(1))
            .unwrap_or(usize::MAX)
            .saturating_mul(size);
        let late =
            |d: &&Deletion| since.is_none_or(|since| d.deleted_at.is_none_or(|at| at >= since));
        let mut left = self.deletions.iter().filter(late).skip(skipped).cloned();
        let deletions: Vec<_> = left.by_ref().take(size).collect();
        DeletedPage {
            deletions,
            more: left.next().is_some(),
        }
    }

    /// The record an update names.
    pub(super) fn existing(
        &self,
        id: Option<&ZohoId>,
        operation: &str,
    ) -> Result<ZohoId, CrmError> {
        let id = id.ok_or_else(|| rejected(operation, "MANDATORY_NOT_FOUND", "id: required"))?;
        let unknown = || {
            rejected(
                operation,
                "INVALID_DATA",
                "id: the id given seems to be invalid",
            )
        };
        let known = self.records.contains_key(id);
        known.then(|| id.clone()).ok_or_else(unknown)
    }

    /// The record whose unique key field has the value given; other fields are no keys.
    pub(super) fn matching(
        &self,
        keys: &[String],
        fields: &BTreeMap<String, FieldValue>,
    ) -> Option<ZohoId> {
        let usable = keys.iter().filter(|key| self.unique.contains(*key));
        usable
            .filter_map(|key| self.holder(key, fields.get(key)?))
            .next()
    }

    /// Refuses a value that another record holds in a unique field.
    pub(super) fn refuse_duplicates(
        &self,
        target: Option<&ZohoId>,
        fields: &BTreeMap<String, FieldValue>,
        operation: &str,
    ) -> Result<(), CrmError> {
        for name in &self.unique {
            let holder = fields.get(name).and_then(|value| self.holder(name, value));
            if holder.is_some() && holder.as_ref() != target {
                let message = format!("{name}: duplicate data");
                return Err(rejected(operation, "DUPLICATE_DATA", &message));
            }
        }
        Ok(())
    }

    fn holder(&self, field: &str, value: &FieldValue) -> Option<ZohoId> {
        if *value == FieldValue::Null {
            return None;
        }
        let holds = |held: &Held| held.fields.get(field) == Some(value);
        let found = self.records.iter().find(|(_, held)| holds(held));
        found.map(|(id, _)| id.clone())
    }

    fn read<'a>(&self, id: &ZohoId, names: impl Iterator<Item = &'a String>) -> Option<CrmRecord> {
        let held = self.records.get(id)?;
        let fields = names
            .filter(|name| self.shows(name))
            .map(|name| (name.clone(), held.value(id, name)))
            .collect();
        Some(CrmRecord {
            id: id.clone(),
            modified_at: Some(held.modified_at),
            fields,
        })
    }

    /// A hidden field is absent from every answer, and so is one that a described module lacks.
    fn shows(&self, name: &str) -> bool {
        let described = self.described.iter().any(|field| field.api_name == name);
        let own = matches!(name, "id" | "Modified_Time");
        !self.hidden.contains(name) && (self.described.is_empty() || described || own)
    }

    fn is_sub_form(&self, name: &str) -> bool {
        let said = |field: &CrmField| field.api_name == name && field.data_type == "subform";
        let seen = |held: &Held| matches!(held.fields.get(name), Some(FieldValue::Rows(_)));
        self.described.iter().any(said) || self.records.values().any(seen)
    }

    fn text_field(&self, name: &str) -> CrmField {
        CrmField {
            api_name: name.to_owned(),
            label: name.replace('_', " "),
            data_type: if self.is_sub_form(name) {
                "subform"
            } else {
                "text"
            }
            .to_owned(),
            length: Some(255),
            unique: self.unique.contains(name),
            read_only: false,
            lookup_module: None,
            picklist: Vec::new(),
        }
    }
}

impl Held {
    /// A field nobody filled is null, not absent; a sub-form without rows reads as an empty list.
    fn value(&self, id: &ZohoId, name: &str) -> FieldValue {
        match name {
            "id" => FieldValue::Text(id.to_string()),
            "Modified_Time" => FieldValue::Text(moment(self.modified_at)),
            _ => match self.fields.get(name) {
                None => FieldValue::Null,
                Some(FieldValue::Rows(rows)) if rows.is_empty() => FieldValue::Many(Vec::new()),
                Some(value) => value.clone(),
            },
        }
    }
}

/// A page token names the last record of the page.
fn token((at, id): &(DateTime<Utc>, ZohoId)) -> String {
    format!("{}/{id}", moment(*at))
}

fn parse_token(token: &str) -> Result<(DateTime<Utc>, ZohoId), CrmError> {
    let foreign = || rejected("page", "INVALID_DATA", "page_token: invalid");
    let (at, id) = token.split_once('/').ok_or_else(foreign)?;
    let at = DateTime::parse_from_rfc3339(at).ok().ok_or_else(foreign)?;
    let id = ZohoId::parse(id).ok().ok_or_else(foreign)?;
    Ok((at.to_utc(), id))
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}
