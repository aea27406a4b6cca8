//! Users: found, changed; creation is in [`create`].

mod create;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use mzi_domain::{
    MoodleUserId,
    account::{AccountUpdate, Candidate, moodle_username},
};
use mzi_ports::{
    LmsError,
    lms::{UserKey, UserUpdate, refusal},
};

use crate::{
    MoodleWs, ROWS_PER_CALL,
    batch::{Outcomes, Sending},
    exception::{self, INVALID_PARAMETER, WRITE_REFUSED, rejection_code},
    form::Form,
    function::Function,
    wire,
};

/// How many calls of one look-up wait for a place at the same time.
const LOOKS_AT_ONCE: usize = 3;

impl MoodleWs {
    pub(crate) async fn find_users(
        &self,
        key: UserKey,
        values: &[String],
    ) -> Result<Vec<Candidate>, LmsError> {
        let askable: Vec<String> = askable(key, values).into_iter().collect();
        let calls = askable.chunks(ROWS_PER_CALL).map(|values| {
            let form = Form::default()
                .with("field", field(key))
                .with_list("values", values);
            self.transport
                .call::<Vec<wire::User>>(Function::UsersByField, form)
        });
        // All at once would keep everybody else waiting.
        let answers: Vec<_> = stream::iter(calls.collect::<Vec<_>>())
            .buffer_unordered(LOOKS_AT_ONCE)
            .try_collect()
            .await?;
        let users = answers.into_iter().flatten().map(Candidate::from);
        let wanted: BTreeSet<String> = values.iter().map(|value| compared(key, value)).collect();
        // The database may compare more loosely than we do: MariaDB takes É for e.
        let fitting = users.filter(|user| wanted.contains(&compared(key, &value_of(user, key))));
        let by_id: BTreeMap<_, _> = fitting.map(|user| (user.id, user)).collect();
        Ok(by_id.into_values().collect())
    }

    pub(crate) async fn change_users(&self, updates: &[UserUpdate]) -> Result<Outcomes, LmsError> {
        // Values are checked before any row is touched, and refuse the whole call.
        let mut sending = Sending::new(updates, |error| {
            rejection_code(error) == Some(INVALID_PARAMETER)
        });
        while let Some(batch) = sending.next() {
            let answer = self.request_changes(batch).await;
            sending.note(answer)?;
        }
        Ok(sending.outcomes())
    }

    async fn request_changes(&self, batch: &[UserUpdate]) -> Result<Outcomes, LmsError> {
        let form = Form::default().with_rows("users", batch.iter().map(changes));
        let answer: wire::Updated = self.transport.call(Function::UpdateUsers, form).await?;
        outcomes(batch, &answer.warnings)
    }
}

/// The values worth asking for.
///
/// A blank one would find everybody without that value; a malformed one refuses the whole call
/// (`get_users_by_field` checks that cleaning changes nothing). Databases that compare exactly
/// find an address only as it was typed, which is mostly in lower case.
fn askable(key: UserKey, values: &[String]) -> BTreeSet<String> {
    let values = values.iter().map(|value| value.trim());
    let values = values.filter(|value| !value.is_empty());
    match key {
        UserKey::Id => values
            .filter_map(|value| MoodleUserId::parse(value).ok())
            .map(|id| id.to_string())
            .collect(),
        UserKey::IdNumber => values.map(str::to_owned).collect(),
        UserKey::Username => values
            .filter(|value| moodle_username(value) == *value)
            .map(str::to_owned)
            .collect(),
        UserKey::Email => values
            .flat_map(|value| [value.to_owned(), value.to_lowercase()])
            .collect(),
    }
}

fn field(key: UserKey) -> &'static str {
    match key {
        UserKey::Id => "id",
        UserKey::IdNumber => "idnumber",
        UserKey::Username => "username",
        UserKey::Email => "email",
    }
}

fn value_of(user: &Candidate, key: UserKey) -> String {
    match key {
        UserKey::Id => user.id.to_string(),
        UserKey::IdNumber => user.idnumber.clone(),
        UserKey::Username => user.username.clone(),
        UserKey::Email => user.email.clone(),
    }
}

/// A value as it is compared: exactly, but for the case of e-mail addresses.
fn compared(key: UserKey, value: &str) -> String {
    let value = value.trim();
    if key == UserKey::Email {
        return value.to_lowercase();
    }
    value.to_owned()
}

fn changes(update: &UserUpdate) -> Form {
    let AccountUpdate {
        username,
        email,
        first_name,
        last_name,
    } = &update.fields;
    Form::default()
        .with("id", update.id)
        .with_some("idnumber", update.idnumber.as_ref())
        .with_some("username", username.as_ref())
        .with_some("email", email.as_ref())
        .with_some("firstname", first_name.as_ref())
        .with_some("lastname", last_name.as_ref())
}

fn outcomes(batch: &[UserUpdate], warnings: &[wire::Warning]) -> Result<Outcomes, LmsError> {
    let stray = |warning: &&wire::Warning| {
        batch
            .iter()
            .all(|update| Some(update.id.get()) != warning.itemid)
    };
    if let Some(stray) = warnings.iter().find(stray) {
        return Err(exception::refused(
            Function::UpdateUsers,
            &stray.warningcode,
            &stray.message,
        ));
    }
    let outcome = |update: &UserUpdate| {
        let warning = warnings
            .iter()
            .find(|warning| warning.itemid == Some(update.id.get()));
        warning.map_or(Ok(()), |warning| Err(not_changed(update, warning)))
    };
    Ok(batch.iter().map(outcome).collect())
}

fn not_changed(update: &UserUpdate, warning: &wire::Warning) -> LmsError {
    let rejected = |code| exception::rejected(Function::UpdateUsers, code, &warning.message);
    match warning.warningcode.as_str() {
        "useremailduplicate" => rejected(refusal::EMAIL_TAKEN),
        // The one unique index of the table is that of the username
        // (`update_users_duplicate_username`).
        WRITE_REFUSED if update.fields.username.is_some() => rejected(refusal::USERNAME_TAKEN),
        code => exception::unwell_if_write_refused(exception::refused(
            Function::UpdateUsers,
            code,
            &warning.message,
        )),
    }
}
