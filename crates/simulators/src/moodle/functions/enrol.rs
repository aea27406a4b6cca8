//! Manual enrolments. Both functions are one transaction per call and answer `null`.

use serde_json::Value;

use super::{Call, Function, Seen};
use crate::moodle::{
    access::Capability,
    refusal::Refusal,
    site::{Enrolment, Site},
    wire::{
        clean::Kind,
        params::{Args, optional, required, rows},
    },
};

pub(super) fn enrol_users() -> Function {
    Function {
        name: "enrol_manual_enrol_users",
        fields: vec![required(
            "enrolments",
            rows(vec![
                required("roleid", Kind::Int),
                required("userid", Kind::Int),
                required("courseid", Kind::Int),
                optional("timestart", Kind::Int),
                optional("timeend", Kind::Int),
                optional("suspend", Kind::Int),
            ]),
        )],
        look: Some(look_for_enrolments),
        run: enrol,
    }
}

pub(super) fn unenrol_users() -> Function {
    Function {
        name: "enrol_manual_unenrol_users",
        fields: vec![required(
            "enrolments",
            rows(vec![
                required("userid", Kind::Int),
                required("courseid", Kind::Int),
                optional("roleid", Kind::Int),
            ]),
        )],
        look: None,
        run: unenrol,
    }
}

fn look_for_enrolments(site: &Site, args: &Args) -> Seen {
    let keys = args.records("enrolments").map(key_of);
    let existing = keys.filter(|(course, user)| site.enrolments.get(*course, *user).is_some());
    Seen {
        enrolled: existing.collect(),
        ..Seen::default()
    }
}

/// Course and user of a row.
fn key_of(row: &Args) -> (u64, u64) {
    (row.id("courseid"), row.id("userid"))
}

fn check_row(call: &Call<'_>, row: &Args, (course, user): (u64, u64)) -> Result<(), Refusal> {
    if call.site.courses.get(course).is_none() {
        return Err(Refusal::invalid_parameter());
    }
    call.enter(course)?;
    call.require(Capability::Enrol)?;
    let role = row.id("roleid");
    if !call.token.assignable_roles.contains(&role) {
        return Err(Refusal::moodle(
            "wsusercannotassign",
            format!(
                "You don't have the permission to assign this role ({role}) to this user ({user}) in this course ({course})."
            ),
        ));
    }
    match call.site.users.get(user) {
        Some(_) => Ok(()),
        None => Err(Refusal::missing_user(call.site.version)),
    }
}

fn enrol(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    in_transaction(call, args, enrol_one)
}

/// A row sets what it does not name as well: leaving out `suspend` makes the enrolment active.
fn enrol_one(call: &mut Call<'_>, row: &Args) -> Result<Option<Enrolment>, Refusal> {
    let key = key_of(row);
    check_row(call, row, key)?;
    let before = call.site.enrolments.get(key.0, key.1).cloned();
    let expected = !call.seen.enrolled.insert(key);
    if before.is_some() && !expected {
        // Another call got in between: the unique index on enrolment method and user.
        return Err(Refusal::write());
    }
    let mut roles = before.map(|enrolment| enrolment.roles).unwrap_or_default();
    roles.insert(row.id("roleid"));
    Ok(call.site.enrolments.put(Enrolment {
        course_id: key.0,
        user_id: key.1,
        roles,
        suspended: row.int("suspend").is_some_and(|suspend| suspend != 0),
        time_start: row.int("timestart").unwrap_or(0),
        time_end: row.int("timeend").unwrap_or(0),
        time_modified: call.now,
    }))
}

fn unenrol(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    in_transaction(call, args, unenrol_one)
}

fn unenrol_one(call: &mut Call<'_>, row: &Args) -> Result<Option<Enrolment>, Refusal> {
    let (course, user) = key_of(row);
    call.enter(course)?;
    call.require(Capability::Unenrol)?;
    if call.site.users.get(user).is_none() {
        return Err(Refusal::missing_user(call.site.version));
    }
    Ok(call.site.enrolments.remove(course, user))
}

/// Writes row by row; the first refusal takes back what was written. `write` answers what was
/// there before.
fn in_transaction(
    call: &mut Call<'_>,
    args: &Args,
    write: fn(&mut Call<'_>, &Args) -> Result<Option<Enrolment>, Refusal>,
) -> Result<Value, Refusal> {
    let mut written = Vec::new();
    for row in args.records("enrolments") {
        match write(call, row) {
            Ok(before) => written.push((key_of(row), before)),
            Err(refusal) => {
                for (key, before) in written.into_iter().rev() {
                    call.site.enrolments.restore(key, before);
                }
                return Err(refusal);
            }
        }
    }
    Ok(Value::Null)
}
