//! Who has which natural key in Moodle, and what it means for a student that somebody has theirs.

use std::collections::HashMap;

use mzi_domain::{
    Issue, WorkKey, ZohoId,
    account::{Candidate, Candidates, DesiredAccount},
};
use mzi_ports::{
    LmsError,
    ledger::{Lease, Verdict, WorkResult},
    lms::UserKey,
};

use super::{Deliver, account::LANE};
use crate::failure;

/// What the look-ups of a batch found.
pub(super) struct Directory {
    by_idnumber: HashMap<String, Vec<Candidate>>,
    by_username: HashMap<String, Vec<Candidate>>,
    by_email: HashMap<String, Vec<Candidate>>,
}

impl Deliver {
    /// Three look-ups for the whole batch, whatever its size.
    pub(super) async fn look_up(
        &self,
        accounts: &[&DesiredAccount],
    ) -> Result<Directory, LmsError> {
        let values = |field: fn(&DesiredAccount) -> String| -> Vec<String> {
            accounts.iter().map(|account| field(account)).collect()
        };
        let idnumbers = values(|account| account.idnumber.to_string());
        let usernames = values(|account| account.username.clone());
        let emails = values(|account| account.email.clone());
        let by_idnumber = self.lms.users_by(UserKey::IdNumber, &idnumbers).await?;
        let by_username = self.lms.users_by(UserKey::Username, &usernames).await?;
        let by_email = self.lms.users_by(UserKey::Email, &emails).await?;
        Ok(Directory {
            by_idnumber: grouped(by_idnumber, |user| user.idnumber.clone()),
            by_username: grouped(by_username, |user| user.username.clone()),
            by_email: grouped(by_email, |user| user.email.to_lowercase()),
        })
    }
}

impl Directory {
    /// Whoever fits this student.
    pub(super) fn of(&self, desired: &DesiredAccount) -> Candidates {
        let all = |map: &HashMap<String, Vec<Candidate>>, key: &str| {
            map.get(key).cloned().unwrap_or_default()
        };
        Candidates {
            by_idnumber: all(&self.by_idnumber, desired.idnumber.as_str()),
            by_username: all(&self.by_username, &desired.username),
            by_email: all(&self.by_email, &desired.email.to_lowercase()),
        }
    }
}

/// Users by one of their keys.
pub(super) fn grouped(
    users: Vec<Candidate>,
    key: impl Fn(&Candidate) -> String,
) -> HashMap<String, Vec<Candidate>> {
    let mut groups: HashMap<String, Vec<Candidate>> = HashMap::new();
    for user in users {
        groups.entry(key(&user)).or_default().push(user);
    }
    groups
}

/// Somebody else who has the desired username or address.
pub(super) fn holder(desired: &DesiredAccount, found: &Candidates) -> Option<Candidate> {
    let mut others = found.by_username.iter().chain(&found.by_email);
    others
        .find(|user| user.idnumber != desired.idnumber.as_str())
        .cloned()
}

/// A person must look; if the holder is a student of ours, what becomes of them is worth a look
/// too.
pub(super) fn stopped_by(lease: Lease, issue: Issue, holder: Option<&Candidate>) -> WorkResult {
    let on = holder
        .and_then(|holder| ZohoId::parse(&holder.idnumber).ok())
        .map(|id| WorkKey::new(LANE, id));
    let stopped = failure::stopped(lease, issue.clone());
    WorkResult {
        verdict: Verdict::Stopped { issue, on },
        ..stopped
    }
}

/// Both sides of a clash, for whoever compares them.
pub(super) fn both_named(desired: &DesiredAccount, holder: &Candidate) -> String {
    let idnumber = if holder.idnumber.trim().is_empty() {
        "has no ID number".to_owned()
    } else {
        format!("belongs to ID number {}", holder.idnumber)
    };
    format!(
        "In Zoho: {} {} ({}). In Moodle: {} {} (user {}, {}), which {idnumber}.",
        desired.first_name,
        desired.last_name,
        desired.username,
        holder.first_name,
        holder.last_name,
        holder.id,
        holder.username
    )
}
