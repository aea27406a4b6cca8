//! Promises of [`Inbox`](crate::Inbox).

use chrono::TimeDelta;
use futures_util::future::join_all;
use mzi_domain::{Entity, Lane, Operation, Provenance};

use super::{
    Subject,
    samples::{claim, claim_one, event, named, nameless, noon, noon_plus, read_student, written},
};
use crate::{
    Inbox,
    inbox::{Accepted, NewEvent, RejectedEvent},
    ledger::{Effects, Verdict},
};

const STUDENTS: Lane = Lane::Refresh(Entity::Students);

async fn accept<S: Subject>(subject: &S, event: &NewEvent) -> Accepted {
    let accepted = subject.store().accept(event).await;
    accepted.unwrap_or_else(|reason| panic!("{reason}"))
}

fn fresh(id: &str) -> Accepted {
    Accepted::Fresh(id.to_owned())
}

fn duplicate(id: &str) -> Accepted {
    Accepted::Duplicate(id.to_owned())
}

fn coalesced(id: &str) -> Accepted {
    Accepted::Coalesced(id.to_owned())
}

/// MUST NOT return before both would survive a crash.
pub async fn what_was_accepted_survives_a_restart<S: Subject>(subject: &mut S) {
    accept(subject, &named("e1", "n1", 1)).await;

    subject.restart().await;

    claim_one(subject, &read_student(1), noon()).await;
    assert_eq!(
        accept(subject, &named("e2", "n1", 1)).await,
        duplicate("e1")
    );
}

/// MUST answer `Fresh` exactly once per identity, also under concurrent calls.
pub async fn an_identity_is_fresh_exactly_once_under_concurrent_calls<S: Subject>(subject: &mut S) {
    let ids: Vec<String> = (0..16).map(|n| format!("e{n}")).collect();
    let tries = ids.iter().map(|id| {
        let store = subject.store();
        let event = named(id, "n1", 1);
        async move { store.accept(&event).await }
    });

    let answers = join_all(tries).await;

    let mut first = None;
    for answer in &answers {
        if let Ok(Accepted::Fresh(id)) = answer {
            assert_eq!(first.replace(id), None, "fresh twice");
        }
    }
    let Some(first) = first else {
        panic!("nobody was fresh: {answers:?}")
    };
    let repeated = answers
        .iter()
        .filter(|answer| **answer == Ok(Accepted::Duplicate(first.clone())));
    assert_eq!(repeated.count(), 15);
}

/// The same, across restarts.
pub async fn an_identity_holds_across_restarts<S: Subject>(subject: &mut S) {
    accept(subject, &named("e1", "n1", 1)).await;
    let lease = claim_one(subject, &read_student(1), noon()).await;
    written(subject, lease, Verdict::Done, Effects::default(), noon()).await;

    subject.restart().await;

    assert_eq!(
        accept(subject, &named("e2", "n1", 1)).await,
        duplicate("e1")
    );
}

/// `Duplicate` adds no row and no work.
pub async fn a_duplicate_adds_no_work<S: Subject>(subject: &mut S) {
    accept(subject, &named("e1", "n1", 1)).await;
    let lease = claim_one(subject, &read_student(1), noon()).await;

    accept(subject, &named("e2", "n1", 1)).await;

    written(subject, lease, Verdict::Done, Effects::default(), noon()).await;
    assert_eq!(claim(subject, STUDENTS, noon_plus(1)).await, []);
}

/// An identity holds for seven days.
pub async fn an_identity_is_forgotten_after_seven_days<S: Subject>(subject: &mut S) {
    let week = TimeDelta::days(7);
    let at = |id: &str, received_at| NewEvent {
        received_at,
        ..named(id, "n1", 1)
    };
    accept(subject, &at("e1", noon())).await;

    let just_within = at("e2", noon() + week - TimeDelta::seconds(1));
    assert_eq!(accept(subject, &just_within).await, duplicate("e1"));
    assert_eq!(accept(subject, &at("e3", noon() + week)).await, fresh("e3"));
    let next = at("e4", noon() + week + TimeDelta::seconds(1));
    assert_eq!(accept(subject, &next).await, duplicate("e3"));
}

