//! Promises of [`Ledger::commit`](crate::Ledger::commit) about waiting and waking.

use futures_util::future::join_all;
use mzi_domain::{Entity, Lane, WorkKey};

use super::{
    Subject,
    samples::{
        account, claim, claim_one, done_with, mark, mark_and_claim, noon, noon_plus, read_student,
        stop, wait_for, waking, written, zoho_id,
    },
};
use crate::{
    Ledger,
    ledger::{Committed, Effects, Verdict, WorkResult},
};

fn seat(number: u64) -> WorkKey {
    WorkKey::new(Lane::Seat, zoho_id(number))
}

/// MUST make rows due that wait on a woken key.
pub async fn a_wake_makes_the_waiters_due<S: Subject>(subject: &mut S) {
    for (number, on) in [(1, account(1)), (2, account(2))] {
        let lease = mark_and_claim(subject, &seat(number), noon()).await;
        written(subject, lease, wait_for(&on), Effects::default(), noon()).await;
    }
    assert_eq!(claim(subject, Lane::Seat, noon_plus(864_000)).await, []);

    done_with(subject, &account(1), waking(&account(1)), noon_plus(10)).await;

    claim_one(subject, &seat(1), noon_plus(10)).await;
}

/// Also those an issue has stopped for waiting.
pub async fn a_wake_reaches_those_an_issue_has_stopped<S: Subject>(subject: &mut S) {
    let lease = mark_and_claim(subject, &seat(1), noon()).await;
    let stopped = stop(Some(&account(1)));
    written(subject, lease, stopped, Effects::default(), noon()).await;
    let lease = mark_and_claim(subject, &seat(2), noon()).await;
    written(subject, lease, stop(None), Effects::default(), noon()).await;

    done_with(subject, &account(1), waking(&account(1)), noon_plus(10)).await;

    claim_one(subject, &seat(1), noon_plus(10)).await;
}

/// When to give the wait up and look again.
pub async fn a_wait_ends_at_its_moment<S: Subject>(subject: &mut S) {
    let lease = mark_and_claim(subject, &seat(1), noon()).await;
    let wait = Verdict::Wait {
        on: account(1),
        reason: "no account yet".into(),
        until: Some(noon_plus(600)),
    };
    written(subject, lease, wait, Effects::default(), noon()).await;
    assert_eq!(claim(subject, Lane::Seat, noon_plus(599)).await, []);
    claim_one(subject, &seat(1), noon_plus(600)).await;
}

/// News about the record itself do not wait.
pub async fn a_mark_ends_a_wait<S: Subject>(subject: &mut S) {
    let lease = mark_and_claim(subject, &seat(1), noon()).await;
    written(
        subject,
        lease,
        wait_for(&account(1)),
        Effects::default(),
        noon(),
    )
    .await;
    mark(subject, &seat(1), noon_plus(1)).await;
    claim_one(subject, &seat(1), noon_plus(1)).await;
}

/// What the waiter read was older than the wake: it must look again.
pub async fn a_wake_between_claim_and_commit_is_not_lost<S: Subject>(subject: &mut S) {
    for (number, verdict) in [(1, wait_for(&account(1))), (2, stop(Some(&account(2))))] {
        let lease = mark_and_claim(subject, &seat(number), noon()).await;
        let awaited = account(number);
        done_with(subject, &awaited, waking(&awaited), noon_plus(1)).await;

        written(subject, lease, verdict, Effects::default(), noon_plus(2)).await;

        let again = claim_one(subject, &seat(number), noon_plus(2)).await;
        written(
            subject,
            again,
            Verdict::Done,
            Effects::default(),
            noon_plus(2),
        )
        .await;
    }
}

/// Results of one commit see each other's wakes in either order.
pub async fn a_wake_in_the_same_commit_is_not_lost<S: Subject>(subject: &mut S) {
    for waiter_first in [true, false] {
        let now = noon_plus(if waiter_first { 0 } else { 100 });
        let waiter = WorkResult {
            lease: mark_and_claim(subject, &seat(1), now).await,
            verdict: wait_for(&account(1)),
            effects: Effects::default(),
        };
        let waker = WorkResult {
            lease: mark_and_claim(subject, &account(1), now).await,
            verdict: Verdict::Done,
            effects: waking(&account(1)),
        };
        let results = if waiter_first {
            [waiter, waker]
        } else {
            [waker, waiter]
        };

        let committed = subject.store().commit(&results, now).await;

        assert_eq!(committed, Ok(vec![Committed::Written; 2]));
        let again = claim_one(subject, &seat(1), now).await;
        written(subject, again, Verdict::Done, Effects::default(), now).await;
    }
}

