//! Promises about issues.

use mzi_domain::{Issue, IssueCode, Lane, WorkKey};

use super::{
    Subject,
    samples::{
        account, done_with, mark_and_claim, noon, noon_plus, open_issues, stop, written, zoho_id,
    },
};
use crate::{
    Ledger, Views,
    ledger::{Effects, Verdict},
    views::{IssueFilter, IssueView},
};

async fn stop_at<S: Subject>(subject: &S, key: &WorkKey, second: i64) {
    let lease = mark_and_claim(subject, key, noon_plus(second)).await;
    written(
        subject,
        lease,
        stop(None),
        Effects::default(),
        noon_plus(second),
    )
    .await;
}

fn misfit() -> Issue {
    Issue::new(IssueCode::BadValue, "Not a date.").about("date_of_birth")
}

fn codes(issues: &[IssueView]) -> Vec<&str> {
    issues.iter().map(|issue| issue.code.as_str()).collect()
}

/// A person must see it: what, about which record, and what to do.
pub async fn a_stopped_row_opens_an_issue<S: Subject>(subject: &mut S) {
    stop_at(subject, &account(1), 5).await;

    let issues = open_issues(subject).await;

    let [issue] = issues.as_slice() else {
        panic!("expected one issue, got {issues:?}")
    };
    assert_eq!(issue.entity.as_deref(), Some("students"));
    assert_eq!(issue.zoho_id.as_deref(), Some(zoho_id(1).as_str()));
    assert_eq!(issue.operation.as_deref(), Some(Lane::Account.name()));
    assert_eq!(issue.code, IssueCode::MissingEmail.word());
    assert_eq!(issue.message, "No address.");
    assert_eq!(issue.hint, IssueCode::MissingEmail.hint());
    assert_eq!(issue.count, 1);
    assert_eq!(
        (issue.first_seen, issue.last_seen),
        (noon_plus(5), noon_plus(5))
    );
}

/// MUST count an issue that is open already instead of opening another.
pub async fn an_open_issue_is_counted_not_repeated<S: Subject>(subject: &mut S) {
    stop_at(subject, &account(1), 0).await;
    stop_at(subject, &account(1), 60).await;

    let issues = open_issues(subject).await;

    let seen: Vec<_> = issues
        .iter()
        .map(|issue| (issue.count, issue.first_seen, issue.last_seen))
        .collect();
    assert_eq!(seen, [(2, noon(), noon_plus(60))]);
}

/// MUST resolve the open issues of a work row that is settled as done.
pub async fn done_resolves_the_issues_of_its_row_only<S: Subject>(subject: &mut S) {
    stop_at(subject, &account(1), 0).await;
    stop_at(subject, &account(2), 1).await;
    stop_at(subject, &WorkKey::new(Lane::Seat, zoho_id(1)), 2).await;

    done_with(subject, &account(1), Effects::default(), noon_plus(3)).await;

    let left: Vec<_> = open_issues(subject)
        .await
        .into_iter()
        .map(|issue| (issue.operation, issue.zoho_id))
        .collect();
    let expected = [
        (Some("seat".to_owned()), Some(zoho_id(1).to_string())),
        (Some("account".to_owned()), Some(zoho_id(2).to_string())),
    ];
    assert_eq!(left, expected);
    let resolved = IssueFilter {
        open: Some(false),
        before: None,
        limit: 10,
    };
    let resolved = subject.store().issues(&resolved).await;
    assert_eq!(resolved.map(|issues| issues.len()), Ok(1));
}

