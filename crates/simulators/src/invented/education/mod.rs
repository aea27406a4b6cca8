//! The ten modules, parents before children, so that every lookup names a record that exists.
//!
//! Field names and picklist values are those of the account's export.

mod learning;
mod teaching;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

use super::{Module, Record, Size};

/// How many classes each student takes.
const CLASSES_EACH: usize = 3;

/// Invents everything a college of this size keeps in its CRM.
#[must_use]
pub fn education(size: &Size) -> Vec<Module> {
    let mut college = College {
        size: *size,
        dice: StdRng::seed_from_u64(size.seed),
    };
    let programmes = college.programmes();
    let units = college.units(&programmes);
    let teachers = college.teachers();
    let students = college.students(&programmes);
    let classes = college.classes(&programmes, &units, &teachers);
    let registrations = college.registrations(&students, &programmes);
    let enrolments = college.enrolments(&students, &classes);
    let payments = college.payments(&registrations);
    let grades = college.grades(&enrolments);
    let requests = college.requests(&students, &classes);
    vec![
        programmes,
        units,
        teachers,
        students,
        classes,
        registrations,
        enrolments,
        payments,
        grades,
        requests,
    ]
}

struct College {
    size: Size,
    dice: StdRng,
}

impl College {
    /// Ids have 15 digits: `900`, two for the module, ten for the record.
    fn shelve(&mut self, api_name: &'static str, number: u64, rows: Vec<Value>) -> Module {
        let first = 900_000_000_000_001 + number * 10_000_000_000;
        let records = (first..)
            .zip(rows)
            .map(|(id, fields)| {
                let (created, modified) = self.times();
                let fields = if let Value::Object(fields) = fields {
                    fields
                } else {
                    Map::new()
                };
                Record {
                    id,
                    created,
                    modified,
                    fields,
                }
            })
            .collect();
        Module { api_name, records }
    }

    fn one_of(&mut self, module: &Module) -> Value {
        module
            .records
            .choose(&mut self.dice)
            .map_or(Value::Null, reference)
    }

    fn days_ago(&mut self, least: u64, most: u64) -> NaiveDate {
        self.size.today - Days::new(self.dice.random_range(least..=most))
    }

    fn days_ahead(&mut self, least: u64, most: u64) -> NaiveDate {
        self.size.today + Days::new(self.dice.random_range(least..=most))
    }

    /// A creation and a change between two years ago and yesterday.
    fn times(&mut self) -> (DateTime<Utc>, DateTime<Utc>) {
        let yesterday = (self.size.today - Days::new(1))
            .and_time(NaiveTime::MIN)
            .and_utc();
        let age = self.dice.random_range(3600..2 * 365 * 86_400);
        let since_change = self.dice.random_range(0..age);
        (
            yesterday - TimeDelta::seconds(age),
            yesterday - TimeDelta::seconds(since_change),
        )
    }
}

fn reference(record: &Record) -> Value {
    json!({"id": record.id.to_string()})
}

fn text<'a>(record: &'a Record, field: &str) -> &'a str {
    record
        .fields
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn set(fields: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = fields {
        fields.insert(name.to_owned(), value);
    }
}
