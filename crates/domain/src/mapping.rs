//! Field mappings: which Zoho field fills which column, and how.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    columns::Values, entity::Entity, ids::ZohoId, record::CrmRecord, text::Invalid,
    transform::Transform,
};

/// One column's source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The column it fills.
    pub column: String,
    /// The Zoho field's API name.
    pub field: String,
    /// How the value is made.
    pub transform: Transform,
}

/// A versioned mapping of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// What it maps.
    pub entity: Entity,
    /// The Zoho module the records live in.
    pub module: String,
    /// Counts up with every saved change; history names it.
    pub version: i32,
    /// One rule a column.
    pub rules: Vec<Rule>,
}

/// Where a mapped value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOf {
    /// The Zoho field.
    pub field: String,
    /// The transform's word.
    pub rule: &'static str,
}

/// A value that did not fit its column; the column keeps what it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The column.
    pub column: &'static str,
    /// The Zoho field.
    pub field: String,
    /// What was wrong.
    pub reason: Invalid,
}

/// A record after mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The kind of record.
    pub entity: Entity,
    /// Its id.
    pub id: ZohoId,
    /// Its `Modified_Time`.
    pub modified_at: Option<DateTime<Utc>>,
    /// The version of the mapping that made it.
    pub mapping_version: i32,
    /// The columns that were read.
    pub values: Values,
    /// Where each came from.
    pub sources: BTreeMap<&'static str, SourceOf>,
    /// What did not fit.
    pub misfits: Vec<Misfit>,
}

impl Mapping {
    /// Fields no mapping may read: they must never leave Zoho.
    pub fn is_refused_field(field: &str) -> bool {
        let folded = field.to_ascii_lowercase();
        folded.contains("password") || folded.contains("passport")
    }

    /// The distinct fields to ask Zoho for, without `id`, which always comes.
    pub fn fields(&self) -> Vec<String> {
        let mut fields: BTreeSet<&str> =
            self.rules.iter().map(|rule| rule.field.as_str()).collect();
        fields.remove("id");
        fields.insert("Modified_Time");
        fields.into_iter().map(str::to_owned).collect()
    }

    /// The mapping without rules whose field the module does not have, and those fields.
    ///
    /// Field sets differ per account, so a default rule for a field this account lacks is not an
    /// error; asking for an unknown field would be.
    pub fn narrowed_to(&self, known: &BTreeSet<String>) -> (Self, Vec<String>) {
        let (kept, dropped): (Vec<Rule>, Vec<Rule>) = self
            .rules
            .iter()
            .cloned()
            .partition(|rule| rule.field == "id" || known.contains(&rule.field));
        let missing = dropped.into_iter().map(|rule| rule.field).collect();
        (
            Self {
                rules: kept,
                ..self.clone()
            },
            missing,
        )
    }

    /// Maps a record. Never fails as a whole: a value that does not fit leaves its column alone.
    pub fn apply(&self, record: &CrmRecord, zone: Tz) -> Mapped {
        let mut mapped = Mapped {
            entity: self.entity,
            id: record.id.clone(),
            modified_at: record.modified_at,
            mapping_version: self.version,
            values: Values::new(),
            sources: BTreeMap::new(),
            misfits: Vec::new(),
        };
        for rule in &self.rules {
            self.apply_rule(rule, record, zone, &mut mapped);
        }
        mapped
    }

