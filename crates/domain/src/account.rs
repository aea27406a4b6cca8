//! A student's Moodle user: what it should be, and which user, if any, it already is.

use serde::{Deserialize, Serialize};

use crate::{
    columns::Values,
    ids::{MoodleUserId, ZohoId},
    issue::{Issue, IssueCode},
    text::{clipped, non_blank},
};

/// Moodle's own limit for names and e-mail addresses (`create_users_firstname_too_long`).
const NAME_LIMIT: usize = 100;

/// Which of a student's e-mail addresses Moodle gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailChoice {
    /// The address of the institution.
    Academic,
    /// The student's own.
    Personal,
}

/// Settings that shape Moodle users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPolicy {
    /// Whether missing users are created, or only existing ones linked.
    pub create: bool,
    /// Moodle's authentication plugin for new users: `manual`, `oidc`, …
    pub auth: String,
    /// Which e-mail address is used.
    pub email: EmailChoice,
}

/// What a student's Moodle user should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredAccount {
    /// The student's id in Zoho, kept in the user's ID number.
    pub idnumber: ZohoId,
    /// Lower case, `[a-z0-9._@-]` only.
    pub username: String,
    /// The chosen address.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
}

impl DesiredAccount {
    /// Reads it off the student's values, or says what is missing.
    pub fn plan(id: &ZohoId, student: &Values, policy: &AccountPolicy) -> Result<Self, Issue> {
        let email = chosen_email(student, policy.email)?;
        let (first_name, last_name) = names(student)?;
        let mapped = student.text("username").unwrap_or(&email);
        let username = moodle_username(mapped);
        if username.is_empty() {
            let message = "Nothing is left of the username after removing what Moodle refuses.";
            return Err(Issue::new(IssueCode::MissingUsername, message).about("username"));
        }
        Ok(Self {
            idnumber: id.clone(),
            username,
            email,
            first_name,
            last_name,
        })
    }
}

/// A Moodle user as a look-up returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Moodle's id of the user.
    pub id: MoodleUserId,
    /// Its log-in name.
    pub username: String,
    /// Its e-mail address.
    pub email: String,
    /// Its ID number; empty if nobody set one.
    pub idnumber: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
}

impl Candidate {
    /// The guest user, which is never a person (`mdl_user.id` 1).
    fn is_guest(&self) -> bool {
        self.id.get() == 1 || self.username == "guest"
    }

    fn is_named(&self) -> String {
        format!(
            "{} {} (user {}, {})",
            self.first_name, self.last_name, self.id, self.username
        )
    }
}

/// Users that fit a student, by each of the three natural keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Users whose ID number is the student's id.
    pub by_idnumber: Vec<Candidate>,
    /// Users with the desired username.
    pub by_username: Vec<Candidate>,
    /// Users with the desired e-mail address.
    pub by_email: Vec<Candidate>,
}

/// What to do about a student's Moodle user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountDecision {
    /// This user carries the student's id already.
    Ours(Candidate),
    /// This user fits and belongs to nobody: give it the student's id.
    Link(Candidate),
    /// Nobody fits: create.
    Create,
}

/// Finds the student's user: by ID number, then username, then e-mail.
///
/// A user is linked only if its ID number is empty and it is not the guest; a site administrator
/// is refused by Moodle when the ID number is set (`usernotupdatedadmin`).
pub fn decide_account(
    desired: &DesiredAccount,
    found: &Candidates,
    policy: &AccountPolicy,
) -> Result<AccountDecision, Issue> {
    if let Some(ours) = single(&found.by_idnumber, "ID number")? {
        return Ok(AccountDecision::Ours(ours.clone()));
    }
    if let Some(user) = single(&found.by_username, "username")? {
        return linked(desired, user, IssueCode::UsernameTaken);
    }
    if let Some(user) = single(&found.by_email, "e-mail address")? {
        return linked(desired, user, IssueCode::EmailTaken);
    }
    if policy.create {
        return Ok(AccountDecision::Create);
    }
    let message = format!("No Moodle user has the username {}.", desired.username);
    Err(Issue::new(IssueCode::AccountNotAllowed, message))
}

/// How an account came to be ours, which decides what we may overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The bridge created it.
    Created,
    /// It existed, and the bridge linked it.
    Linked,
}

/// What a student's Moodle user is known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedAccount {
    /// Moodle's id.
    pub user: MoodleUserId,
    /// How it came to be ours.
    pub origin: Origin,
    /// The state we last wrote, or found in full agreement.
    pub account: DesiredAccount,
}

