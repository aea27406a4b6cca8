//! Creating and changing users.
//!
//! `core_user_create_users` is one transaction; `core_user_update_users` keeps the good rows and
//! reports the bad ones as warnings (`contracts/moodle.md` §3).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, Function, Seen};
use crate::moodle::{
    access::Capability,
    password,
    refusal::Refusal,
    site::{SITE_COUNTRY, Site, User, folded},
    wire::{
        clean::{Kind, is_email},
        params::{Arg, Args, Field, optional, or, required, rows},
    },
};

pub(super) fn create_users() -> Function {
    let mut fields = vec![
        optional("createpassword", Kind::Bool),
        required("username", Kind::Username),
        or("auth", Kind::Auth, Arg::Text("manual".to_owned())),
        required("firstname", Kind::NoTags),
        required("lastname", Kind::NoTags),
        required("email", Kind::RawTrimmed),
    ];
    fields.extend(shared_fields());
    Function {
        name: "core_user_create_users",
        fields: vec![required("users", rows(fields))],
        look: Some(look_for_duplicates),
        run: create,
    }
}

pub(super) fn update_users() -> Function {
    let mut fields = vec![
        required("id", Kind::Int),
        optional("username", Kind::Username),
        optional("auth", Kind::Auth),
        optional("suspended", Kind::Bool),
        optional("firstname", Kind::NoTags),
        optional("lastname", Kind::NoTags),
        optional("email", Kind::RawTrimmed),
        optional("userpicture", Kind::Int),
    ];
    fields.extend(shared_fields());
    Function {
        name: "core_user_update_users",
        fields: vec![required("users", rows(fields))],
        look: None,
        run: update,
    }
}

/// What both functions take.
fn shared_fields() -> Vec<Field> {
    let texts = [
        "city",
        "firstnamephonetic",
        "lastnamephonetic",
        "middlename",
        "alternatename",
        "department",
        "institution",
        "phone1",
        "phone2",
    ];
    let mut fields: Vec<Field> = texts
        .into_iter()
        .map(|name| optional(name, Kind::NoTags))
        .collect();
    fields.extend([
        optional("password", Kind::Raw),
        optional("maildisplay", Kind::Int),
        optional("country", Kind::Alpha),
        optional("timezone", Kind::Raw),
        optional("description", Kind::Raw),
        optional("interests", Kind::NoTags),
        optional("idnumber", Kind::Raw),
        optional("address", Kind::Raw),
        optional("lang", Kind::Lang),
        optional("calendartype", Kind::Plugin),
        optional("theme", Kind::Theme),
        optional("mailformat", Kind::Int),
        optional(
            "customfields",
            rows(vec![
                required("type", Kind::AlphaNumExt),
                required("value", Kind::Raw),
            ]),
        ),
        optional(
            "preferences",
            rows(vec![
                required("type", Kind::Raw),
                optional("value", Kind::Raw),
            ]),
        ),
    ]);
    fields
}

fn look_for_duplicates(site: &Site, args: &Args) -> Seen {
    let mut seen = Seen::default();
    for row in args.records("users") {
        let (username, email) = keys_of(row);
        if site.users.with_username(username).is_some() {
            seen.usernames.insert(folded(username));
        }
        if site.users.with_email(email).next().is_some() {
            seen.emails.insert(folded(email));
        }
    }
    seen
}

/// Username and e-mail of a row.
fn keys_of(row: &Args) -> (&str, &str) {
    (
        row.text("username").unwrap_or_default(),
        row.text("email").unwrap_or_default(),
    )
}

fn create(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    call.require(Capability::CreateUsers)?;
    let mut written = Vec::new();
    for row in args.records("users") {
        match create_one(call, row) {
            Ok(user) => written.push(user),
            Err(refusal) => {
                written
                    .iter()
                    .for_each(|(id, _)| call.site.users.remove(*id));
                return Err(refusal);
            }
        }
    }
    Ok(written
        .into_iter()
        .map(|(id, username)| json!({"id": id, "username": username}))
        .collect())
}

fn create_one(call: &mut Call<'_>, row: &Args) -> Result<(u64, String), Refusal> {
    check_new(row, &mut call.seen)?;
    let mut user = User {
        create_password: row.flag("createpassword") == Some(true),
        time_created: call.now,
        ..User::default()
    };
    apply(call.site, row, call.now, &mut user);
    let username = user.username.clone();
    Ok((call.site.users.insert(user)?, username))
}

