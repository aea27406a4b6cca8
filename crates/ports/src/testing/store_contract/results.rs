//! Promises of [`Ledger::commit`](crate::Ledger::commit) about leases, retries and marks.

use mzi_domain::{Entity, Lane, WorkKey, record::plan_deletion};

use super::{
    Subject,
    samples::{
        account, claim, claim_one, commit, created, done_with, mark, mark_and_claim, noon,
        noon_plus, read_student, stop, store_record, texts, wait_for, written, zoho_id,
    },
};
use crate::{
    Ledger,
    ledger::{Committed, Effects, Verdict, WorkResult},
};

const STUDENTS: Lane = Lane::Refresh(Entity::Students);

fn retry(second: i64, counts: bool) -> Verdict {
    Verdict::Retry {
        at: noon_plus(second),
        reason: "not now".into(),
        counts,
    }
}

/// A row that is done is due no more.
pub async fn a_done_row_rests<S: Subject>(subject: &mut S) {
    done_with(subject, &read_student(1), Effects::default(), noon()).await;
    assert_eq!(claim(subject, STUDENTS, noon_plus(86_400)).await, []);
}

/// MUST answer `Fenced` and write nothing for a lease that somebody else has claimed since.
pub async fn a_lease_that_somebody_else_has_claimed_since_is_fenced<S: Subject>(subject: &mut S) {
    let lost = mark_and_claim(subject, &read_student(1), noon()).await;
    let taken = claim_one(subject, &read_student(1), noon_plus(200)).await;
    let effects = Effects {
        marks: vec![account(1)],
        ..Effects::default()
    };

    let late = commit(subject, lost, Verdict::Done, effects, noon_plus(201)).await;

    assert_eq!(late, Committed::Fenced);
    assert_eq!(claim(subject, Lane::Account, noon_plus(202)).await, []);
    written(
        subject,
        taken,
        Verdict::Done,
        Effects::default(),
        noon_plus(203),
    )
    .await;
}

/// A commit whose answer was lost and that is sent again changes nothing.
pub async fn a_result_is_written_once<S: Subject>(subject: &mut S) {
    let lease = mark_and_claim(subject, &read_student(1), noon()).await;
    written(
        subject,
        lease.clone(),
        retry(60, true),
        Effects::default(),
        noon(),
    )
    .await;
    let again = commit(
        subject,
        lease,
        Verdict::Done,
        Effects::default(),
        noon_plus(1),
    );
    assert_eq!(again.await, Committed::Fenced);
    let lease = claim_one(subject, &read_student(1), noon_plus(60)).await;
    assert_eq!(lease.attempts, 1);
}

/// Each result is written only if its own fence holds.
pub async fn one_fenced_result_does_not_hold_up_the_others<S: Subject>(subject: &mut S) {
    let lost = mark_and_claim(subject, &read_student(1), noon()).await;
    claim_one(subject, &read_student(1), noon_plus(200)).await;
    let good = mark_and_claim(subject, &read_student(2), noon_plus(200)).await;
    let results = [lost, good].map(|lease| WorkResult {
        lease,
        verdict: Verdict::Done,
        effects: Effects::default(),
    });

    let committed = subject.store().commit(&results, noon_plus(201)).await;

    assert_eq!(committed, Ok(vec![Committed::Fenced, Committed::Written]));
}

/// A row marked dirty while leased is due again after settling, however it was settled.
pub async fn what_was_marked_while_leased_is_due_again<S: Subject>(subject: &mut S) {
    let verdicts = [
        Verdict::Done,
        retry(9_000, true),
        wait_for(&account(9)),
        stop(None),
    ];
    for (second, verdict) in (0..).zip(verdicts) {
        let now = noon_plus(second);
        let lease = mark_and_claim(subject, &read_student(1), now).await;
        mark(subject, &read_student(1), now).await;
        assert_eq!(claim(subject, STUDENTS, now).await, []);
        written(subject, lease, verdict, Effects::default(), now).await;

        let again = claim_one(subject, &read_student(1), now).await;
        written(subject, again, Verdict::Done, Effects::default(), now).await;
        assert_eq!(claim(subject, STUDENTS, now).await, []);
    }
}

