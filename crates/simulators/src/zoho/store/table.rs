//! One module's records with their indexes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::Arc,
};

use super::record::{Editor, Record};
use crate::zoho::schema::{DataType, FieldNo, Schema};

/// Where a record stands in an order: the sorted value, then the id.
pub(crate) type Key = (i64, u64);

/// What a list is sorted by (`zoho.md` §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Id,
    Created,
    Modified,
}

/// A module's records.
#[derive(Debug)]
pub(crate) struct Table {
    pub schema: Arc<Schema>,
    records: BTreeMap<u64, Arc<Record>>,
    by_created: BTreeSet<Key>,
    by_modified: BTreeSet<Key>,
    /// Values of possible upsert keys, in lower case.
    by_key: HashMap<(FieldNo, String), BTreeSet<u64>>,
    /// Which records' lookups lead to a record.
    by_reference: HashMap<(FieldNo, u64), BTreeSet<u64>>,
    /// Deleted records by the time of their deletion.
    gone: Vec<Tombstone>,
    /// Prefix and last number of each autonumber field.
    numbers: HashMap<FieldNo, (String, u64)>,
}

/// A deleted record.
#[derive(Debug, Clone)]
pub(crate) struct Tombstone {
    pub id: u64,
    pub deleted: i64,
    pub by: Editor,
    /// What is in the recycle bin; nothing after a permanent deletion.
    pub kept: Option<Arc<Record>>,
}

impl Table {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            schema: Arc::new(schema),
            records: BTreeMap::new(),
            by_created: BTreeSet::new(),
            by_modified: BTreeSet::new(),
            by_key: HashMap::new(),
            by_reference: HashMap::new(),
            gone: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn record(&self, id: u64) -> Option<&Arc<Record>> {
        self.records.get(&id)
    }