/// The fields to change; nothing means they agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountUpdate {
    /// New username.
    pub username: Option<String>,
    /// New e-mail address.
    pub email: Option<String>,
    /// New given name.
    pub first_name: Option<String>,
    /// New family name.
    pub last_name: Option<String>,
}

impl AccountUpdate {
    /// What must change so that `confirmed` becomes `desired`.
    ///
    /// Username and e-mail of a linked account are somebody else's and stay as they are.
    pub fn between(confirmed: &ConfirmedAccount, desired: &DesiredAccount) -> Self {
        let own = confirmed.origin == Origin::Created;
        let known = &confirmed.account;
        let differing = |old: &str, new: &str| (old != new).then(|| new.to_owned());
        Self {
            username: differing(&known.username, &desired.username).filter(|_| own),
            email: differing(&known.email, &desired.email).filter(|_| own),
            first_name: differing(&known.first_name, &desired.first_name),
            last_name: differing(&known.last_name, &desired.last_name),
        }
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A username Moodle accepts: lower case, and nothing outside `[a-z0-9._@-]`.
///
/// Moodle refuses capitals instead of folding them (`create_users_username_uppercase`).
pub fn moodle_username(raw: &str) -> String {
    let kept = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(*c);
    clipped(
        &raw.to_lowercase().chars().filter(kept).collect::<String>(),
        NAME_LIMIT,
    )
}

/// A cheap check that refuses what is certainly no address; Moodle has the last word.
pub fn is_plausible_email(raw: &str) -> bool {
    let Some((local, domain)) = raw.rsplit_once('@') else {
        return false;
    };
    let spaced = raw.chars().any(|c| c.is_whitespace() || c.is_control());
    !local.is_empty()
        && !spaced
        && raw.chars().count() <= NAME_LIMIT
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}

fn chosen_email(student: &Values, choice: EmailChoice) -> Result<String, Issue> {
    let column = match choice {
        EmailChoice::Academic => "academic_email",
        EmailChoice::Personal => "personal_email",
    };
    match student.text(column) {
        Some(email) if is_plausible_email(email) => Ok(email.to_owned()),
        Some(_) => {
            let message = "The student's e-mail address is not one Moodle would accept.";
            Err(Issue::new(IssueCode::MissingEmail, message).about(column))
        }
        None => {
            let message = "The student has no e-mail address, so no Moodle account can be made.";
            Err(Issue::new(IssueCode::MissingEmail, message).about(column))
        }
    }
}

/// First and last name; a blank one is taken from the display name.
fn names(student: &Values) -> Result<(String, String), Issue> {
    let display = student.text("display_name").and_then(non_blank);
    let mut words = display.unwrap_or_default().split_whitespace();
    let head = words.next();
    let tail = words.collect::<Vec<_>>().join(" ");
    let tail = non_blank(&tail).or(head);
    let first = student.text("first_name").or(head);
    let last = student.text("last_name").or(tail);
    match (first, last) {
        (Some(first), Some(last)) => Ok((clipped(first, NAME_LIMIT), clipped(last, NAME_LIMIT))),
        _ => {
            let message = "The student has neither a full name nor a display name.";
            Err(Issue::new(IssueCode::MissingName, message).about("first_name"))
        }
    }
}

fn single<'a>(users: &'a [Candidate], key: &str) -> Result<Option<&'a Candidate>, Issue> {
    match users {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        many => {
            let names: Vec<_> = many.iter().map(Candidate::is_named).collect();
            let message = format!(
                "Several Moodle users have this {key}: {}.",
                names.join("; ")
            );
            Err(Issue::new(IssueCode::AccountAmbiguous, message).about(key))
        }
    }
}

