//! A student becomes a Moodle user, or is linked to the one they already are.

use futures_util::{StreamExt, stream};
use mzi_domain::{
    Entity, Issue, IssueCode, Lane, MoodleUserId,
    account::{
        AccountDecision, AccountUpdate, Candidate, Candidates, ConfirmedAccount, DesiredAccount,
        Origin, decide_account,
    },
};
use mzi_ports::{
    LmsError, Retry,
    ledger::{Lease, Link, LinkKind, WorkResult},
    lms::{NewUser, UserKey, UserUpdate, refusal},
};
use serde::{Deserialize, Serialize};

use super::{
    Deliver, DeliverError, PARALLEL, Task, confirmed,
    directory::{both_named, grouped, holder, stopped_by},
    write_back,
};
use crate::failure;

/// What is known of a student's account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Known {
    /// What it is.
    Account(ConfirmedAccount),
    /// Whether making it was begun and its end was not seen: then an account with the student's
    /// ID number is the bridge's own, otherwise it was found.
    Begun { begun: bool },
}

/// A change that is to be made to a known account.
struct Change {
    lease: Lease,
    account: ConfirmedAccount,
    update: UserUpdate,
    word: &'static str,
}

impl Deliver {
    pub(super) async fn accounts(
        &self,
        leases: Vec<Lease>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let tasks = self.tasks(leases).await?;
        let mut results = tasks.settled;
        let (mut known, mut new, mut begun) = (Vec::new(), Vec::new(), Vec::new());
        for task in tasks.open {
            let Task {
                lease,
                desired,
                confirmed,
            } = task;
            match confirmed {
                Some(Known::Account(account)) => known.push((lease, desired, account)),
                Some(Known::Begun { begun: true }) => begun.push((lease, desired)),
                Some(Known::Begun { begun: false }) | None => new.push((lease, desired)),
            }
        }
        results.extend(self.update_accounts(known).await?);
        results.extend(self.find_accounts(new).await?);
        results.extend(self.make_accounts(begun).await?);
        Ok(results)
    }

    async fn update_accounts(
        &self,
        tasks: Vec<(Lease, DesiredAccount, ConfirmedAccount)>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        let mut results = Vec::new();
        let mut changes = Vec::new();
        for (lease, desired, known) in tasks {
            match self.agree(lease, known, desired, "unchanged") {
                Ok(settled) => results.push(settled),
                Err(change) => changes.push(*change),
            }
        }
        results.extend(self.write_accounts(changes).await?);
        Ok(results)
    }

    /// Settled if the account agrees with what is desired, else the change it takes.
    fn agree(
        &self,
        lease: Lease,
        known: ConfirmedAccount,
        desired: DesiredAccount,
        word: &'static str,
    ) -> Result<WorkResult, Box<Change>> {
        let fields = AccountUpdate::between(&known, &desired);
        let account = ConfirmedAccount {
            account: desired,
            ..known
        };
        if fields.is_empty() {
            return Ok(self.settled(lease, account, word));
        }
        let update = UserUpdate {
            id: account.user,
            idnumber: None,
            fields,
        };
        Err(Box::new(Change {
            lease,
            account,
            update,
            word: "updated",
        }))
    }

    /// Students of whose account nothing is known: it is found, linked, or begun.
    async fn find_accounts(
        &self,
        tasks: Vec<(Lease, DesiredAccount)>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let desired: Vec<&DesiredAccount> = tasks.iter().map(|(_, desired)| desired).collect();
        let found = self.look_up(&desired).await?;
        let mut results = Vec::new();
        let mut changes = Vec::new();
        for (lease, desired) in tasks {
            let candidates = found.of(&desired);
            match decide_account(&desired, &candidates, &self.policy.accounts) {
                Ok(AccountDecision::Create) => results.push(begin(lease)),
                Ok(AccountDecision::Link(user)) => changes.push(linking(lease, desired, &user)),
                Ok(AccountDecision::Ours(user)) => {
                    let known = as_found(&desired, &user, Origin::Linked);
                    match self.agree(lease, known, desired, "linked") {
                        Ok(settled) => results.push(settled),
                        Err(change) => changes.push(*change),
                    }
                }
                Err(issue) => {
                    let holder = holder(&desired, &candidates);
                    results.push(stopped_by(lease, issue, holder.as_ref()));
                }
            }
        }
        results.extend(self.write_accounts(changes).await?);
        Ok(results)
    }