/// A key may be woken before any work of that name exists.
pub async fn a_wake_of_a_key_without_a_row_is_not_lost<S: Subject>(subject: &mut S) {
    let lease = mark_and_claim(subject, &seat(1), noon()).await;
    done_with(subject, &read_student(1), waking(&account(1)), noon()).await;
    written(
        subject,
        lease,
        wait_for(&account(1)),
        Effects::default(),
        noon(),
    )
    .await;
    claim_one(subject, &seat(1), noon()).await;
    assert_eq!(claim(subject, Lane::Account, noon_plus(60)).await, []);
}

/// However wakes and waits fall, a waiter that had not seen the wake is due in the end.
pub async fn concurrent_wakes_and_waits_leave_nobody_asleep<S: Subject>(subject: &mut S) {
    for round in 0..20 {
        let now = noon_plus(round);
        let mut commits = Vec::new();
        for number in 1..=4 {
            let waiter = WorkResult {
                lease: mark_and_claim(subject, &seat(number), now).await,
                verdict: wait_for(&account(1)),
                effects: Effects::default(),
            };
            commits.push(waiter);
        }
        commits.push(WorkResult {
            lease: mark_and_claim(subject, &account(1), now).await,
            verdict: Verdict::Done,
            effects: waking(&account(1)),
        });
        commits.rotate_left(usize::try_from(round % 5).unwrap_or(0));
        let commits = commits.into_iter().map(|result| {
            let store = subject.store();
            async move { store.commit(&[result], now).await }
        });

        let answers = join_all(commits).await;

        assert_eq!(answers, vec![Ok(vec![Committed::Written]); 5]);
        let due = claim(subject, Lane::Seat, now).await;
        assert_eq!(due.len(), 4, "somebody sleeps in round {round}");
        for lease in due {
            written(subject, lease, Verdict::Done, Effects::default(), now).await;
        }
    }
}

/// A wake of long ago does not make a waiter run for ever.
pub async fn an_old_wake_costs_at_most_one_look<S: Subject>(subject: &mut S) {
    done_with(subject, &account(1), waking(&account(1)), noon()).await;
    mark(subject, &seat(1), noon_plus(60)).await;
    let mut looks = 0;
    while let Some(lease) = claim(subject, Lane::Seat, noon_plus(60)).await.pop() {
        looks += 1;
        assert!(looks <= 2, "the waiter runs in circles");
        written(
            subject,
            lease,
            wait_for(&account(1)),
            Effects::default(),
            noon_plus(60),
        )
        .await;
    }
}

/// `waiting_since` is when the row began to wait, however often it looked meanwhile.
pub async fn the_first_wait_is_remembered_until_done<S: Subject>(subject: &mut S) {
    let student = WorkKey::new(Lane::Refresh(Entity::Students), zoho_id(1));
    let lease = mark_and_claim(subject, &seat(1), noon()).await;
    assert_eq!(lease.waiting_since, None);
    written(
        subject,
        lease,
        wait_for(&student),
        Effects::default(),
        noon_plus(1),
    )
    .await;
    let again = mark_and_claim(subject, &seat(1), noon_plus(50)).await;
    assert_eq!(again.waiting_since, Some(noon_plus(1)));
    written(
        subject,
        again,
        wait_for(&account(1)),
        Effects::default(),
        noon_plus(51),
    )
    .await;
    let third = mark_and_claim(subject, &seat(1), noon_plus(60)).await;
    assert_eq!(third.waiting_since, Some(noon_plus(1)));
    written(
        subject,
        third,
        Verdict::Done,
        Effects::default(),
        noon_plus(61),
    )
    .await;
    let fourth = mark_and_claim(subject, &seat(1), noon_plus(70)).await;
    assert_eq!(fourth.waiting_since, None);
}