fn linked(
    desired: &DesiredAccount,
    user: &Candidate,
    taken: IssueCode,
) -> Result<AccountDecision, Issue> {
    if user.is_guest() {
        let message = "The Moodle user that fits is the guest user.";
        return Err(Issue::new(IssueCode::AccountProtected, message));
    }
    if user.idnumber.trim().is_empty() {
        return Ok(AccountDecision::Link(user.clone()));
    }
    let message = format!(
        "In Zoho: {} {} ({}). In Moodle: {}, which belongs to ID number {}.",
        desired.first_name,
        desired.last_name,
        desired.username,
        user.is_named(),
        user.idnumber
    );
    Err(Issue::new(taken, message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::columns::Value;

    fn policy() -> AccountPolicy {
        AccountPolicy {
            create: true,
            auth: "manual".into(),
            email: EmailChoice::Academic,
        }
    }

    fn student(pairs: &[(&'static str, &str)]) -> Values {
        pairs
            .iter()
            .map(|(name, raw)| (*name, Some(Value::Text((*raw).to_owned()))))
            .collect()
    }

    fn id() -> ZohoId {
        ZohoId::parse("900000000000101").unwrap()
    }

    fn desired() -> DesiredAccount {
        let values = student(&[
            ("academic_email", "Lina.Haddad@students.college.example"),
            ("first_name", "Lina"),
            ("last_name", "Haddad"),
        ]);
        DesiredAccount::plan(&id(), &values, &policy()).unwrap()
    }

    fn user(number: i64, idnumber: &str) -> Candidate {
        Candidate {
            id: MoodleUserId::new(number).unwrap(),
            username: "lina.haddad@students.college.example".into(),
            email: "lina.haddad@students.college.example".into(),
            idnumber: idnumber.into(),
            first_name: "Lina".into(),
            last_name: "Haddad".into(),
        }
    }

    #[test]
    fn a_username_is_folded_to_what_moodle_accepts() {
        assert_eq!(desired().username, "lina.haddad@students.college.example");
        assert_eq!(moodle_username("Dara O'Brien+x"), "daraobrienx");
        assert_eq!(moodle_username("لينا"), "");
    }

    #[test]
    fn a_student_without_an_address_is_an_issue() {
        let values = student(&[("first_name", "Lina"), ("last_name", "Haddad")]);
        let issue = DesiredAccount::plan(&id(), &values, &policy()).unwrap_err();
        assert_eq!(issue.code, IssueCode::MissingEmail);
    }

    #[test]
    fn a_blank_name_is_taken_from_the_display_name() {
        let values = student(&[
            ("academic_email", "a@b.example"),
            ("first_name", " "),
            ("display_name", "Omar Abdel Rahman"),
        ]);
        let account = DesiredAccount::plan(&id(), &values, &policy()).unwrap();
        assert_eq!(
            (account.first_name.as_str(), account.last_name.as_str()),
            ("Omar", "Abdel Rahman")
        );
    }

    #[test]
    fn an_account_with_our_id_wins_over_one_with_the_username() {
        let found = Candidates {
            by_idnumber: vec![user(7, "900000000000101")],
            by_username: vec![user(8, "")],
            by_email: vec![],
        };
        let decision = decide_account(&desired(), &found, &policy()).unwrap();
        assert_eq!(decision, AccountDecision::Ours(user(7, "900000000000101")));
    }

    #[test]
    fn a_free_account_is_linked_and_a_strangers_is_not() {
        let free = Candidates {
            by_email: vec![user(8, "")],
            ..Candidates::default()
        };
        assert_eq!(
            decide_account(&desired(), &free, &policy()).unwrap(),
            AccountDecision::Link(user(8, ""))
        );
        let taken = Candidates {
            by_email: vec![user(8, "X-17")],
            ..Candidates::default()
        };
        let issue = decide_account(&desired(), &taken, &policy()).unwrap_err();
        assert_eq!(issue.code, IssueCode::EmailTaken);
        assert!(issue.message.contains("X-17"));
    }

    #[test]
    fn the_guest_and_doubles_are_never_linked() {
        let guest = Candidates {
            by_email: vec![user(1, "")],
            ..Candidates::default()
        };
        let doubles = Candidates {
            by_email: vec![user(8, ""), user(9, "")],
            ..Candidates::default()
        };
        let code = |found| {
            decide_account(&desired(), found, &policy())
                .unwrap_err()
                .code
        };
        assert_eq!(code(&guest), IssueCode::AccountProtected);
        assert_eq!(code(&doubles), IssueCode::AccountAmbiguous);
    }

    #[test]
    fn link_only_never_creates() {
        let link_only = AccountPolicy {
            create: false,
            ..policy()
        };
        let issue = decide_account(&desired(), &Candidates::default(), &link_only).unwrap_err();
        assert_eq!(issue.code, IssueCode::AccountNotAllowed);
    }

    #[test]
    fn a_linked_accounts_address_is_never_overwritten() {
        let confirmed = |origin| ConfirmedAccount {
            user: MoodleUserId::new(8).unwrap(),
            origin,
            account: desired(),
        };
        let moved = DesiredAccount {
            email: "new@b.example".into(),
            first_name: "Leena".into(),
            ..desired()
        };
        let linked = AccountUpdate::between(&confirmed(Origin::Linked), &moved);
        assert_eq!(
            (linked.email, linked.first_name.as_deref()),
            (None, Some("Leena"))
        );
        let created = AccountUpdate::between(&confirmed(Origin::Created), &moved);
        assert_eq!(created.email.as_deref(), Some("new@b.example"));
    }

    proptest! {
        #[test]
        fn a_username_never_holds_what_moodle_refuses(raw in ".*") {
            let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(c);
            prop_assert!(moodle_username(&raw).chars().all(ok));
        }
    }
}
