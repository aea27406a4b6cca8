//! Promises about walking through a module and through its deletions.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use mzi_domain::{CrmRecord, ZohoId};

use super::{CrmHarness, GRADES, NAME, inserted, is_now, names, record, text, updated};
use crate::crm::{PageRequest, WriteMode};

/// A walk that stops can go on later without losing a change.
pub async fn pages_come_oldest_change_first(world: &dyn CrmHarness) {
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(inserted(world, GRADES, [(NAME, text(name))]).await);
        world.later().await;
    }
    updated(world, GRADES, &ids[0], [(NAME, text("one again"))]).await;

    let records = walk(world, None).await;

    let order: Vec<_> = records.into_iter().map(|record| record.id).collect();
    assert_eq!(order, [&ids[1], &ids[2], &ids[0]].map(Clone::clone));
}

/// No record may fall between two pages.
pub async fn a_page_carries_on_exactly_where_the_one_before_ended(world: &dyn CrmHarness) {
    let numbered = |n: u32| record([(NAME, text(&format!("unit {n}")))]);
    let records: Vec<_> = (0..450).map(numbered).collect();
    let outcomes = world
        .crm()
        .write(GRADES, &WriteMode::Insert, &records)
        .await;
    let written: BTreeSet<ZohoId> = outcomes
        .unwrap()
        .into_iter()
        .map(|outcome| outcome.unwrap().id)
        .collect();

    let read = walk(world, None).await;

    assert_eq!(read.len(), 450);
    let read: BTreeSet<ZohoId> = read.into_iter().map(|record| record.id).collect();
    assert_eq!(read, written);
}

/// The incremental sweep: what changed before the moment stays out, even if it is everything.
pub async fn only_what_changed_since_a_moment_is_listed(world: &dyn CrmHarness) {
    inserted(world, GRADES, [(NAME, text("old"))]).await;
    world.later().await;
    let moment = world.now() - Duration::seconds(5);
    assert_eq!(walk(world, Some(moment)).await, []);

    let new = inserted(world, GRADES, [(NAME, text("new"))]).await;
    let read = walk(world, Some(moment)).await;

    let read: Vec<_> = read.into_iter().map(|record| record.id).collect();
    assert_eq!(read, [new]);
}

/// A listed deletion is a positive fact.
pub async fn deletions_are_listed_since_a_moment(world: &dyn CrmHarness) {
    let crm = world.crm();
    let none = crm.deleted(GRADES, None, 1).await.unwrap();
    assert_eq!((none.deletions.len(), none.more), (0, false));
    let early = inserted(world, GRADES, [(NAME, text("early"))]).await;
    let late = inserted(world, GRADES, [(NAME, text("late"))]).await;
    world.delete(GRADES, &early).await;
    world.later().await;
    let moment = world.now() - Duration::seconds(5);
    world.delete(GRADES, &late).await;

    let all = crm.deleted(GRADES, None, 1).await.unwrap();
    let since = crm.deleted(GRADES, Some(moment), 1).await.unwrap();

    let all: BTreeSet<_> = all
        .deletions
        .into_iter()
        .map(|deletion| deletion.id)
        .collect();
    assert_eq!(all, BTreeSet::from([early, late.clone()]));
    assert_eq!(since.deletions.len(), 1);
    assert_eq!(since.deletions[0].id, late);
    assert!(is_now(world, since.deletions[0].deleted_at));
}

/// Every record of a walk, in order.
async fn walk(world: &dyn CrmHarness, since: Option<DateTime<Utc>>) -> Vec<CrmRecord> {
    let mut request = PageRequest {
        module: GRADES.into(),
        fields: names(&[NAME]),
        modified_since: since,
        page_token: None,
    };
    let mut records = Vec::new();
    loop {
        let page = world.crm().page(&request).await.unwrap();
        records.extend(page.records);
        if page.next_page_token.is_none() {
            return records;
        }
        request.page_token = page.next_page_token;
    }
}
