//! Joins the parts of records that were read with several calls.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mzi_domain::{CrmRecord, FieldValue, ZohoId};
use mzi_ports::CrmError;

use super::MODIFIED_TIME;
use crate::{
    call::Call,
    refusal,
    value::{from_json, moment},
    wire::Object,
};

/// What one call gave of some records.
pub(super) struct Part {
    pub(super) server_time: Option<DateTime<Utc>>,
    /// None for 204: the CRM says that there is nothing.
    rows: Option<Vec<(ZohoId, Object)>>,
}

/// Records that are whole, and ids of those that changed between the calls.
pub(super) struct Torn {
    pub(super) records: Vec<CrmRecord>,
    pub(super) torn: Vec<ZohoId>,
}

impl Part {
    pub(super) fn new(
        call: &Call,
        rows: Option<Vec<Object>>,
        server_time: Option<DateTime<Utc>>,
    ) -> Result<Self, CrmError> {
        let named = |rows: Vec<Object>| {
            let rows = rows.into_iter().map(|row| Some((id_of(&row)?, row)));
            let rows: Option<Vec<_>> = rows.collect();
            rows.ok_or_else(|| refusal::of_nonsense(call, "a record without an id"))
        };
        let rows = rows.map(named).transpose()?;
        Ok(Self { server_time, rows })
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.rows.is_none()
    }

    /// The records of a list that was read with this one call, in its order.
    pub(super) fn into_records(self, fields: &[String]) -> Vec<CrmRecord> {
        merge(vec![self], fields).records
    }
}

/// Joins parts by id, in the order of the first. A record that a part lacks is left out: it went
/// away in between, which the next read of it will tell for certain.
pub(super) fn merge(parts: Vec<Part>, fields: &[String]) -> Torn {
    let asked: BTreeSet<&str> = fields.iter().map(String::as_str).collect();
    let mut parts = parts.into_iter();
    let first = parts.next().and_then(|part| part.rows).unwrap_or_default();
    let mut others: Vec<BTreeMap<ZohoId, Object>> = parts
        .map(|part| part.rows.into_iter().flatten().collect())
        .collect();
    let mut joined = Torn {
        records: Vec::new(),
        torn: Vec::new(),
    };
    for (id, row) in first {
        let rest: Option<Vec<Object>> = others.iter_mut().map(|part| part.remove(&id)).collect();
        let Some(rest) = rest else { continue };
        let modified_at = moment(row.get(MODIFIED_TIME));
        if rest
            .iter()
            .any(|part| moment(part.get(MODIFIED_TIME)) != modified_at)
        {
            joined.torn.push(id);
            continue;
        }
        let rows = std::iter::once(row).chain(rest);
        let fields = rows.flat_map(|row| known_fields(row, &asked)).collect();
        joined.records.push(CrmRecord {
            id,
            modified_at,
            fields,
        });
    }
    joined
}

/// The fields that were asked for; answers hold others too.
fn known_fields<'a>(
    row: Object,
    asked: &'a BTreeSet<&str>,
) -> impl Iterator<Item = (String, FieldValue)> + 'a {
    let wanted = row
        .into_iter()
        .filter(|(key, _)| asked.contains(key.as_str()));
    wanted.filter_map(|(key, value)| Some((key, from_json(value)?)))
}

fn id_of(row: &Object) -> Option<ZohoId> {
    ZohoId::parse(row.get("id")?.as_str()?).ok()
}
