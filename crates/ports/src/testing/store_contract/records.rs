//! Promises about the records a store holds.

use chrono::NaiveDate;
use mzi_domain::{
    Entity, Lane, RecordChange, StoredRecord, Value, Values, WorkKey,
    columns::{Column, Kind},
    record::{ChangeKind, content_hash, plan_deletion},
};

use super::{
    Subject,
    samples::{
        claim_one, commit, created, mark_and_claim, noon, noon_plus, store_record, texts, zoho_id,
    },
};
use crate::{
    Ledger,
    ledger::{Committed, Effects, Verdict},
};

async fn held<S: Subject>(subject: &S, entity: Entity, number: u64) -> StoredRecord {
    let held = subject.store().stored(entity, &[zoho_id(number)]).await;
    let mut held = held.unwrap_or_else(|reason| panic!("{reason}"));
    match (held.pop(), held.is_empty()) {
        (Some(record), true) => record,
        other => panic!("expected one record, got {other:?}"),
    }
}

fn as_stored(change: &RecordChange) -> StoredRecord {
    StoredRecord {
        id: change.id.clone(),
        modified_at: change.modified_at,
        content_hash: change.content_hash.clone(),
        deleted_at: None,
        values: change.values.clone(),
    }
}

fn sample(place: usize, column: &Column) -> Value {
    let number = i64::try_from(place).unwrap_or(0);
    match column.kind {
        Kind::Text => Value::Text(format!("{} 'quoted' الاسم {number}", column.name)),
        Kind::Integer => Value::Integer(-number),
        Kind::Boolean => Value::Boolean(place.is_multiple_of(2)),
        Kind::Date => Value::Date(NaiveDate::from_ymd_opt(1999, 2, 28).unwrap_or_default()),
        Kind::Instant => Value::Instant(noon_plus(number)),
        Kind::Money => Value::Money(-12_345_678_901 + number),
    }
}

/// A column that was filled comes back, and so does one that was not; a null says the latter.
fn known(values: &Values) -> Vec<(&'static str, &Value)> {
    let filled = values.iter();
    filled
        .filter_map(|(column, value)| Some((column, value?)))
        .collect()
}

/// The records we hold, whole.
pub async fn every_column_of_every_entity_comes_back<S: Subject>(subject: &mut S) {
    for entity in Entity::ALL {
        let columns = entity.columns().iter().enumerate();
        let values: Values = columns
            .map(|(place, column)| (column.name, Some(sample(place, column))))
            .collect();
        let full = created(entity, 1, values);
        store_record(subject, full.clone(), noon()).await;
        assert_eq!(held(subject, entity, 1).await, as_stored(&full), "{entity}");

        let empty = RecordChange {
            modified_at: None,
            ..created(entity, 2, Values::new())
        };
        store_record(subject, empty, noon()).await;
        let stored = held(subject, entity, 2).await;
        assert_eq!(known(&stored.values), [], "{entity}");
        assert_eq!(stored.modified_at, None, "{entity}");
    }
}

/// The row follows the change, history keeps both.
pub async fn a_change_replaces_the_row_and_adds_history<S: Subject>(subject: &mut S) {
    let first = created(
        Entity::Students,
        1,
        texts(&[("city", "Amman"), ("gender", "F")]),
    );
    let second = RecordChange {
        kind: ChangeKind::Updated,
        modified_at: Some(noon_plus(60)),
        ..created(Entity::Students, 1, texts(&[("city", "Irbid")]))
    };
    store_record(subject, first, noon()).await;
    store_record(subject, second.clone(), noon_plus(61)).await;

    let stored = held(subject, Entity::Students, 1).await;

    assert_eq!(known(&stored.values), known(&second.values));
    assert_eq!(stored.modified_at, Some(noon_plus(60)));
    assert_eq!(stored.content_hash, second.content_hash);
    let history = subject.history(Entity::Students, &zoho_id(1)).await;
    assert_eq!(history, ["created", "updated"]);
}

