//! Finding users. Without the capability both functions answer nothing, not an error, so an empty
//! answer proves no absence (`contracts/moodle.md` §3).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    Call, Function,
    criteria::{Criterion, matching},
};
use crate::moodle::{
    access::Capability,
    refusal::Refusal,
    site::{Site, User},
    wire::{
        clean::Kind,
        params::{Args, list, required, rows},
    },
};

pub(super) fn get_users() -> Function {
    Function {
        name: "core_user_get_users",
        fields: vec![required(
            "criteria",
            rows(vec![
                required("key", Kind::Alpha),
                required("value", Kind::Raw),
            ]),
        )],
        look: None,
        run: by_criteria,
    }
}

pub(super) fn get_users_by_field() -> Function {
    Function {
        name: "core_user_get_users_by_field",
        fields: vec![
            required("field", Kind::Alpha),
            required("values", list(Kind::Raw.into())),
        ],
        look: None,
        run: by_field,
    }
}

fn by_criteria(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let mut keys = BTreeSet::new();
    let mut criteria = Vec::new();
    let mut warnings = Vec::new();
    for row in args.records("criteria") {
        let key = row.text("key").unwrap_or_default();
        if !keys.insert(key) {
            return Err(Refusal::moodle("keyalreadyset", "error/keyalreadyset"));
        }
        match Criterion::read(key, row.text("value").unwrap_or_default()) {
            Some(criterion) => criteria.push(criterion),
            None => warnings.push(unsupported(key)),
        }
    }
    let users = if warnings.is_empty() && call.token.may(Capability::ViewUsers) {
        matching(call.site, &criteria)
    } else {
        Vec::new()
    };
    let users: Vec<Value> = users
        .into_iter()
        .map(|user| details(call.site, user))
        .collect();
    Ok(json!({"users": users, "warnings": warnings}))
}

fn unsupported(key: &str) -> Value {
    json!({
        "item": key,
        "warningcode": "invalidfieldparameter",
        "message": format!("The search key '{key}' is not supported"),
    })
}

fn by_field(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let users = &call.site.users;
    let mut found = BTreeSet::new();
    for value in args.texts("values") {
        match args.text("field").unwrap_or_default() {
            "id" => found.extend(value.parse::<u64>().ok()),
            "username" => found.extend(users.with_username(value).map(|user| user.id)),
            "idnumber" => found.extend(users.with_idnumber(value).map(|user| user.id)),
            "email" => found.extend(users.with_email(value).map(|user| user.id)),
            _ => return Err(Refusal::invalid_parameter()),
        }
    }
    if !call.token.may(Capability::ViewUsers) {
        found.clear();
    }
    let found = found.iter().filter_map(|id| users.get(*id));
    Ok(found.map(|user| details(call.site, user)).collect())
}

/// A user as the two look-ups show them.
fn details(site: &Site, user: &User) -> Value {
    let mut keys = in_common(site, user);
    keys.extend(object(json!({
        "auth": user.auth,
        "suspended": user.suspended,
        "confirmed": true,
        "lang": user.lang,
        "theme": "",
        "timezone": user.timezone,
        "mailformat": 1,
        "trackforums": 0,
    })));
    let custom = custom_fields(site, user, true);
    if !custom.is_empty() {
        keys.insert("customfields".to_owned(), custom.into());
    }
    keys.into()
}

/// What every function that shows users agrees on. Empty values are left out, but `department`.
pub(super) fn in_common(site: &Site, user: &User) -> Map<String, Value> {
    let mut keys = object(json!({
        "id": user.id,
        "username": user.username,
        "firstname": user.firstname,
        "lastname": user.lastname,
        "fullname": user.fullname(),
        "email": user.email,
        "department": user.department,
        "firstaccess": 0,
        "lastaccess": 0,
        "profileimageurlsmall": site.url_of("/theme/image.php/boost/core/1/u/f2"),
        "profileimageurl": site.url_of("/theme/image.php/boost/core/1/u/f1"),
    }));
    let texts = [
        ("idnumber", &user.idnumber),
        ("city", &user.city),
        ("country", &user.country),
        ("institution", &user.institution),
        ("phone1", &user.phone1),
        ("phone2", &user.phone2),
        ("address", &user.address),
    ];
    for (key, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        keys.insert(key.to_owned(), text.clone().into());
    }
    if !user.description.is_empty() {
        keys.insert("description".to_owned(), user.description.clone().into());
        keys.insert("descriptionformat".to_owned(), 1.into());
    }
    keys
}

/// The custom profile fields that have a value.
pub(super) fn custom_fields(site: &Site, user: &User, displayed: bool) -> Vec<Value> {
    let with_values = site.profile_fields.iter().filter_map(|(shortname, name)| {
        let value = user
            .custom_fields
            .get(shortname)
            .filter(|value| !value.is_empty())?;
        Some((shortname, name, value))
    });
    with_values
        .map(|(shortname, name, value)| {
            let mut field =
                json!({"type": "text", "value": value, "name": name, "shortname": shortname});
            if displayed && let Some(keys) = field.as_object_mut() {
                keys.insert("displayvalue".to_owned(), value.clone().into());
            }
            field
        })
        .collect()
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}
