//! I3 and I7: history is append-only, goes forward, and explains every value.

use std::collections::BTreeMap;

use crate::harness::World;

/// Column, field, rule, value before, value after.
type Explained = (String, String, String, Option<String>, Option<String>);

/// A record's columns as its history tells them.
#[derive(Default)]
struct Told {
    values: BTreeMap<String, Option<String>>,
    modified_at: String,
    deleted: bool,
}

/// Replays the whole history and compares its end with the rows.
pub async fn explains_every_value(world: &World) {
    let history =
        "SELECT entity, zoho_id, kind, zoho_modified_at, changes FROM record_history ORDER BY id";
    let mut told: BTreeMap<(String, String), Told> = BTreeMap::new();
    for row in world.database.rows(history).await {
        let [entity, id, kind, modified_at, changes] = &row[..] else {
            panic!("{row:?}")
        };
        let key = (entity.clone(), id.clone());
        assert_eq!(kind == "created", !told.contains_key(&key), "I7: {row:?}");
        told.entry(key)
            .or_default()
            .follow(kind, modified_at, changes);
    }
    for (entity, columns) in [
        (
            "students",
            &["first_name", "last_name", "academic_email", "status"][..],
        ),
        (
            "classes",
            &["class_name", "class_short_name", "class_status"][..],
        ),
        ("enrollments", &["student_zoho_id", "class_zoho_id"][..]),
    ] {
        rows_agree(world, &told, entity, columns).await;
    }
}

impl Told {
    fn follow(&mut self, kind: &str, modified_at: &str, changes: &str) {
        let changes: Vec<Explained> = serde_json::from_str(changes).unwrap();
        for (column, _, _, before, after) in changes {
            let known = self.values.get(&column).cloned().flatten();
            assert_eq!(known, before, "I7: {column} was something else before");
            self.values.insert(column, after);
        }
        if !modified_at.is_empty() {
            assert!(
                *modified_at >= *self.modified_at,
                "I3: went back to {modified_at}"
            );
            modified_at.clone_into(&mut self.modified_at);
        }
        self.deleted = kind == "deleted";
    }
}

async fn rows_agree(
    world: &World,
    told: &BTreeMap<(String, String), Told>,
    entity: &str,
    columns: &[&str],
) {
    let sql = format!(
        "SELECT zoho_id, deleted_at, zoho_modified_at, {} FROM {entity}",
        columns.join(", ")
    );
    for row in world.database.rows(&sql).await {
        let told = told.get(&(entity.to_owned(), row[0].clone()));
        let told = told.unwrap_or_else(|| panic!("I7: {entity} {} has no history", row[0]));
        assert_eq!(!row[1].is_empty(), told.deleted, "I7: {entity} {}", row[0]);
        assert_eq!(row[2], told.modified_at, "I3: {entity} {}", row[0]);
        for (column, value) in columns.iter().zip(&row[3..]) {
            let explained = told
                .values
                .get(*column)
                .cloned()
                .flatten()
                .unwrap_or_default();
            assert_eq!(*value, explained, "I7: {entity} {} {column}", row[0]);
        }
    }
}
