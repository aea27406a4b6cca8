//! Promises of [`Ledger::commit`](crate::Ledger::commit) about desired states and links.

use mzi_domain::{Entity, IssueCode, Lane, WorkKey};

use super::{
    Subject,
    samples::{
        account, claim, claim_one, commit, created, done_with, mark_and_claim, noon, noon_plus,
        open_issues, read_student, stop, texts, written, zoho_id,
    },
};
use crate::{
    Ledger,
    ledger::{Committed, ConfirmedState, DesiredState, Effects, Link, LinkKind, State, Verdict},
};

fn desiring(key: &WorkKey, desired: &str) -> Effects {
    Effects {
        desired: vec![DesiredState {
            key: key.clone(),
            desired: desired.to_owned(),
        }],
        ..Effects::default()
    }
}

fn confirming(confirmed: &str) -> Effects {
    Effects {
        confirmed: Some(ConfirmedState {
            confirmed: confirmed.to_owned(),
            outcome: "created",
        }),
        ..Effects::default()
    }
}

fn linking(number: u64, moodle_id: i64) -> Effects {
    Effects {
        link: Some(user_link(number, moodle_id)),
        ..Effects::default()
    }
}

fn user_link(number: u64, moodle_id: i64) -> Link {
    Link {
        kind: LinkKind::User,
        id: zoho_id(number),
        moodle_id,
    }
}

async fn states<S: Subject>(subject: &S, key: &WorkKey) -> Vec<State> {
    let states = subject.store().states(std::slice::from_ref(key)).await;
    states.unwrap_or_else(|reason| panic!("{reason}"))
}

async fn links<S: Subject>(subject: &S, kind: LinkKind, numbers: &[u64]) -> Vec<Link> {
    let ids: Vec<_> = numbers.iter().copied().map(zoho_id).collect();
    let links = subject.store().links(kind, &ids).await;
    let mut links = links.unwrap_or_else(|reason| panic!("{reason}"));
    links.sort_by(|left, right| left.id.cmp(&right.id));
    links
}

/// A desired state marks its own work row dirty.
pub async fn a_new_desired_state_makes_its_work_due<S: Subject>(subject: &mut S) {
    let wanted = desiring(&account(1), "{\"a\":1}");
    done_with(subject, &read_student(1), wanted, noon()).await;

    claim_one(subject, &account(1), noon()).await;
    let expected = State {
        key: account(1),
        desired: "{\"a\":1}".into(),
        confirmed: None,
    };
    assert_eq!(states(subject, &account(1)).await, [expected]);
    assert_eq!(states(subject, &account(2)).await, []);
}

/// What is wanted already asks for nothing.
pub async fn an_equal_desired_state_marks_nothing<S: Subject>(subject: &mut S) {
    done_with(
        subject,
        &read_student(1),
        desiring(&account(1), "1"),
        noon(),
    )
    .await;
    let lease = claim_one(subject, &account(1), noon()).await;
    written(subject, lease, Verdict::Done, Effects::default(), noon()).await;
    done_with(
        subject,
        &read_student(1),
        desiring(&account(1), "1"),
        noon(),
    )
    .await;
    assert_eq!(claim(subject, Lane::Account, noon_plus(1)).await, []);
}

/// A change is delivered, also one that comes while the former is being delivered.
pub async fn a_changed_desired_state_marks_again<S: Subject>(subject: &mut S) {
    done_with(
        subject,
        &read_student(1),
        desiring(&account(1), "1"),
        noon(),
    )
    .await;
    let lease = claim_one(subject, &account(1), noon()).await;
    done_with(
        subject,
        &read_student(1),
        desiring(&account(1), "2"),
        noon(),
    )
    .await;
    written(subject, lease, Verdict::Done, confirming("1"), noon()).await;

    claim_one(subject, &account(1), noon()).await;
    let expected = State {
        key: account(1),
        desired: "2".into(),
        confirmed: Some("1".into()),
    };
    assert_eq!(states(subject, &account(1)).await, [expected]);
}

/// A read that finds the same again is a reason to retry what a person may have repaired.
pub async fn an_equal_desired_state_marks_a_stopped_row<S: Subject>(subject: &mut S) {
    done_with(
        subject,
        &read_student(1),
        desiring(&account(1), "1"),
        noon(),
    )
    .await;
    let lease = claim_one(subject, &account(1), noon()).await;
    written(subject, lease, stop(None), Effects::default(), noon()).await;
    done_with(
        subject,
        &read_student(1),
        desiring(&account(1), "1"),
        noon(),
    )
    .await;
    claim_one(subject, &account(1), noon()).await;
}

