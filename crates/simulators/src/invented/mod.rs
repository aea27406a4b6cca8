//! Invented education data: the ten modules the bridge maps, of any size, the same for the same
//! seed. No value comes from a real person; every e-mail address ends in `.example`.

mod education;
mod people;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};

pub use education::education;
pub use people::{Person, person};

/// How much to invent.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many students; everything else follows from it.
    pub students: usize,
    /// The same seed gives the same data.
    pub seed: u64,
    /// Classes, payments and requests lie around this day.
    pub today: NaiveDate,
}

/// One invented record, in the shape Zoho takes on insert.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// 15 digits.
    pub id: u64,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed, at or after its creation.
    pub modified: DateTime<Utc>,
    /// The fields by API name; sub-forms are arrays of rows without ids.
    pub fields: Map<String, Value>,
}

/// The records of one module.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// The module's API name.
    pub api_name: &'static str,
    /// Its records by rising id.
    pub records: Vec<Record>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn small(seed: u64) -> Vec<Module> {
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day");
        education(&Size {
            students: 40,
            seed,
            today,
        })
    }

    #[test]
    fn the_same_seed_gives_the_same_college() {
        assert_eq!(small(5), small(5));
        assert_ne!(small(5), small(6));
    }

    #[test]
    fn there_are_ten_modules_and_none_is_empty() {
        let modules = small(1);

        assert_eq!(modules.len(), 10);
        for module in modules {
            assert!(!module.records.is_empty(), "{} is empty", module.api_name);
        }
    }

    #[test]
    fn ids_are_unique_and_of_fifteen_digits() {
        let ids: Vec<u64> = small(1)
            .iter()
            .flat_map(|m| m.records.iter().map(|r| r.id))
            .collect();
        let distinct: BTreeSet<&u64> = ids.iter().collect();

        assert_eq!(distinct.len(), ids.len());
        assert!(ids.iter().all(|id| id.to_string().len() == 15));
    }

    #[test]
    fn every_lookup_names_a_record_that_comes_before() {
        let mut known = BTreeSet::new();
        for module in small(1) {
            for record in &module.records {
                for id in record.fields.values().filter_map(|value| value.get("id")) {
                    assert!(
                        known.contains(id.as_str().expect("text")),
                        "{} {id}",
                        module.api_name
                    );
                }
            }
            known.extend(module.records.iter().map(|record| record.id.to_string()));
        }
    }

    #[test]
    fn no_record_was_changed_before_it_was_created() {
        for module in small(1) {
            assert!(
                module
                    .records
                    .iter()
                    .all(|record| record.created <= record.modified)
            );
        }
    }
}