    /// Accounts that were begun: made by an attempt whose end was not seen, or to be made now.
    async fn make_accounts(
        &self,
        tasks: Vec<(Lease, DesiredAccount)>,
    ) -> Result<Vec<WorkResult>, DeliverError> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let idnumbers: Vec<String> = tasks
            .iter()
            .map(|(_, desired)| desired.idnumber.to_string())
            .collect();
        let found = self.lms.users_by(UserKey::IdNumber, &idnumbers).await?;
        let found = grouped(found, |user| user.idnumber.clone());
        let mut results = Vec::new();
        let mut changes = Vec::new();
        let mut missing = Vec::new();
        for (lease, desired) in tasks {
            let candidates = Candidates {
                by_idnumber: found
                    .get(desired.idnumber.as_str())
                    .cloned()
                    .unwrap_or_default(),
                ..Candidates::default()
            };
            match decide_account(&desired, &candidates, &self.policy.accounts) {
                Ok(AccountDecision::Ours(user)) => {
                    let known = as_found(&desired, &user, Origin::Created);
                    match self.agree(lease, known, desired, "created") {
                        Ok(settled) => results.push(settled),
                        Err(change) => changes.push(*change),
                    }
                }
                Ok(_) => missing.push((lease, desired)),
                Err(issue) => results.push(failure::stopped(lease, issue)),
            }
        }
        results.extend(self.write_accounts(changes).await?);
        results.extend(self.create_accounts(missing).await);
        Ok(results)
    }

    async fn write_accounts(&self, changes: Vec<Change>) -> Result<Vec<WorkResult>, DeliverError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let updates: Vec<UserUpdate> = changes.iter().map(|change| change.update.clone()).collect();
        let outcomes = self.lms.update_users(&updates).await?;
        let mut results = Vec::with_capacity(outcomes.len());
        for (change, outcome) in changes.into_iter().zip(outcomes) {
            let Change {
                lease,
                account,
                word,
                ..
            } = change;
            results.push(match outcome {
                Ok(()) => self.settled(lease, account, word),
                Err(error) => self.refused(lease, &account.account, &error).await,
            });
        }
        Ok(results)
    }

    async fn create_accounts(&self, missing: Vec<(Lease, DesiredAccount)>) -> Vec<WorkResult> {
        stream::iter(missing)
            .map(|(lease, desired)| async move {
                let auth = self.policy.accounts.auth.clone();
                // Looked up in bulk when it was begun, and by ID number under this very lease.
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
                    Err(error) => self.not_created(lease, &desired, &error).await,
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

    /// A clean refusal takes the note back: whoever has the ID number later was not made by us.
    async fn not_created(
        &self,
        lease: Lease,
        desired: &DesiredAccount,
        error: &LmsError,
    ) -> WorkResult {
        let noted = confirmed(lease.clone(), &Known::Begun { begun: false }, "refused");
        let result = self.refused(lease, desired, error).await;
        if error.retry() != Retry::Never {
            return result;
        }
        WorkResult {
            effects: noted.effects,
            ..result
        }
    }

    async fn refused(
        &self,
        lease: Lease,
        desired: &DesiredAccount,
        error: &LmsError,
    ) -> WorkResult {
        let LmsError::Rejected { code, .. } = error else {
            return failure::result(error, lease, self.clock.now());
        };
        let code = match code.as_str() {
            refusal::USERNAME_TAKEN => IssueCode::UsernameTaken,
            refusal::EMAIL_TAKEN => IssueCode::EmailTaken,
            refusal::PROTECTED_USER => {
                let issue = Issue::new(IssueCode::AccountProtected, error.to_string());
                return failure::stopped(lease, issue);
            }
            _ => return failure::result(error, lease, self.clock.now()),
        };
        // Moodle says that it is taken, not by whom.
        let holder = match self.look_up(&[desired]).await {
            Ok(found) => holder(desired, &found.of(desired)),
            Err(_) => None,
        };
        let message = holder
            .as_ref()
            .map_or_else(|| error.to_string(), |holder| both_named(desired, holder));
        stopped_by(lease, Issue::new(code, message), holder.as_ref())
    }
}

/// Done for now: the beginning is noted, and the same work is due again.
fn begin(lease: Lease) -> WorkResult {
    let key = lease.key.clone();
    let mut result = confirmed(lease, &Known::Begun { begun: true }, "begun");
    result.effects.marks.push(key);
    result
}

/// A link sets the ID number and nothing else: the rest belongs to whoever made the account.
fn linking(lease: Lease, desired: DesiredAccount, user: &Candidate) -> Change {
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
    Change {
        lease,
        account,
        update,
        word: "linked",
    }
}

/// The account that carries the student's id, as Moodle shows it.
fn as_found(desired: &DesiredAccount, user: &Candidate, origin: Origin) -> ConfirmedAccount {
    ConfirmedAccount {
        user: user.id,
        origin,
        account: DesiredAccount {
            idnumber: desired.idnumber.clone(),
            username: user.username.clone(),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
        },
    }
}

/// The Moodle user behind a link.
pub(super) fn user_of(moodle_id: i64) -> Option<MoodleUserId> {
    MoodleUserId::new(moodle_id).ok()
}

/// The work whose end a seat waits for.
pub(super) const LANE: Lane = Lane::Account;