/// What the other side is now known to be like.
pub async fn a_confirmed_state_stands_beside_the_desired_one<S: Subject>(subject: &mut S) {
    done_with(
        subject,
        &read_student(1),
        desiring(&account(1), "1"),
        noon(),
    )
    .await;
    for confirmed in ["\"first\"", "\"second\""] {
        done_with(subject, &account(1), confirming(confirmed), noon()).await;
        let expected = State {
            key: account(1),
            desired: "1".into(),
            confirmed: Some(confirmed.into()),
        };
        assert_eq!(states(subject, &account(1)).await, [expected]);
    }
}

/// Work that nobody desired by a state can still confirm one; `null` is then what is desired.
pub async fn a_confirmed_state_without_a_desired_one_is_kept<S: Subject>(subject: &mut S) {
    let key = WorkKey::new(Lane::WriteBack(Entity::Students), zoho_id(1));
    done_with(subject, &key, confirming("7"), noon()).await;
    let expected = State {
        key: key.clone(),
        desired: "null".into(),
        confirmed: Some("7".into()),
    };
    assert_eq!(states(subject, &key).await, [expected]);
    done_with(subject, &read_student(1), desiring(&key, "null"), noon()).await;
    assert_eq!(claim(subject, key.lane, noon()).await, []);
}

/// A record has at most one Moodle id.
pub async fn a_link_is_found_and_may_change<S: Subject>(subject: &mut S) {
    done_with(subject, &account(1), linking(1, 41), noon()).await;
    done_with(subject, &account(2), linking(2, 42), noon()).await;
    let both = [user_link(1, 41), user_link(2, 42)];
    assert_eq!(links(subject, LinkKind::User, &[1, 2, 3]).await, both);
    assert_eq!(links(subject, LinkKind::Course, &[1, 2]).await, []);

    done_with(subject, &account(1), linking(1, 43), noon()).await;
    assert_eq!(
        links(subject, LinkKind::User, &[1]).await,
        [user_link(1, 43)]
    );
    // The id that was given up is free again.
    done_with(subject, &account(3), linking(3, 41), noon()).await;
}

/// A Moodle id has at most one record: nothing of the second claim is written but an issue.
pub async fn a_taken_link_writes_nothing_but_an_issue<S: Subject>(subject: &mut S) {
    done_with(subject, &account(1), linking(1, 41), noon()).await;
    let lease = mark_and_claim(subject, &account(2), noon()).await;
    let effects = Effects {
        record: Some(created(
            Entity::Students,
            2,
            texts(&[("first_name", "Lina")]),
        )),
        confirmed: confirming("1").confirmed,
        marks: vec![WorkKey::new(Lane::Seat, zoho_id(2))],
        ..linking(2, 41)
    };

    let committed = commit(subject, lease, Verdict::Done, effects, noon()).await;

    assert_eq!(committed, Committed::LinkTaken);
    assert_eq!(
        links(subject, LinkKind::User, &[1, 2]).await,
        [user_link(1, 41)]
    );
    let held = subject
        .store()
        .stored(Entity::Students, &[zoho_id(2)])
        .await;
    assert_eq!(held, Ok(vec![]));
    assert_eq!(
        subject.history(Entity::Students, &zoho_id(2)).await,
        [""; 0]
    );
    assert_eq!(states(subject, &account(2)).await, []);
    assert_eq!(claim(subject, Lane::Seat, noon_plus(60)).await, []);
    assert_eq!(claim(subject, Lane::Account, noon_plus(600)).await, []);
    let issues = open_issues(subject).await;
    let seen: Vec<_> = issues
        .iter()
        .map(|issue| (issue.code.as_str(), issue.zoho_id.clone()))
        .collect();
    let id = zoho_id(2).to_string();
    assert_eq!(seen, [(IssueCode::LinkTaken.word(), Some(id))]);
    for side in ["41", zoho_id(1).as_str()] {
        assert!(issues.iter().all(|issue| issue.message.contains(side)));
    }
}

/// Confirming one's own link is no conflict; nor is the same number of another kind.
pub async fn the_same_link_again_is_no_conflict<S: Subject>(subject: &mut S) {
    done_with(subject, &account(1), linking(1, 41), noon()).await;
    done_with(subject, &account(1), linking(1, 41), noon()).await;
    let course = Effects {
        link: Some(Link {
            kind: LinkKind::Course,
            ..user_link(2, 41)
        }),
        ..Effects::default()
    };
    let key = WorkKey::new(Lane::Course, zoho_id(2));
    done_with(subject, &key, course, noon()).await;
    assert_eq!(links(subject, LinkKind::Course, &[2]).await.len(), 1);
}
