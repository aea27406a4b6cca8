//! A student becomes a Moodle user, or is linked to the one they already are.

use std::collections::HashMap;

use futures_util::{StreamExt, stream};
use mzi_domain::{
    Entity, Issue, IssueCode, Lane, MoodleUserId,
    account::{
        AccountDecision, AccountUpdate, Candidate, Candidates, ConfirmedAccount, DesiredAccount,
        Origin, decide_account,
    },
};
use mzi_ports::{
    LmsError,
    ledger::{Lease, Link, LinkKind, WorkResult},
    lms::{NewUser, UserKey, UserUpdate, refusal},
};

use super::{Deliver, DeliverError, PARALLEL, Task, confirmed, write_back};
use crate::failure;

type AccountTask = Task<DesiredAccount, ConfirmedAccount>;

impl Deliver {
    pub(super) async fn accounts(
        &self,
        leases: Vec<Lease>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let tasks = self.tasks(leases).await?;
        let mut results = tasks.settled;
        let (known, new): (Vec<AccountTask>, Vec<AccountTask>) = tasks
            .open
            .into_iter()
            .partition(|task| task.confirmed.is_some());
        results.extend(self.update_accounts(known).await?);
        if !new.is_empty() {
            results.extend(self.find_or_create(new).await?);
        }
        Ok(results)
    }

    async fn update_accounts(
        &self,
        tasks: Vec<AccountTask>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let mut results = Vec::new();
        let mut changes = Vec::new();
        for task in tasks {
            let Some(known) = task.confirmed else {
                continue;
            };
            let fields = AccountUpdate::between(&known, &task.desired);
            let account = ConfirmedAccount {
                account: task.desired,
                ..known
            };
            if fields.is_empty() {
                results.push(self.settled(task.lease, account, "unchanged"));
            } else {
                let update = UserUpdate {
                    id: account.user,
                    idnumber: None,
                    fields,
                };
                changes.push((task.lease, account, update, "updated"));
            }
        }
        results.extend(self.write_accounts(changes).await?);
        Ok(results)
    }

    async fn find_or_create(
        &self,
        tasks: Vec<AccountTask>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let found = self.look_up(&tasks).await?;
        let mut results = Vec::new();
        let mut changes = Vec::new();
        let mut missing = Vec::new();
        for task in tasks {
            let Task { lease, desired, .. } = task;
            match decide_account(&desired, &found.of(&desired), &self.policy.accounts) {
                Ok(AccountDecision::Create) => missing.push((lease, desired)),
                Ok(AccountDecision::Link(user)) => {
                    changes.push(linking(lease, desired, &user));
                }
                Ok(AccountDecision::Ours(user)) => match recognised(&lease, &desired, &user) {
                    (account, fields) if fields.is_empty() => {
                        results.push(self.settled(lease, account, "linked"));
                    }
                    (account, fields) => {
                        let update = UserUpdate {
                            id: account.user,
                            idnumber: None,
                            fields,
                        };
                        changes.push((lease, account, update, "updated"));
                    }
                },
                Err(issue) => results.push(failure::stopped(lease, issue)),
            }
        }
        results.extend(self.write_accounts(changes).await?);
        results.extend(self.create_accounts(missing).await);
        Ok(results)
    }