    fn apply_rule(&self, rule: &Rule, record: &CrmRecord, zone: Tz, mapped: &mut Mapped) {
        let Some(column) = self.entity.column(&rule.column) else {
            return;
        };
        let Some(field) = record.fields.get(&rule.field) else {
            return;
        };
        match rule.transform.apply(field, zone) {
            Ok(value) => {
                mapped.values.set(column.name, value);
                let source = SourceOf {
                    field: rule.field.clone(),
                    rule: rule.transform.word(),
                };
                mapped.sources.insert(column.name, source);
            }
            Err(reason) => mapped.misfits.push(Misfit {
                column: column.name,
                field: rule.field.clone(),
                reason,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        columns::Value,
        record::{FieldValue, RefreshPlan, StoredRecord, plan_refresh},
    };

    fn record(modified: &str, fields: &[(&str, FieldValue)]) -> CrmRecord {
        CrmRecord {
            id: ZohoId::parse("900000000000101").unwrap(),
            modified_at: crate::transform::moment(modified).ok(),
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        }
    }

    fn stored(mapped: &Mapped) -> StoredRecord {
        let RefreshPlan::Change(change) = plan_refresh(None, mapped) else {
            panic!("no change")
        };
        StoredRecord {
            id: change.id.clone(),
            modified_at: change.modified_at,
            content_hash: change.content_hash.clone(),
            deleted_at: None,
            values: change.values.clone(),
        }
    }

    fn text(raw: &str) -> FieldValue {
        FieldValue::Text(raw.to_owned())
    }

    #[test]
    fn every_default_rule_fits_its_column_and_refuses_secrets() {
        for entity in Entity::ALL {
            for rule in Mapping::default_for(entity).rules {
                let column = entity
                    .column(&rule.column)
                    .unwrap_or_else(|| panic!("{rule:?}"));
                assert_eq!(column.kind, rule.transform.kind(), "{entity} {rule:?}");
                assert!(!Mapping::is_refused_field(&rule.field), "{rule:?}");
            }
        }
        assert!(Mapping::is_refused_field("Academic_Password"));
        assert!(Mapping::is_refused_field("Passport_Number"));
    }

    #[test]
    fn the_same_record_twice_changes_nothing() {
        let mapping = Mapping::default_for(Entity::Students);
        let read = record("2026-11-22T10:00:00+03:00", &[("First_Name", text("Lina"))]);
        let mapped = mapping.apply(&read, Tz::UTC);
        let held = stored(&mapped);
        assert_eq!(plan_refresh(Some(&held), &mapped), RefreshPlan::Unchanged);
    }

    #[test]
    fn two_edits_in_the_same_second_are_both_seen() {
        let mapping = Mapping::default_for(Entity::Students);
        let time = "2026-11-22T10:00:00+03:00";
        let held = stored(&mapping.apply(&record(time, &[("City", text("Amman"))]), Tz::UTC));
        let second = mapping.apply(&record(time, &[("City", text("Irbid"))]), Tz::UTC);
        let RefreshPlan::Change(change) = plan_refresh(Some(&held), &second) else {
            panic!("the second edit was lost")
        };
        assert!(change.touches("city"));
        assert_eq!(
            change.values.find("city"),
            Some(&Value::Text("Irbid".into()))
        );
    }

    #[test]
    fn an_older_read_never_moves_a_row_back() {
        let mapping = Mapping::default_for(Entity::Students);
        let newer = record("2026-11-22T10:00:05+00:00", &[("City", text("Amman"))]);
        let older = record("2026-11-22T10:00:00+00:00", &[("City", text("Irbid"))]);
        let held = stored(&mapping.apply(&newer, Tz::UTC));
        assert_eq!(
            plan_refresh(Some(&held), &mapping.apply(&older, Tz::UTC)),
            RefreshPlan::Stale
        );
    }

    #[test]
    fn a_misfit_leaves_its_column_alone_and_is_named() {
        let mapping = Mapping::default_for(Entity::Students);
        let read = record(
            "2026-11-22T10:00:00+00:00",
            &[("Birth_Date", text("soon")), ("City", text("Amman"))],
        );
        let mapped = mapping.apply(&read, Tz::UTC);
        assert!(!mapped.values.has("date_of_birth"));
        assert_eq!(mapped.values.text("city"), Some("Amman"));
        assert_eq!(mapped.misfits[0].field, "Birth_Date");
    }

    #[test]
    fn rules_for_fields_the_account_lacks_are_left_out() {
        let mapping = Mapping::default_for(Entity::Enrollments);
        let known = ["Classes", "Enrolled_Students"].map(str::to_owned).into();
        let (narrowed, missing) = mapping.narrowed_to(&known);
        assert_eq!(
            narrowed.fields(),
            ["Classes", "Enrolled_Students", "Modified_Time"]
        );
        assert!(missing.contains(&"Enrollment_Status".to_owned()));
    }
}