    /// All records by rising id.
    pub(crate) fn records(&self) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        self.records.values()
    }

    /// The records after `after` in an order, leaving out what was modified before `since`.
    pub(crate) fn walk(
        &self,
        order: Order,
        descending: bool,
        after: Option<Key>,
        since: Option<i64>,
    ) -> Box<dyn Iterator<Item = (Key, &Arc<Record>)> + '_> {
        let (from, to) = match (after, descending) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(key), false) => (Bound::Excluded(key), Bound::Unbounded),
            (Some(key), true) => (Bound::Unbounded, Bound::Excluded(key)),
        };
        let fresh = move |(_, record): &(Key, &Arc<Record>)| {
            since.is_none_or(|since| record.modified >= since)
        };
        let keyed = |key: Key| self.records.get(&key.1).map(|record| (key, record));
        match order {
            Order::Id => {
                let ids = (from.map(|key| key.1), to.map(|key| key.1));
                let found = self
                    .records
                    .range(ids)
                    .map(|(id, record)| ((0, *id), record));
                direct(found, descending, fresh)
            }
            Order::Created => direct(
                self.by_created.range((from, to)).copied().filter_map(keyed),
                descending,
                fresh,
            ),
            Order::Modified => {
                let from = match (from, since) {
                    (Bound::Unbounded, Some(since)) => Bound::Included((since, 0)),
                    _ => from,
                };
                if let (Bound::Included(low), Bound::Excluded(high)) = (from, to)
                    && low >= high
                {
                    return Box::new(std::iter::empty());
                }
                direct(
                    self.by_modified
                        .range((from, to))
                        .copied()
                        .filter_map(keyed),
                    descending,
                    fresh,
                )
            }
        }
    }

    /// The ids of records with this value in a key field.
    pub(super) fn with_key(&self, field: FieldNo, folded: &str) -> impl Iterator<Item = u64> + '_ {
        self.by_key
            .get(&(field, folded.to_owned()))
            .into_iter()
            .flatten()
            .copied()
    }

    /// The records whose lookup leads to `target`, by rising id.
    pub(crate) fn referring(
        &self,
        field: FieldNo,
        target: u64,
    ) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        let ids = self
            .by_reference
            .get(&(field, target))
            .into_iter()
            .flatten();
        ids.filter_map(|id| self.records.get(id))
    }

    pub(crate) fn tombstones(&self) -> &[Tombstone] {
        &self.gone
    }

    pub(super) fn tombstones_mut(&mut self) -> &mut Vec<Tombstone> {
        &mut self.gone
    }

    /// Adds a record or replaces the one with its id.
    pub(super) fn put(&mut self, record: Record) -> Arc<Record> {
        self.take(record.id);
        let record = Arc::new(record);
        self.by_created.insert((record.created, record.id));
        self.by_modified.insert((record.modified, record.id));
        for (number, value) in &record.values {
            if self.schema.is_duplicate_key(*number) {
                self.by_key
                    .entry((*number, value.folded()))
                    .or_default()
                    .insert(record.id);
            }
            if let Some(target) = value.reference_of() {
                self.by_reference
                    .entry((*number, target))
                    .or_default()
                    .insert(record.id);
            }
        }
        self.records.insert(record.id, Arc::clone(&record));
        record
    }

    /// Takes a record out of the table and its indexes.
    pub(super) fn take(&mut self, id: u64) -> Option<Arc<Record>> {
        let record = self.records.remove(&id)?;
        self.by_created.remove(&(record.created, id));
        self.by_modified.remove(&(record.modified, id));
        for (number, value) in &record.values {
            forget(&mut self.by_key, (*number, value.folded()), id);
            if let Some(target) = value.reference_of() {
                forget(&mut self.by_reference, (*number, target), id);
            }
        }
        Some(record)
    }

    /// Changes the schema; records and indexes follow.
    pub(crate) fn alter(&mut self, change: impl FnOnce(&mut Schema)) {
        let schema = Arc::make_mut(&mut self.schema);
        change(schema);
        schema.reindex();
        let records: Vec<Arc<Record>> = self.records.values().cloned().collect();
        self.by_key.clear();
        for record in records {
            self.put(Arc::unwrap_or_clone(record));
        }
    }

    /// The next value of an autonumber field.
    pub(super) fn next_number(&mut self, field: FieldNo) -> String {
        let (prefix, last) = self.numbers.entry(field).or_default();
        *last += 1;
        format!("{prefix}{last:06}")
    }

    /// Learns from a seeded value how an autonumber field counts.
    pub(super) fn learn_number(&mut self, field: FieldNo, value: &str) {
        let prefix = value.trim_end_matches(|digit: char| digit.is_ascii_digit());
        if let Some(Ok(number)) = value.strip_prefix(prefix).map(str::parse::<u64>) {
            let known = self.numbers.entry(field).or_default();
            if number >= known.1 {
                *known = (prefix.to_owned(), number);
            }
        }
    }

    pub(super) fn autonumbers(&self) -> Vec<FieldNo> {
        let schema = &self.schema;
        let fields = (0..).zip(&schema.fields);
        fields
            .filter(|(_, field)| field.data_type == DataType::AutoNumber && !field.removed)
            .map(|(number, _)| number)
            .collect()
    }
}

fn direct<'a>(
    found: impl DoubleEndedIterator<Item = (Key, &'a Arc<Record>)> + 'a,
    descending: bool,
    keep: impl Fn(&(Key, &'a Arc<Record>)) -> bool + 'a,
) -> Box<dyn Iterator<Item = (Key, &'a Arc<Record>)> + 'a> {
    if descending {
        Box::new(found.rev().filter(keep))
    } else {
        Box::new(found.filter(keep))
    }
}

fn forget<K: std::hash::Hash + Eq>(index: &mut HashMap<K, BTreeSet<u64>>, key: K, id: u64) {
    if let Some(ids) = index.get_mut(&key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(&key);
        }
    }
}