/// Things a person should see although the work itself went well stay open.
pub async fn done_keeps_the_issues_it_raises_itself<S: Subject>(subject: &mut S) {
    stop_at(subject, &account(1), 0).await;
    let effects = || Effects {
        issues: vec![misfit()],
        ..Effects::default()
    };
    done_with(subject, &account(1), effects(), noon_plus(1)).await;
    assert_eq!(codes(&open_issues(subject).await), ["bad_value"]);

    done_with(subject, &account(1), effects(), noon_plus(2)).await;
    let counts: Vec<_> = open_issues(subject)
        .await
        .iter()
        .map(|issue| issue.count)
        .collect();
    assert_eq!(counts, [2]);

    done_with(subject, &account(1), Effects::default(), noon_plus(3)).await;
    assert_eq!(open_issues(subject).await, []);
}

/// What comes back after it was resolved is a new issue.
pub async fn a_resolved_issue_is_opened_anew<S: Subject>(subject: &mut S) {
    stop_at(subject, &account(1), 0).await;
    let before = open_issues(subject).await;
    done_with(subject, &account(1), Effects::default(), noon_plus(1)).await;
    stop_at(subject, &account(1), 2).await;

    let after = open_issues(subject).await;

    assert_eq!(after.len(), 1);
    assert_ne!(before.first().map(|i| &i.id), after.first().map(|i| &i.id));
    assert_eq!(after.first().map(|issue| issue.count), Some(1));
}

/// The fingerprint groups issues with the same cause, whichever record they are about.
pub async fn issues_share_a_fingerprint_by_cause<S: Subject>(subject: &mut S) {
    stop_at(subject, &account(1), 0).await;
    stop_at(subject, &account(2), 1).await;
    let lease = mark_and_claim(subject, &account(3), noon_plus(2)).await;
    let other = Verdict::Stopped {
        issue: Issue::new(IssueCode::MissingEmail, "No address.").about("personal_email"),
        on: None,
    };
    written(subject, lease, other, Effects::default(), noon_plus(2)).await;

    let prints: Vec<_> = open_issues(subject)
        .await
        .into_iter()
        .map(|issue| issue.fingerprint)
        .collect();

    let [third, second, first] = prints.as_slice() else {
        panic!("expected three, got {prints:?}")
    };
    assert_eq!(first, second);
    assert_ne!(second, third);
}

/// Newest first, a page at a time.
pub async fn issues_are_listed_newest_first_in_pages<S: Subject>(subject: &mut S) {
    for number in 1..=5 {
        let second = i64::try_from(number).unwrap_or(0);
        stop_at(subject, &account(number), second).await;
    }
    let mut filter = IssueFilter {
        open: None,
        before: None,
        limit: 2,
    };
    let mut seen = Vec::new();
    loop {
        let page = subject.store().issues(&filter).await;
        let page = page.unwrap_or_else(|reason| panic!("{reason}"));
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        filter.before = Some(last.id.clone());
        seen.extend(page.into_iter().filter_map(|issue| issue.zoho_id));
    }
    let expected: Vec<_> = [5, 4, 3, 2, 1].map(|n| zoho_id(n).to_string()).into();
    assert_eq!(seen, expected);
}

/// An issue that belongs to no work row.
pub async fn a_connection_issue_is_opened_counted_and_closed<S: Subject>(subject: &mut S) {
    let refused = Issue::new(
        IssueCode::ConnectionRefused,
        "Zoho refuses the credentials.",
    );
    let store = subject.store();
    for second in [0, 60] {
        let opened = store
            .connection_issue("zoho", Some(&refused), noon_plus(second))
            .await;
        assert_eq!(opened, Ok(()));
    }
    let other = store
        .connection_issue("moodle", Some(&refused), noon_plus(61))
        .await;
    assert_eq!(other, Ok(()));

    let seen: Vec<_> = open_issues(subject)
        .await
        .into_iter()
        .map(|issue| (issue.entity, issue.zoho_id, issue.count))
        .collect();
    assert_eq!(seen, [(None, None, 1), (None, None, 2)]);

    let closed = store.connection_issue("zoho", None, noon_plus(120)).await;
    assert_eq!(closed, Ok(()));
    assert_eq!(open_issues(subject).await.len(), 1);
}