/// Identities of different provenance never meet.
pub async fn a_name_and_a_modified_time_of_the_same_text_are_different_identities<S: Subject>(
    subject: &mut S,
) {
    let stated = event("e2", Provenance::ModifiedTime("same".into()), &[1]);
    assert_eq!(accept(subject, &named("e1", "same", 1)).await, fresh("e1"));
    assert_eq!(accept(subject, &stated).await, fresh("e2"));
}

/// An identity may name a thousand records.
pub async fn a_very_long_identity_holds<S: Subject>(subject: &mut S) {
    let digits: String = (0..20_000u32)
        .map(|n| char::from(b'0' + u8::try_from(n * 7 % 10).unwrap_or(0)))
        .collect();
    let other = format!("{digits}1");
    assert_eq!(accept(subject, &named("e1", &digits, 1)).await, fresh("e1"));
    assert_eq!(
        accept(subject, &named("e2", &digits, 1)).await,
        duplicate("e1")
    );
    assert_eq!(accept(subject, &named("e3", &other, 1)).await, fresh("e3"));
}

/// MUST answer `Coalesced` until claimed, and `Fresh` after.
pub async fn an_event_without_identity_is_coalesced_until_it_is_claimed<S: Subject>(
    subject: &mut S,
) {
    assert_eq!(accept(subject, &nameless("e1", 1)).await, fresh("e1"));
    assert_eq!(accept(subject, &nameless("e2", 1)).await, coalesced("e1"));

    let lease = claim_one(subject, &read_student(1), noon()).await;

    assert_eq!(accept(subject, &nameless("e3", 1)).await, fresh("e3"));
    assert_eq!(accept(subject, &nameless("e4", 1)).await, coalesced("e3"));
    written(subject, lease, Verdict::Done, Effects::default(), noon()).await;
    claim_one(subject, &read_student(1), noon()).await;
}

/// The same, under concurrent calls.
pub async fn concurrent_events_without_identity_are_coalesced_into_one<S: Subject>(
    subject: &mut S,
) {
    let tries = (0..16).map(|n| {
        let store = subject.store();
        async move { store.accept(&nameless(&format!("e{n}"), 1)).await }
    });

    let answers = join_all(tries).await;

    let fresh = answers
        .iter()
        .filter(|a| matches!(a, Ok(Accepted::Fresh(_))));
    let coalesced = answers
        .iter()
        .filter(|a| matches!(a, Ok(Accepted::Coalesced(_))));
    assert_eq!((fresh.count(), coalesced.count()), (1, 15));
}

/// Coalescing is by entity, single record and operation.
pub async fn only_the_same_entity_record_and_operation_are_coalesced<S: Subject>(subject: &mut S) {
    accept(subject, &nameless("e1", 1)).await;
    let deleted = NewEvent {
        operation: Operation::Delete,
        ..nameless("e2", 1)
    };
    let class = NewEvent {
        entity: Entity::Classes,
        ..nameless("e3", 1)
    };

    assert_eq!(accept(subject, &deleted).await, fresh("e2"));
    assert_eq!(accept(subject, &class).await, fresh("e3"));
    assert_eq!(accept(subject, &nameless("e4", 2)).await, fresh("e4"));

    // A claim of student 1 lets go of both of its events, and of no other.
    let mut one = super::samples::claim_of(STUDENTS, noon());
    one.limit = 1;
    let first = crate::Ledger::claim(&subject.store(), &one).await;
    let first = first.unwrap_or_else(|reason| panic!("{reason}"));
    let claimed: Vec<_> = first.iter().map(|lease| lease.key.clone()).collect();
    assert_eq!(claimed, [read_student(1)]);
    assert_eq!(accept(subject, &nameless("e5", 1)).await, fresh("e5"));
    assert_eq!(accept(subject, &nameless("e6", 2)).await, coalesced("e4"));
    let class = NewEvent {
        id: "e7".into(),
        ..class
    };
    assert_eq!(accept(subject, &class).await, coalesced("e3"));
}

/// An event with several records and no identity is always `Fresh`.
pub async fn several_records_without_identity_are_always_fresh<S: Subject>(subject: &mut S) {
    let pair = |id| event(id, Provenance::None, &[1, 2]);
    assert_eq!(accept(subject, &pair("e1")).await, fresh("e1"));
    assert_eq!(accept(subject, &pair("e2")).await, fresh("e2"));
    assert_eq!(accept(subject, &nameless("e3", 1)).await, fresh("e3"));
}

