//! Promises of [`Ledger`](crate::Ledger) about claims and leases.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use mzi_domain::{Entity, Lane, WorkKey};

use super::{
    Subject,
    samples::{
        LEASE, account, claim, claim_of, claim_one, commit, mark, mark_and_claim, noon, noon_plus,
        read_student, written,
    },
};
use crate::{
    Ledger,
    ledger::{Claim, Committed, Due, Effects, Verdict},
};

const STUDENTS: Lane = Lane::Refresh(Entity::Students);

fn lease_seconds() -> i64 {
    i64::try_from(LEASE.as_secs()).unwrap_or(i64::MAX)
}

/// MUST give a row to one claimer at a time.
pub async fn a_row_goes_to_one_claimer_at_a_time<S: Subject>(subject: &mut S) {
    let keys: Vec<WorkKey> = (1..=60).map(read_student).collect();
    let marked = subject.store().mark(&keys, noon()).await;
    assert_eq!(marked, Ok(()));
    let claims = (0..8).map(|number| {
        let store = subject.store();
        let claim = Claim {
            limit: 10,
            owner: format!("worker-{number}"),
            ..claim_of(STUDENTS, noon())
        };
        async move { store.claim(&claim).await }
    });

    let answers = join_all(claims).await;

    let leases: Vec<_> = answers
        .into_iter()
        .flat_map(|answer| answer.unwrap_or_else(|reason| panic!("{reason}")))
        .map(|lease| lease.key)
        .collect();
    let distinct: BTreeSet<_> = leases.iter().cloned().collect();
    assert_eq!(distinct.len(), leases.len(), "a row was given out twice");
    // Claimers that collide may get fewer, but nothing may be left out for good.
    let rest = claim(subject, STUDENTS, noon()).await;
    assert_eq!(leases.len() + rest.len(), 60);
}

/// Claims up to `limit` due rows, oldest due first.
pub async fn the_oldest_due_come_first_up_to_the_limit<S: Subject>(subject: &mut S) {
    for (number, second) in [(1, 30), (2, 10), (3, 20), (4, 500)] {
        mark(subject, &read_student(number), noon_plus(second)).await;
    }
    let two = Claim {
        limit: 2,
        ..claim_of(STUDENTS, noon_plus(60))
    };

    let leases = subject.store().claim(&two).await;

    let keys: Vec<_> = leases
        .unwrap_or_else(|reason| panic!("{reason}"))
        .into_iter()
        .map(|lease| lease.key)
        .collect();
    assert_eq!(keys, [read_student(2), read_student(3)]);
    claim_one(subject, &read_student(1), noon_plus(60)).await;
}

/// Rows of other lanes stay where they are.
pub async fn a_claim_takes_only_its_own_lane<S: Subject>(subject: &mut S) {
    mark(subject, &read_student(1), noon()).await;
    mark(subject, &account(1), noon()).await;
    claim_one(subject, &account(1), noon()).await;
    claim_one(subject, &read_student(1), noon()).await;
}

/// MUST raise the fence with every claim.
pub async fn every_claim_raises_the_fence<S: Subject>(subject: &mut S) {
    let first = mark_and_claim(subject, &read_student(1), noon()).await;
    let fence = first.fence;
    written(subject, first, Verdict::Done, Effects::default(), noon()).await;
    let second = mark_and_claim(subject, &read_student(1), noon()).await;
    assert!(second.fence > fence);
}

/// A row is its claimer's until the lease ends.
pub async fn an_ended_lease_may_be_claimed_by_another<S: Subject>(subject: &mut S) {
    let first = mark_and_claim(subject, &read_student(1), noon()).await;
    let just_within = noon_plus(lease_seconds() - 1);
    assert_eq!(claim(subject, STUDENTS, just_within).await, []);

    let second = claim_one(subject, &read_student(1), noon_plus(lease_seconds())).await;

    assert!(second.fence > first.fence);
}

/// Prolongs leases that are still held.
pub async fn a_heartbeat_prolongs_a_held_lease<S: Subject>(subject: &mut S) {
    let lease = mark_and_claim(subject, &read_student(1), noon()).await;
    let later = noon_plus(lease_seconds() + 60);
    let beaten = subject.store().heartbeat(&[lease], later).await;
    assert_eq!(beaten, Ok(()));
    assert_eq!(
        claim(subject, STUDENTS, noon_plus(lease_seconds())).await,
        []
    );
    claim_one(subject, &read_student(1), later).await;
}