/// `attempts` and `failing_since` count from the last success.
pub async fn a_counted_failure_is_remembered_until_done<S: Subject>(subject: &mut S) {
    let key = read_student(1);
    let first = mark_and_claim(subject, &key, noon()).await;
    assert_eq!((first.attempts, first.failing_since), (0, None));
    written(
        subject,
        first,
        retry(60, true),
        Effects::default(),
        noon_plus(1),
    )
    .await;
    assert_eq!(claim(subject, STUDENTS, noon_plus(59)).await, []);
    let second = claim_one(subject, &key, noon_plus(60)).await;
    assert_eq!(
        (second.attempts, second.failing_since),
        (1, Some(noon_plus(1)))
    );
    written(
        subject,
        second,
        retry(120, true),
        Effects::default(),
        noon_plus(61),
    )
    .await;
    let third = claim_one(subject, &key, noon_plus(120)).await;
    assert_eq!(
        (third.attempts, third.failing_since),
        (2, Some(noon_plus(1)))
    );
    written(
        subject,
        third,
        Verdict::Done,
        Effects::default(),
        noon_plus(121),
    )
    .await;
    let fourth = mark_and_claim(subject, &key, noon_plus(122)).await;
    assert_eq!((fourth.attempts, fourth.failing_since), (0, None));
}

/// An outage of the other side does not count as an attempt, nor towards giving up.
pub async fn an_outage_does_not_count_as_a_failure<S: Subject>(subject: &mut S) {
    let lease = mark_and_claim(subject, &read_student(1), noon()).await;
    written(subject, lease, retry(60, false), Effects::default(), noon()).await;
    let again = claim_one(subject, &read_student(1), noon_plus(60)).await;
    assert_eq!((again.attempts, again.failing_since), (0, None));
}

/// The row rests until it is marked dirty, and then has all its patience again.
pub async fn a_stopped_row_rests_until_marked_and_starts_afresh<S: Subject>(subject: &mut S) {
    let key = read_student(1);
    let lease = mark_and_claim(subject, &key, noon()).await;
    written(subject, lease, retry(1, true), Effects::default(), noon()).await;
    let lease = claim_one(subject, &key, noon_plus(1)).await;
    written(subject, lease, stop(None), Effects::default(), noon_plus(1)).await;

    assert_eq!(claim(subject, STUDENTS, noon_plus(864_000)).await, []);
    let lease = mark_and_claim(subject, &key, noon_plus(864_001)).await;
    assert_eq!((lease.attempts, lease.failing_since), (0, None));
}

/// The same row again at this moment, besides what the verdict says.
pub async fn a_recheck_comes_back_once<S: Subject>(subject: &mut S) {
    let key = read_student(1);
    let effects = || Effects {
        recheck_at: Some(noon_plus(5)),
        ..Effects::default()
    };
    for verdict in [
        Verdict::Done,
        retry(60, true),
        wait_for(&account(9)),
        stop(None),
    ] {
        let lease = mark_and_claim(subject, &key, noon()).await;
        written(subject, lease, verdict, effects(), noon()).await;
        assert_eq!(claim(subject, STUDENTS, noon_plus(4)).await, []);
        let again = claim_one(subject, &key, noon_plus(5)).await;
        written(
            subject,
            again,
            Verdict::Done,
            Effects::default(),
            noon_plus(5),
        )
        .await;
        assert_eq!(claim(subject, STUDENTS, noon_plus(600)).await, []);
    }
}

/// A second look is still owed after a run that was asked for in between.
pub async fn a_recheck_is_not_lost_when_the_row_is_dirty_meanwhile<S: Subject>(subject: &mut S) {
    let key = read_student(1);
    let lease = mark_and_claim(subject, &key, noon()).await;
    mark(subject, &key, noon()).await;
    let effects = Effects {
        recheck_at: Some(noon_plus(5)),
        ..Effects::default()
    };
    written(subject, lease, Verdict::Done, effects, noon()).await;
    let between = claim_one(subject, &key, noon_plus(1)).await;
    written(
        subject,
        between,
        Verdict::Done,
        Effects::default(),
        noon_plus(1),
    )
    .await;
    assert_eq!(claim(subject, STUDENTS, noon_plus(4)).await, []);
    claim_one(subject, &key, noon_plus(5)).await;
}