/// Stores the event and marks its records dirty.
pub async fn every_record_of_an_event_becomes_due<S: Subject>(subject: &mut S) {
    let many: Vec<u64> = (1..=1_000).collect();
    accept(
        subject,
        &event("e1", Provenance::Sender("n1".into()), &many),
    )
    .await;

    let mut all = super::samples::claim_of(STUDENTS, noon());
    all.limit = 2_000;
    let leases = crate::Ledger::claim(&subject.store(), &all).await;
    let mut keys: Vec<_> = leases
        .unwrap_or_else(|reason| panic!("{reason}"))
        .into_iter()
        .map(|lease| lease.key)
        .collect();
    keys.sort();
    let expected: Vec<_> = many.into_iter().map(read_student).collect();
    assert_eq!(keys, expected);
}

/// A lease tells that a notice said the record was deleted.
pub async fn a_delete_notice_is_reported_until_the_work_is_done<S: Subject>(subject: &mut S) {
    let deleted = NewEvent {
        operation: Operation::Delete,
        ..nameless("e1", 1)
    };
    accept(subject, &deleted).await;
    let first = claim_one(subject, &read_student(1), noon()).await;
    assert!(first.deletion_reported);
    let again = Verdict::Retry {
        at: noon(),
        reason: "not now".into(),
        counts: true,
    };
    written(subject, first, again, Effects::default(), noon()).await;

    let second = claim_one(subject, &read_student(1), noon()).await;
    assert!(second.deletion_reported);
    written(subject, second, Verdict::Done, Effects::default(), noon()).await;

    accept(subject, &nameless("e2", 1)).await;
    let third = claim_one(subject, &read_student(1), noon()).await;
    assert!(!third.deletion_reported);
}

/// A lease tells that an event's identity was only a `Modified_Time`.
pub async fn a_modified_time_asks_for_a_second_look_until_the_work_is_done<S: Subject>(
    subject: &mut S,
) {
    let stated = event("e1", Provenance::ModifiedTime("t1".into()), &[1]);
    accept(subject, &stated).await;
    let first = claim_one(subject, &read_student(1), noon()).await;
    assert!(first.recheck);
    written(subject, first, Verdict::Done, Effects::default(), noon()).await;

    accept(subject, &nameless("e2", 1)).await;
    let second = claim_one(subject, &read_student(1), noon()).await;
    assert!(!second.recheck);
}

/// What arrives during a claim belongs to the next one.
pub async fn a_delete_notice_during_a_claim_is_reported_by_the_next<S: Subject>(subject: &mut S) {
    accept(subject, &nameless("e1", 1)).await;
    let first = claim_one(subject, &read_student(1), noon()).await;
    let deleted = NewEvent {
        operation: Operation::Delete,
        ..nameless("e2", 1)
    };
    accept(subject, &deleted).await;
    written(subject, first, Verdict::Done, Effects::default(), noon()).await;

    let second = claim_one(subject, &read_student(1), noon()).await;
    assert!(second.deletion_reported);
}

/// A rejected event is kept and marks nothing dirty.
pub async fn a_rejected_event_marks_nothing<S: Subject>(subject: &mut S) {
    let rejected = RejectedEvent {
        id: "e1".into(),
        tail: "students".into(),
        code: "no_record_id",
        payload: "{}".into(),
        received_at: noon(),
    };
    let kept = subject.store().keep_rejected(&rejected).await;
    assert_eq!(kept, Ok("e1".to_owned()));
    assert_eq!(claim(subject, STUDENTS, noon()).await, []);
}

/// A body is kept whatever it contains.
pub async fn a_payload_of_odd_characters_is_accepted<S: Subject>(subject: &mut S) {
    let odd = NewEvent {
        payload: "{\"name\":\"\0 \u{202e}الاسم 🎓 '; DROP TABLE students; --\"}".into(),
        module: Some("BTEC\0Students".into()),
        ..named("e1", "n\0 1", 1)
    };
    assert_eq!(accept(subject, &odd).await, fresh("e1"));
    let again = NewEvent {
        id: "e2".into(),
        ..odd
    };
    assert_eq!(accept(subject, &again).await, duplicate("e1"));
}