/// A heartbeat keeps only what is still held.
pub async fn a_heartbeat_after_the_loss_of_the_lease_changes_nothing<S: Subject>(subject: &mut S) {
    let lost = mark_and_claim(subject, &read_student(1), noon()).await;
    let taken = claim_one(subject, &read_student(1), noon_plus(100)).await;
    let retry = Verdict::Retry {
        at: noon_plus(110),
        reason: "not now".into(),
        counts: true,
    };
    let beat = || {
        let (store, lost) = (subject.store(), lost.clone());
        async move { store.heartbeat(&[lost], noon_plus(9_000)).await }
    };
    assert_eq!(beat().await, Ok(()));
    written(subject, taken, retry, Effects::default(), noon_plus(101)).await;
    assert_eq!(beat().await, Ok(()));
    claim_one(subject, &read_student(1), noon_plus(110)).await;
}

/// Lanes that have due rows now, and when the next row becomes due.
pub async fn due_names_the_lanes_and_the_next_moment<S: Subject>(subject: &mut S) {
    let lanes = [STUDENTS, Lane::Account, Lane::Course];
    assert_eq!(
        subject.store().due(&lanes, noon()).await,
        Ok(Due::default())
    );
    mark(subject, &account(1), noon()).await;
    mark(subject, &read_student(1), noon_plus(30)).await;
    mark(subject, &read_student(2), noon_plus(20)).await;

    let now = subject.store().due(&lanes, noon()).await;
    let others = subject.store().due(&[Lane::Seat], noon()).await;
    let later = subject.store().due(&lanes, noon_plus(60)).await;

    let expected = Due {
        lanes: vec![Lane::Account],
        next_at: Some(noon_plus(20)),
    };
    assert_eq!(now, Ok(expected));
    assert_eq!(others, Ok(Due::default()));
    let expected = Due {
        lanes: vec![STUDENTS, Lane::Account],
        next_at: None,
    };
    assert_eq!(later, Ok(expected));
}

/// Makes rows due again whose owner is certainly gone.
pub async fn recovery_frees_what_a_dead_owner_held<S: Subject>(subject: &mut S) {
    let lost = mark_and_claim(subject, &read_student(1), noon()).await;

    subject.restart().await;
    let freed = subject.store().recover("worker-2", noon_plus(1)).await;

    assert_eq!(freed, Ok(1));
    let lease = claim_one(subject, &read_student(1), noon_plus(1)).await;
    assert!(lease.fence > lost.fence);
    let late = commit(
        subject,
        lost,
        Verdict::Done,
        Effects::default(),
        noon_plus(2),
    );
    assert_eq!(late.await, Committed::Fenced);
}

/// MUST leave rows alone whose owner still lives and whose lease has not ended.
pub async fn recovery_leaves_a_living_owner_alone<S: Subject>(subject: &mut S) {
    mark_and_claim(subject, &read_student(1), noon()).await;
    for owner in ["worker-1", "worker-2"] {
        let freed = subject.store().recover(owner, noon_plus(1)).await;
        assert_eq!(freed, Ok(0), "{owner}");
    }
    assert_eq!(claim(subject, STUDENTS, noon_plus(1)).await, []);
}

/// Makes rows due again whose lease has ended.
pub async fn recovery_frees_ended_leases<S: Subject>(subject: &mut S) {
    mark_and_claim(subject, &read_student(1), noon()).await;
    let ended = noon_plus(lease_seconds());
    assert_eq!(subject.store().recover("worker-1", ended).await, Ok(1));
    assert_eq!(subject.store().recover("worker-1", ended).await, Ok(0));
    claim_one(subject, &read_student(1), ended).await;
}

/// News about a record do not wait for the end of a back-off.
pub async fn a_mark_makes_a_backed_off_row_due<S: Subject>(subject: &mut S) {
    let lease = mark_and_claim(subject, &read_student(1), noon()).await;
    let retry = Verdict::Retry {
        at: noon_plus(900),
        reason: "not now".into(),
        counts: true,
    };
    written(subject, lease, retry, Effects::default(), noon()).await;
    assert_eq!(claim(subject, STUDENTS, noon_plus(10)).await, []);
    mark(subject, &read_student(1), noon_plus(10)).await;
    claim_one(subject, &read_student(1), noon_plus(10)).await;
}