    /// Three look-ups for the whole batch, whatever its size.
    async fn look_up(&self, tasks: &[AccountTask]) -> Result<Directory, LmsError> {
        let values = |field: fn(&DesiredAccount) -> String| -> Vec<String> {
            tasks.iter().map(|task| field(&task.desired)).collect()
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

    async fn write_accounts(
        &self,
        changes: Vec<(Lease, ConfirmedAccount, UserUpdate, &'static str)>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let updates: Vec<UserUpdate> = changes
            .iter()
            .map(|(_, _, update, _)| update.clone())
            .collect();
        let outcomes = self.lms.update_users(&updates).await?;
        let results =
            changes
                .into_iter()
                .zip(outcomes)
                .map(|((lease, account, _, word), outcome)| match outcome {
                    Ok(()) => self.settled(lease, account, word),
                    Err(error) => self.account_failure(lease, &error),
                });
        Ok(results.collect())
    }

    async fn create_accounts(&self, missing: Vec<(Lease, DesiredAccount)>) -> Vec<WorkResult> {
        stream::iter(missing)
            .map(|(lease, desired)| async move {
                let auth = self.policy.accounts.auth.clone();
                // Looked up in bulk under this very lease.
                let new = NewUser {
                    account: desired.clone(),
                    auth,
                    checked: true,
                };
                match self.lms.create_user(&new).await {
                    Ok(user) => {
                        let account = ConfirmedAccount {
                            user,
                            origin: Origin::Created,
                            account: desired,
                        };
                        self.settled(lease, account, "created")
                    }
                    Err(error) => self.account_failure(lease, &error),
                }
            })
            .buffer_unordered(PARALLEL)
            .collect()
            .await
    }

    /// Known: linked, announced to whatever waits for it, and written back to Zoho.
    fn settled(
        &self,
        lease: Lease,
        account: ConfirmedAccount,
        outcome: &'static str,
    ) -> WorkResult {
        let id = lease.key.id.clone();
        let key = lease.key.clone();
        let mut result = confirmed(lease, &account, outcome);
        if result.effects.confirmed.is_some() {
            result.effects.link = Some(Link {
                kind: LinkKind::User,
                id: id.clone(),
                moodle_id: account.user.get(),
            });
            result.effects.wakes.push(key);
            result.effects.desired.extend(write_back::of(
                Entity::Students,
                &id,
                account.user.get(),
            ));
        }
        result
    }

    fn account_failure(&self, lease: Lease, error: &LmsError) -> WorkResult {
        let code = match error {
            LmsError::Rejected { code, .. } => match code.as_str() {
                refusal::USERNAME_TAKEN => Some(IssueCode::UsernameTaken),
                refusal::EMAIL_TAKEN => Some(IssueCode::EmailTaken),
                refusal::PROTECTED_USER => Some(IssueCode::AccountProtected),
                _ => None,
            },
            _ => None,
        };
        match code {
            Some(code) => failure::stopped(lease, Issue::new(code, error.to_string())),
            None => failure::result(error, lease, self.clock.now()),
        }
    }
}

/// What the look-ups of a batch found.
struct Directory {
    by_idnumber: HashMap<String, Vec<Candidate>>,
    by_username: HashMap<String, Vec<Candidate>>,
    by_email: HashMap<String, Vec<Candidate>>,
}

impl Directory {
    fn of(&self, desired: &DesiredAccount) -> Candidates {
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

fn grouped(
    users: Vec<Candidate>,
    key: impl Fn(&Candidate) -> String,
) -> HashMap<String, Vec<Candidate>> {
    let mut groups: HashMap<String, Vec<Candidate>> = HashMap::new();
    for user in users {
        groups.entry(key(&user)).or_default().push(user);
    }
    groups
}

/// A link sets the ID number and nothing else: the rest belongs to whoever made the account.
fn linking(
    lease: Lease,
    desired: DesiredAccount,
    user: &Candidate,
) -> (Lease, ConfirmedAccount, UserUpdate, &'static str) {
    let update = UserUpdate {
        id: user.id,
        idnumber: Some(desired.idnumber.to_string()),
        fields: AccountUpdate::default(),
    };
    let account = ConfirmedAccount {
        user: user.id,
        origin: Origin::Linked,
        account: desired,
    };
    (lease, account, update, "linked")
}

/// An account that carries the student's id: made by an attempt whose end we did not see if it
/// is just as we would have made it, otherwise found.
fn recognised(
    lease: &Lease,
    desired: &DesiredAccount,
    user: &Candidate,
) -> (ConfirmedAccount, AccountUpdate) {
    let as_found = DesiredAccount {
        idnumber: desired.idnumber.clone(),
        username: user.username.clone(),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
    };
    let ours = lease.fence > 1 && as_found == *desired;
    let origin = if ours {
        Origin::Created
    } else {
        Origin::Linked
    };
    let found = ConfirmedAccount {
        user: user.id,
        origin,
        account: as_found,
    };
    let fields = AccountUpdate::between(&found, desired);
    (
        ConfirmedAccount {
            account: desired.clone(),
            ..found
        },
        fields,
    )
}

/// The Moodle user behind a link.
pub(super) fn user_of(moodle_id: i64) -> Option<MoodleUserId> {
    MoodleUserId::new(moodle_id).ok()
}

/// The work whose end a seat waits for.
pub(super) const LANE: Lane = Lane::Account;
