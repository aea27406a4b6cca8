//! The ids Moodle gave are written back to the Zoho records they belong to.
//!
//! What we write comes back as a notification and is recognised by its content: the desired
//! state is the same, so nothing is written again. The time of writing is not part of it.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use mzi_domain::{Entity, FieldValue, Lane, WorkKey, ZohoId};
use mzi_ports::{
    crm::{CrmField, RecordWrite, WriteMode},
    ledger::{DesiredState, Effects, Lease, WorkResult},
};
use serde::{Deserialize, Serialize};

use super::{Deliver, DeliverError, Task, confirmed, done};
use crate::failure;

/// What Zoho should say about a record's place in Moodle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Desired {
    moodle_id: i64,
}

/// The Zoho fields that hold it.
struct Fields {
    id: &'static str,
    flag: Option<&'static str>,
    stamp: Option<&'static str>,
    /// Our column of the id field, which tells whether Zoho says so already.
    column: &'static str,
}

/// The desired state of a record whose Moodle id is known.
pub(super) fn of(entity: Entity, id: &ZohoId, moodle_id: i64) -> Option<DesiredState> {
    fields(entity)?;
    let desired = serde_json::to_string(&Desired { moodle_id }).ok()?;
    Some(DesiredState {
        key: WorkKey::new(Lane::WriteBack(entity), id.clone()),
        desired,
    })
}

/// Field names of the account's export; classes have neither flag nor stamp.
fn fields(entity: Entity) -> Option<Fields> {
    let (flag, stamp) = (Some("Synced_to_Moodle"), Some("Last_Sync_Date"));
    match entity {
        Entity::Students => Some(Fields {
            id: "Student_Moodle_ID",
            flag,
            stamp,
            column: "moodle_user_id",
        }),
        Entity::Classes => Some(Fields {
            id: "Moodle_Class_ID",
            flag: None,
            stamp: None,
            column: "moodle_class_id",
        }),
        Entity::Enrollments => Some(Fields {
            id: "Moodle_Course_ID",
            flag,
            stamp,
            column: "moodle_course_id",
        }),
        _ => None,
    }
}

impl Deliver {
    pub(super) async fn write_backs(
        &self,
        entity: Entity,
        leases: Vec<Lease>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let tasks = self.tasks::<Desired, Desired>(leases).await?;
        let mut results = tasks.settled;
        let Some(names) = fields(entity) else {
            return Ok(results);
        };
        let ids: Vec<ZohoId> = tasks
            .open
            .iter()
            .map(|task| task.lease.key.id.clone())
            .collect();
        let held = self.held(entity, &ids).await?;
        let mut pending = Vec::new();
        for task in tasks.open {
            let record = held.get(&task.lease.key.id);
            if record.is_some_and(|record| record.deleted_at.is_some()) {
                // Desired by a delivery that was under way when the record was deleted.
                results.push(done(task.lease, Effects::default()));
                continue;
            }
            let said = record.and_then(|record| record.values.text(names.column));
            let agrees = said.is_some_and(|said| said == task.desired.moodle_id.to_string());
            if agrees || task.confirmed.as_ref() == Some(&task.desired) {
                results.push(confirmed(task.lease, &task.desired, "unchanged"));
            } else {
                pending.push(task);
            }
        }
        results.extend(self.write_pending(entity, &names, pending).await?);
        Ok(results)
    }

    async fn write_pending(
        &self,
        entity: Entity,
        names: &Fields,
        pending: Vec<Task<Desired, Desired>>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        if pending.is_empty() {
            return Ok(Vec::new());
        }
        let module = self.mappings.module(entity);
        let known = self.mappings.fields(module).await?;
        let records: Vec<RecordWrite> = pending
            .iter()
            .map(|task| RecordWrite {
                id: Some(task.lease.key.id.clone()),
                fields: self.values(names, task.desired.moodle_id, known.as_deref()),
            })
            .collect();
        let outcomes = self.crm.write(module, &WriteMode::Update, &records).await?;
        let results = pending
            .into_iter()
            .zip(outcomes)
            .map(|(task, outcome)| match outcome {
                Ok(_) => confirmed(task.lease, &task.desired, "written"),
                Err(error) => failure::result(&error, task.lease, self.clock.now()),
            });
        Ok(results.collect())
    }

    /// Only fields the module has; without metadata, all of them.
    fn values(
        &self,
        names: &Fields,
        moodle_id: i64,
        known: Option<&Vec<CrmField>>,
    ) -> BTreeMap<String, FieldValue> {
        let field =
            |name: &str| known.and_then(|known| known.iter().find(|field| field.api_name == name));
        let exists = |name: &str| known.is_none() || field(name).is_some();
        let numeric = field(names.id)
            .is_some_and(|field| matches!(field.data_type.as_str(), "integer" | "double"));
        let id = if numeric {
            FieldValue::Number(moodle_id.to_string())
        } else {
            FieldValue::Text(moodle_id.to_string())
        };
        let now = self.clock.now().to_rfc3339_opts(SecondsFormat::Secs, false);
        let mut values = BTreeMap::from([(names.id.to_owned(), id)]);
        if let Some(flag) = names.flag.filter(|name| exists(name)) {
            values.insert(flag.to_owned(), FieldValue::Bool(true));
        }
        if let Some(stamp) = names.stamp.filter(|name| exists(name)) {
            values.insert(stamp.to_owned(), FieldValue::Text(now));
        }
        values
    }
}
