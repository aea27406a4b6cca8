//! Records as Zoho gives them, as we hold them, and the pure step from one to the other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::{
    columns::{Value, Values},
    entity::Entity,
    ids::ZohoId,
    mapping::Mapped,
};

/// A field of a Zoho record, before any mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// JSON null: read, and empty.
    Null,
    /// Text, picklist, date and time fields, and long integers.
    Text(String),
    /// A number as Zoho wrote it, digits untouched.
    Number(String),
    /// A checkbox.
    Bool(bool),
    /// A lookup; its name may be missing.
    Lookup {
        /// The record it points to.
        id: String,
        /// That record's name at the time of reading.
        name: Option<String>,
    },
    /// A multi-select, in order.
    Many(Vec<FieldValue>),
    /// Rows of a sub-form or multi-select lookup.
    Rows(Vec<BTreeMap<String, FieldValue>>),
}

/// One record as a read returned it. A field that is missing from `fields` was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmRecord {
    /// Its id.
    pub id: ZohoId,
    /// Zoho's `Modified_Time`, one-second grain; custom modules may lack it.
    pub modified_at: Option<DateTime<Utc>>,
    /// Field API names with their values.
    pub fields: BTreeMap<String, FieldValue>,
}

/// One record as we hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its id in Zoho.
    pub id: ZohoId,
    /// The `Modified_Time` our values are from.
    pub modified_at: Option<DateTime<Utc>>,
    /// Hash of the values, for telling a real change from a touch.
    pub content_hash: String,
    /// When a deletion became certain.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Every column.
    pub values: Values,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// We had no such record.
    Created,
    /// Its values changed.
    Updated,
    /// It had been deleted and is back.
    Revived,
    /// Its deletion is certain.
    Deleted,
}

impl ChangeKind {
    /// The word stored in history.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Revived => "revived",
            Self::Deleted => "deleted",
        }
    }
}

/// One column's change, with what explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The column.
    pub column: &'static str,
    /// The Zoho field it came from.
    pub field: String,
    /// The transform that made it.
    pub rule: &'static str,
    /// The value before.
    pub before: Option<Value>,
    /// The value after.
    pub after: Option<Value>,
}

/// A change of one record: the row to write and the history that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// The kind of record.
    pub entity: Entity,
    /// Which record.
    pub id: ZohoId,
    /// What happened.
    pub kind: ChangeKind,
    /// The `Modified_Time` of the values.
    pub modified_at: Option<DateTime<Utc>>,
    /// The mapping version that made them.
    pub mapping_version: i32,
    /// Hash of `values`.
    pub content_hash: String,
    /// Every column after the change.
    pub values: Values,
    /// What differs from before, column by column.
    pub fields: Vec<FieldChange>,
}

impl RecordChange {
    /// Whether the change touches this column.
    pub fn touches(&self, column: &str) -> bool {
        self.fields.iter().any(|change| change.column == column)
    }
}

/// What a read of a record means for the row we hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshPlan {
    /// What we hold is newer than what was read; nothing moves back.
    Stale,
    /// The values are the same.
    Unchanged,
    /// The row changes.
    Change(Box<RecordChange>),
}

/// Compares what was read with what we hold.
///
/// Newer or equal times with another hash are a change: two edits within one second share their
/// `Modified_Time`. A record without a time is judged by its hash alone.
pub fn plan_refresh(before: Option<&StoredRecord>, mapped: &Mapped) -> RefreshPlan {
    let held = before.map(|record| &record.values);
    if let Some(record) = before
        && let (Some(stored), Some(read)) = (record.modified_at, mapped.modified_at)
        && read < stored
    {
        return RefreshPlan::Stale;
    }
    let values = held.map_or_else(
        || mapped.values.clone(),
        |held| held.overlaid(&mapped.values),
    );
    let content_hash = content_hash(&values);
    let kind = match before {
        None => ChangeKind::Created,
        Some(record) if record.deleted_at.is_some() => ChangeKind::Revived,
        Some(record) if record.content_hash == content_hash => return RefreshPlan::Unchanged,
        Some(_) => ChangeKind::Updated,
    };
    let fields = changed_fields(held, &values, mapped);
    RefreshPlan::Change(Box::new(RecordChange {
        entity: mapped.entity,
        id: mapped.id.clone(),
        kind,
        modified_at: mapped.modified_at,
        mapping_version: mapped.mapping_version,
        content_hash,
        values,
        fields,
    }))
}

/// The tombstone for a record whose deletion is certain; nothing if it already has one.
///
/// The caller answers for the certainty: a delete notice *and* a read by id that found nothing.
pub fn plan_deletion(
    entity: Entity,
    id: &ZohoId,
    before: Option<&StoredRecord>,
) -> Option<RecordChange> {
    if before.is_some_and(|record| record.deleted_at.is_some()) {
        return None;
    }
    let values = before
        .map(|record| record.values.clone())
        .unwrap_or_default();
    Some(RecordChange {
        entity,
        id: id.clone(),
        kind: ChangeKind::Deleted,
        modified_at: before.and_then(|record| record.modified_at),
        mapping_version: 0,
        content_hash: content_hash(&values),
        values,
        fields: Vec::new(),
    })
}

/// A stable hash of every column and value, lower-case hex of SHA-256.
pub fn content_hash(values: &Values) -> String {
    let mut hash = Sha256::new();
    for (column, value) in values.iter() {
        // A null says the same as a column that was never filled.
        let Some(value) = value else { continue };
        hash.update(column.as_bytes());
        hash.update([0]);
        hash.update(value.display().as_bytes());
        hash.update([1]);
    }
    hex::encode(hash.finalize())
}

fn changed_fields(held: Option<&Values>, after: &Values, mapped: &Mapped) -> Vec<FieldChange> {
    after
        .iter()
        .filter_map(|(column, value)| {
            let before = held.and_then(|values| values.find(column));
            if before == value {
                return None;
            }
            let source = mapped.sources.get(column);
            Some(FieldChange {
                column,
                field: source
                    .map(|source| source.field.clone())
                    .unwrap_or_default(),
                rule: source.map_or("", |source| source.rule),
                before: before.cloned(),
                after: value.cloned(),
            })
        })
        .collect()
}
