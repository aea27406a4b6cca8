//! Issues: open once, counted while open, resolved together with their work.

use chrono::{DateTime, Utc};
use mzi_domain::{Issue, IssueCode, WorkKey};

use super::data::Data;
use crate::views::{IssueFilter, IssueView};

pub(super) struct IssueRow {
    pub id: String,
    pub owner: IssueOwner,
    pub issue: Issue,
    pub count: i32,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
    pub open: bool,
}

/// What an issue belongs to.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum IssueOwner {
    Work(WorkKey),
    /// Something about a whole connection, by the name its reporter chose.
    Connection(String),
}

impl Data {
    /// Opens an issue, or counts the open one with the same owner and code.
    pub fn raise(&mut self, owner: IssueOwner, issue: &Issue, now: DateTime<Utc>) {
        let open = self
            .issues
            .iter_mut()
            .find(|row| row.open && row.owner == owner && row.issue.code == issue.code);
        if let Some(row) = open {
            row.count = row.count.saturating_add(1);
            row.last_seen = now;
            row.issue = issue.clone();
            return;
        }
        let id = self.next_id("issue");
        self.issues.push(IssueRow {
            id,
            owner,
            issue: issue.clone(),
            count: 1,
            first_seen: now,
            last_seen: now,
            open: true,
        });
    }

    /// Resolves the owner's open issues, except those with a code that still holds.
    pub fn resolve(&mut self, owner: &IssueOwner, except: &[IssueCode]) {
        for row in &mut self.issues {
            if row.owner == *owner && !except.contains(&row.issue.code) {
                row.open = false;
            }
        }
    }

    pub fn issue_views(&self, filter: &IssueFilter) -> Vec<IssueView> {
        let before = filter.before.as_ref();
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        self.issues
            .iter()
            .rev()
            .filter(|row| filter.open.is_none_or(|open| row.open == open))
            .filter(|row| before.is_none_or(|id| row.id < *id))
            .take(limit)
            .map(IssueRow::view)
            .collect()
    }
}

impl IssueRow {
    fn view(&self) -> IssueView {
        let key = match &self.owner {
            IssueOwner::Work(key) => Some(key),
            IssueOwner::Connection(_) => None,
        };
        let lane = key.map(|key| key.lane);
        let operation = lane.map(|lane| lane.name().to_owned());
        let subject = self.issue.subject.as_deref().unwrap_or_default();
        IssueView {
            id: self.id.clone(),
            fingerprint: format!(
                "{}/{}/{subject}",
                operation.as_deref().unwrap_or_default(),
                self.issue.code.word()
            ),
            entity: lane.map(|lane| lane.entity().key().to_owned()),
            zoho_id: key.map(|key| key.id.to_string()),
            operation,
            code: self.issue.code.word().to_owned(),
            message: self.issue.message.clone(),
            hint: self.issue.code.hint().to_owned(),
            count: self.count,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
        }
    }
}