/// Deletions are tombstones; a record that is back is alive.
pub async fn a_tombstone_keeps_the_values_and_a_return_lifts_it<S: Subject>(subject: &mut S) {
    let first = created(Entity::Students, 1, texts(&[("city", "Amman")]));
    store_record(subject, first.clone(), noon()).await;
    let before = held(subject, Entity::Students, 1).await;
    let Some(tombstone) = plan_deletion(Entity::Students, &zoho_id(1), Some(&before)) else {
        panic!("no tombstone")
    };
    store_record(subject, tombstone, noon_plus(60)).await;

    let buried = held(subject, Entity::Students, 1).await;
    assert_eq!(buried.deleted_at, Some(noon_plus(60)));
    assert_eq!(buried.values.text("city"), Some("Amman"));

    let back = RecordChange {
        kind: ChangeKind::Revived,
        ..first
    };
    store_record(subject, back, noon_plus(120)).await;
    assert_eq!(held(subject, Entity::Students, 1).await.deleted_at, None);
    let history = subject.history(Entity::Students, &zoho_id(1)).await;
    assert_eq!(history, ["created", "deleted", "revived"]);
}

/// MUST write record and history together with the settling of the lease, or not at all.
pub async fn a_fenced_record_changes_neither_row_nor_history<S: Subject>(subject: &mut S) {
    let first = created(Entity::Students, 1, texts(&[("city", "Amman")]));
    store_record(subject, first, noon()).await;
    let key = WorkKey::new(Lane::Refresh(Entity::Students), zoho_id(1));
    let lost = mark_and_claim(subject, &key, noon()).await;
    claim_one(subject, &key, noon_plus(200)).await;
    let late = Effects {
        record: Some(RecordChange {
            kind: ChangeKind::Updated,
            ..created(Entity::Students, 1, texts(&[("city", "Irbid")]))
        }),
        ..Effects::default()
    };

    let committed = commit(subject, lost, Verdict::Done, late, noon_plus(201)).await;

    assert_eq!(committed, Committed::Fenced);
    let stored = held(subject, Entity::Students, 1).await;
    assert_eq!(stored.values.text("city"), Some("Amman"));
    let history = subject.history(Entity::Students, &zoho_id(1)).await;
    assert_eq!(history, ["created"]);
}

/// A deletion may be the first thing we hear of a record.
pub async fn a_tombstone_of_a_record_never_held_is_kept<S: Subject>(subject: &mut S) {
    let Some(tombstone) = plan_deletion(Entity::Classes, &zoho_id(1), None) else {
        panic!("no tombstone")
    };
    store_record(subject, tombstone, noon()).await;
    let buried = held(subject, Entity::Classes, 1).await;
    assert_eq!(buried.deleted_at, Some(noon()));
    assert_eq!(buried.content_hash, content_hash(&Values::new()));
}

/// Of those asked for.
pub async fn only_those_asked_for_are_read<S: Subject>(subject: &mut S) {
    for number in 1..=3 {
        let change = created(Entity::Units, number, texts(&[("unit_name", "Nets")]));
        store_record(subject, change, noon()).await;
    }
    let asked: Vec<_> = [2, 3, 4].map(zoho_id).into();
    let found = subject.store().stored(Entity::Units, &asked).await;
    let mut ids: Vec<_> = found
        .unwrap_or_else(|reason| panic!("{reason}"))
        .into_iter()
        .map(|record| record.id)
        .collect();
    ids.sort();
    assert_eq!(ids, [zoho_id(2), zoho_id(3)]);
    let other = subject.store().stored(Entity::Classes, &asked).await;
    assert_eq!(other, Ok(vec![]));
    let nobody = subject.store().stored(Entity::Units, &[]).await;
    assert_eq!(nobody, Ok(vec![]));
}

/// Ids of the live records whose column holds the parent, for every lookup there is.
pub async fn children_are_found_by_their_live_lookup<S: Subject>(subject: &mut S) {
    let parent = zoho_id(77);
    for entity in Entity::ALL {
        let columns = entity.columns().iter();
        for column in columns.filter(|column| column.name.ends_with("_zoho_id")) {
            for (number, holds) in [(1, zoho_id(77)), (2, zoho_id(78)), (3, zoho_id(77))] {
                let change = created(entity, number, texts(&[(column.name, holds.as_str())]));
                store_record(subject, change, noon()).await;
            }
            let before = held(subject, entity, 3).await;
            let gone = plan_deletion(entity, &zoho_id(3), Some(&before));
            store_record(subject, gone.unwrap_or_else(|| panic!("lives")), noon()).await;

            let found = subject.store().children(entity, column.name, &parent).await;

            assert_eq!(found, Ok(vec![zoho_id(1)]), "{entity}.{}", column.name);
        }
    }
}
