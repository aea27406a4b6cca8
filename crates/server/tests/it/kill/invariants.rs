//! I1, I2, I5 and I8, read from the database.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::load::Memory;
use crate::harness::World;

/// I1: every acknowledged event is there.
pub async fn acknowledged_is_durable(world: &World, memory: &Memory) {
    let kept = world
        .database
        .rows("SELECT event_id FROM integration_events_log")
        .await;
    let kept: BTreeSet<String> = kept.into_iter().map(|mut row| row.remove(0)).collect();
    let lost: Vec<_> = memory.events.difference(&kept).collect();
    assert!(
        lost.is_empty(),
        "I1: {} acknowledged events are lost: {lost:?}",
        lost.len()
    );
}

/// I2: every acknowledged record is held as Zoho has it, or named by an issue.
pub async fn every_record_is_applied(world: &World, memory: &Memory) {
    let held = Held::read(world).await;
    let issues =
        "SELECT zoho_id, code FROM issues WHERE resolved_at IS NULL AND zoho_id IS NOT NULL";
    let named: BTreeMap<String, String> = world
        .database
        .rows(issues)
        .await
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    for (module, id) in &memory.records {
        let fault = held.fault(world, memory, module, id);
        if let Some(fault) = fault {
            let issue = named.get(id);
            assert!(
                issue.is_some(),
                "I2: {module} {id} {fault}, and no issue names it"
            );
        }
    }
    // Nothing in this load needs a person.
    assert!(named.is_empty(), "I2: issues are open: {named:?}");
}

/// Rows by id.
struct Held {
    students: BTreeMap<String, Vec<String>>,
    classes: BTreeMap<String, Vec<String>>,
    enrolments: BTreeMap<String, Vec<String>>,
}

impl Held {
    async fn read(world: &World) -> Self {
        let rows = async |sql: &str| {
            let rows = world.database.rows(sql).await;
            rows.into_iter().map(|row| (row[0].clone(), row)).collect()
        };
        Self {
            students: rows("SELECT zoho_id, first_name, academic_email FROM students").await,
            classes: rows("SELECT zoho_id, class_name, class_status FROM classes").await,
            enrolments: rows(
                "SELECT zoho_id, student_zoho_id, class_zoho_id, deleted_at FROM enrollments",
            )
            .await,
        }
    }

    /// What is wrong with a record, if anything is.
    fn fault(&self, world: &World, memory: &Memory, module: &str, id: &str) -> Option<String> {
        let zoho = world.zoho.record(module, id);
        let says = |field: &str| zoho.as_ref().map(|record| text(&record[field]));
        let differs = |held: Option<&String>, field: &str| {
            let (held, says) = (held.map(String::as_str), says(field));
            (held != says.as_deref()).then(|| format!("holds {held:?}, Zoho says {says:?}"))
        };
        match module {
            "BTEC_Students" => {
                let Some(row) = self.students.get(id) else {
                    return Some("is missing".into());
                };
                differs(row.get(1), "First_Name").or_else(|| differs(row.get(2), "Academic_Email"))
            }
            "BTEC_Classes" => {
                let Some(row) = self.classes.get(id) else {
                    return Some("is missing".into());
                };
                differs(row.get(1), "Class_Name")
            }
            _ if memory.deleted.contains(id) => {
                // Deleted before it was ever read, it leaves no row.
                let row = self.enrolments.get(id)?;
                row[3]
                    .is_empty()
                    .then(|| "was deleted and is held as living".into())
            }
            _ => {
                let Some(row) = self.enrolments.get(id) else {
                    return Some("is missing".into());
                };
                let (student, class) = &memory.enrolments[id];
                let right = row[1] == *student && row[2] == *class && row[3].is_empty();
                (!right).then(|| format!("holds {row:?}"))
            }
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// I5: everything is settled, and what is confirmed is what is desired.
pub async fn confirmed_is_desired(world: &World, memory: &Memory) {
    let unsettled = "SELECT lane, zoho_id, state, wanted, done, reason FROM work_items \
                     WHERE done < wanted OR state NOT IN ('idle')";
    let unsettled = world.database.rows(unsettled).await;
    assert!(unsettled.is_empty(), "I5: work is left: {unsettled:?}");

    let states = "SELECT lane, zoho_id, desired, confirmed FROM outbox";
    for row in world.database.rows(states).await {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
        let (desired, confirmed) = (parse(&row[2]), parse(&row[3]));
        let agrees = match row[0].as_str() {
            "account" => confirmed["account"] == desired,
            "course" => ["fullname", "shortname"]
                .iter()
                .all(|name| confirmed[name] == desired[name]),
            "seat" if desired["access"] == "suspend" => {
                // A seat that was only begun when it was withdrawn; `outside` looks into Moodle.
                let nowhere = confirmed.is_null() || !confirmed["begun"].is_null();
                nowhere || confirmed["suspended"] == true
            }
            "seat" => confirmed["suspended"] == false,
            "teaching" => confirmed["suspended"] == false,
            // Nothing can be written to a record that was deleted.
            _ => confirmed == desired || memory.deleted.contains(&row[1]),
        };
        assert!(agrees, "I5: {row:?}");
    }
}

/// I8: the organisation and the site are the ones that were seen first.
pub async fn places_are_remembered(world: &World) {
    let places = "SELECT name, value FROM settings WHERE name LIKE 'place:%' ORDER BY name";
    let places = world.database.rows(places).await;
    let expected = [
        [
            "place:moodle".to_owned(),
            world.moodle.base_url().to_owned(),
        ],
        ["place:zoho".to_owned(), "organisation 700000001".to_owned()],
    ];
    assert_eq!(places, expected, "I8");
}