/// Nor after a run that a notice brought about before its moment.
pub async fn a_recheck_outlives_a_run_that_comes_before_it<S: Subject>(subject: &mut S) {
    let key = read_student(1);
    let effects = Effects {
        recheck_at: Some(noon_plus(5)),
        ..Effects::default()
    };
    done_with(subject, &key, effects, noon()).await;
    done_with(subject, &key, Effects::default(), noon_plus(1)).await;
    assert_eq!(claim(subject, STUDENTS, noon_plus(4)).await, []);
    done_with(subject, &key, Effects::default(), noon_plus(6)).await;
    assert_eq!(claim(subject, STUDENTS, noon_plus(600)).await, []);
}

/// A result may ask for its own work once more.
pub async fn a_row_may_mark_itself<S: Subject>(subject: &mut S) {
    let key = read_student(1);
    for verdict in [Verdict::Done, retry(9_000, true), stop(None)] {
        let lease = mark_and_claim(subject, &key, noon()).await;
        let effects = Effects {
            marks: vec![key.clone()],
            ..Effects::default()
        };
        written(subject, lease, verdict, effects, noon()).await;
        let again = claim_one(subject, &key, noon()).await;
        written(subject, again, Verdict::Done, Effects::default(), noon()).await;
    }
}

/// MUST raise `wanted` of marked rows, creating them if needed.
pub async fn marks_create_rows_and_make_them_due<S: Subject>(subject: &mut S) {
    let held = mark_and_claim(subject, &account(2), noon()).await;
    let effects = Effects {
        marks: vec![account(1), account(2)],
        ..Effects::default()
    };
    done_with(subject, &read_student(1), effects, noon()).await;

    claim_one(subject, &account(1), noon()).await;
    written(subject, held, Verdict::Done, Effects::default(), noon()).await;
    claim_one(subject, &account(2), noon()).await;
}

/// Work to mark dirty only if the record it reads is not held, and nobody is at it.
pub async fn needs_mark_only_what_is_neither_held_nor_under_way<S: Subject>(subject: &mut S) {
    let values = texts(&[("name", "Ada")]);
    store_record(subject, created(Entity::Teachers, 1, values), noon()).await;
    let teacher = |number| WorkKey::new(Lane::Refresh(Entity::Teachers), zoho_id(number));
    let under_way = mark_and_claim(subject, &teacher(2), noon()).await;
    let waiting = mark_and_claim(subject, &teacher(3), noon()).await;
    written(
        subject,
        waiting,
        wait_for(&account(9)),
        Effects::default(),
        noon(),
    )
    .await;
    let stopped = mark_and_claim(subject, &teacher(4), noon()).await;
    written(subject, stopped, stop(None), Effects::default(), noon()).await;
    done_with(subject, &teacher(5), Effects::default(), noon()).await;
    let effects = Effects {
        needs: (1..=6).map(|n| (Entity::Teachers, zoho_id(n))).collect(),
        ..Effects::default()
    };

    done_with(subject, &read_student(1), effects, noon()).await;

    let mut keys: Vec<_> = claim(subject, Lane::Refresh(Entity::Teachers), noon())
        .await
        .into_iter()
        .map(|lease| lease.key)
        .collect();
    keys.sort();
    assert_eq!(keys, [teacher(4), teacher(5), teacher(6)]);
    written(
        subject,
        under_way,
        Verdict::Done,
        Effects::default(),
        noon(),
    )
    .await;
    assert_eq!(
        claim(subject, Lane::Refresh(Entity::Teachers), noon()).await,
        []
    );
}

/// A record that is known to be deleted is not asked for again.
pub async fn a_tombstone_counts_as_held<S: Subject>(subject: &mut S) {
    let Some(tombstone) = plan_deletion(Entity::Teachers, &zoho_id(1), None) else {
        panic!("no tombstone")
    };
    store_record(subject, tombstone, noon()).await;
    let effects = Effects {
        needs: vec![(Entity::Teachers, zoho_id(1))],
        ..Effects::default()
    };
    done_with(subject, &read_student(1), effects, noon()).await;
    assert_eq!(
        claim(subject, Lane::Refresh(Entity::Teachers), noon()).await,
        []
    );
}
