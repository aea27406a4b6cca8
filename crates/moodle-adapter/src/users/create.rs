//! Creating a user exactly once.
//!
//! Moodle keeps usernames unique, e-mail addresses only while nobody races, and ID numbers not
//! at all (contracts/moodle.md, "Races"). So creations that share a key wait for each other, and
//! whenever an answer leaves doubt, a look decides.

use mzi_domain::{MoodleUserId, account::DesiredAccount};
use mzi_ports::{
    LmsError,
    lms::{NewUser, UserKey, refusal},
};

use crate::{
    MoodleWs,
    exception::{self, INVALID_PARAMETER, WRITE_REFUSED, rejection_code, unwell_if_write_refused},
    form::Form,
    function::Function,
    wire,
};

/// The widths of Moodle's columns, beyond which it says what a sick database says
/// (`create_users_firstname_too_long`).
const COLUMN: usize = 100;
const IDNUMBER_COLUMN: usize = 255;

impl MoodleWs {
    pub(crate) async fn create_user_once(&self, user: &NewUser) -> Result<MoodleUserId, LmsError> {
        let account = &user.account;
        fits_the_columns(account)?;
        let _alone = self.people.hold(keys(account)).await;
        if !user.checked
            && let Some(existing) = self.existing(account).await?
        {
            return Ok(existing);
        }
        let mut created = self.request_user(user).await;
        if is_write_refused(&created) {
            if let Some(existing) = self.existing(account).await? {
                return Ok(existing);
            }
            created = self.request_user(user).await;
        }
        match created {
            Err(error) if is_in_doubt(&error) => self.ours_or(account, error).await,
            Err(error) if rejection_code(&error) == Some(INVALID_PARAMETER) => {
                self.existing(account).await?.ok_or(error)
            }
            Err(error) => Err(unwell_if_write_refused(error)),
            Ok(id) => Ok(id),
        }
    }

    async fn request_user(&self, user: &NewUser) -> Result<MoodleUserId, LmsError> {
        let account = &user.account;
        let row = Form::default()
            .with("username", &account.username)
            .with("firstname", &account.first_name)
            .with("lastname", &account.last_name)
            .with("email", &account.email)
            .with("idnumber", &account.idnumber)
            .with("auth", &user.auth)
            .with_flag("createpassword", true);
        let form = Form::default().with_rows("users", [row]);
        let made: Vec<wire::UserRef> = self.transport.call(Function::CreateUsers, form).await?;
        let first = made.first().map(|user| user.id);
        first.ok_or_else(|| LmsError::Protocol {
            detail: format!("{}: no user in the answer", Function::CreateUsers.name()),
        })
    }

    /// The user with our ID number; an error when somebody else has the username or address.
    async fn existing(&self, account: &DesiredAccount) -> Result<Option<MoodleUserId>, LmsError> {
        if let Some(ours) = self.ours(account).await? {
            return Ok(Some(ours));
        }
        let rejected = |code, what: &str| {
            let message = format!("another user has the {what}");
            Err(exception::rejected(Function::CreateUsers, code, &message))
        };
        let usernames = [account.username.clone()];
        if !self
            .find_users(UserKey::Username, &usernames)
            .await?
            .is_empty()
        {
            return rejected(refusal::USERNAME_TAKEN, "username");
        }
        if self.email_is_taken(&account.email).await? {
            return rejected(refusal::EMAIL_TAKEN, "e-mail address");
        }
        Ok(None)
    }

    async fn ours(&self, account: &DesiredAccount) -> Result<Option<MoodleUserId>, LmsError> {
        let idnumbers = [account.idnumber.to_string()];
        let found = self.find_users(UserKey::IdNumber, &idnumbers).await?;
        Ok(found.first().map(|user| user.id))
    }

    /// Asks the function that ignores case on every database, as Moodle's own check does.
    async fn email_is_taken(&self, email: &str) -> Result<bool, LmsError> {
        let criterion = Form::default().with("key", "email").with("value", email);
        let form = Form::default().with_rows("criteria", [criterion]);
        let found: wire::Users = self.transport.call(Function::Users, form).await?;
        // The value is a pattern to Moodle: `_` stands for any character.
        let same = |user: wire::User| user.has_email(email);
        Ok(found.users.into_iter().any(same))
    }

    /// After an answer that leaves doubt: the user if it was made, else the doubt remains.
    async fn ours_or(
        &self,
        account: &DesiredAccount,
        doubt: LmsError,
    ) -> Result<MoodleUserId, LmsError> {
        match self.ours(account).await {
            Ok(Some(id)) => Ok(id),
            Ok(None) | Err(_) => Err(doubt),
        }
    }
}

fn keys(account: &DesiredAccount) -> [String; 3] {
    [
        format!("idnumber {}", account.idnumber),
        format!("username {}", account.username),
        format!("email {}", account.email.to_lowercase()),
    ]
}

fn is_write_refused<T>(outcome: &Result<T, LmsError>) -> bool {
    matches!(outcome, Err(error) if rejection_code(error) == Some(WRITE_REFUSED))
}

/// Whether the user may have been made although the answer does not say so.
fn is_in_doubt(error: &LmsError) -> bool {
    matches!(
        error,
        LmsError::UnknownOutcome { .. } | LmsError::Protocol { .. }
    )
}

fn fits_the_columns(account: &DesiredAccount) -> Result<(), LmsError> {
    let columns = [
        ("username", account.username.as_str(), COLUMN),
        ("firstname", account.first_name.as_str(), COLUMN),
        ("lastname", account.last_name.as_str(), COLUMN),
        ("email", account.email.as_str(), COLUMN),
        ("idnumber", account.idnumber.as_str(), IDNUMBER_COLUMN),
    ];
    for (name, value, width) in columns {
        if value.chars().count() > width {
            let message = format!("{name} is longer than {width} characters");
            return Err(exception::rejected(
                Function::CreateUsers,
                "too_long",
                &message,
            ));
        }
    }
    Ok(())
}