fn check_new(row: &Args, seen: &mut Seen) -> Result<(), Refusal> {
    let (username, email) = keys_of(row);
    let text = |name| row.text(name).unwrap_or_default();
    let refused = !seen.usernames.insert(folded(username))
        || !is_email(email)
        || !seen.emails.insert(folded(email))
        || [text("firstname"), text("lastname"), username]
            .iter()
            .any(|t| t.trim().is_empty());
    if refused {
        return Err(Refusal::invalid_parameter());
    }
    if row.flag("createpassword") == Some(true) {
        return Ok(());
    }
    match text("password") {
        "" => Err(Refusal::invalid_parameter()),
        given => password::check(given),
    }
}

fn update(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    call.require(Capability::UpdateUsers)?;
    let mut warnings = Vec::new();
    for row in args.records("users") {
        if let Err(refusal) = update_one(call.site, row, call.now) {
            warnings.push(refusal.warning("user", row.id("id")));
        }
    }
    if warnings.iter().all(has_plain_code) {
        Ok(json!({"warnings": warnings}))
    } else {
        Err(Refusal::invalid_response())
    }
}

/// A warning whose code is HTML, as for passwords, fails Moodle's check of its own answer.
fn has_plain_code(warning: &Value) -> bool {
    let code = warning
        .get("warningcode")
        .and_then(Value::as_str)
        .unwrap_or_default();
    code.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn update_one(site: &mut Site, row: &Args, now: i64) -> Result<(), Refusal> {
    let id = row.id("id");
    let unknown = || Refusal::moodle("invaliduserid", "Invalid user ID");
    let user = site.users.get(id).ok_or_else(unknown)?;
    if user.site_admin {
        return Err(Refusal::moodle(
            "usernotupdatedadmin",
            "Cannot update admin accounts",
        ));
    }
    if user.username == "guest" {
        return Err(Refusal::moodle(
            "usernotupdatedguest",
            "Cannot update guest account",
        ));
    }
    if let Some(email) = row.text("email").filter(|email| *email != user.email) {
        if !is_email(email) {
            return Err(Refusal::moodle(
                "useremailinvalid",
                "error/useremailinvalid",
            ));
        }
        if site.users.with_email(email).any(|holder| holder.id != id) {
            return Err(Refusal::moodle("useremailduplicate", "Duplicate address"));
        }
    }
    if let Some(given) = row.text("password").filter(|given| !given.is_empty()) {
        password::check(given)?;
    }
    let mut after = user.clone();
    apply(site, row, now, &mut after);
    Ok(site.users.update(id, |user| *user = after)?)
}

/// Takes over every value that was sent.
fn apply(site: &Site, row: &Args, now: i64, user: &mut User) {
    let texts = [
        ("username", &mut user.username),
        ("auth", &mut user.auth),
        ("firstname", &mut user.firstname),
        ("lastname", &mut user.lastname),
        ("email", &mut user.email),
        ("idnumber", &mut user.idnumber),
        ("city", &mut user.city),
        ("lang", &mut user.lang),
        ("timezone", &mut user.timezone),
        ("institution", &mut user.institution),
        ("department", &mut user.department),
        ("phone1", &mut user.phone1),
        ("phone2", &mut user.phone2),
        ("address", &mut user.address),
        ("description", &mut user.description),
    ];
    for (name, target) in texts {
        if let Some(text) = row.text(name) {
            text.clone_into(target);
        }
    }
    if let Some(country) = row.text("country") {
        user.country = country_of(country).to_owned();
    }
    if let Some(suspended) = row.flag("suspended") {
        user.suspended = suspended;
    }
    user.custom_fields.extend(known_fields(site, row));
    user.time_modified = now;
}

/// A country that cannot exist is accepted and stored as the site's own.
fn country_of(text: &str) -> &str {
    if text.len() == 2 { text } else { SITE_COUNTRY }
}

/// A custom field that does not exist is ignored without a word.
fn known_fields(site: &Site, row: &Args) -> BTreeMap<String, String> {
    let sent = row
        .records("customfields")
        .filter_map(|f| Some((f.text("type")?, f.text("value")?)));
    sent.filter(|(shortname, _)| {
        site.profile_fields
            .iter()
            .any(|(known, _)| known == shortname)
    })
    .map(|(shortname, value)| (shortname.to_owned(), value.to_owned()))
    .collect()
}
