//! Creating and changing courses.
//!
//! Neither short name nor idnumber is unique in the database: Moodle looks first, so parallel
//! creates make duplicates (`contracts/moodle.md` §3, races).

use serde_json::{Value, json};

use super::{Call, Function, Seen};
use crate::moodle::{
    access::Capability,
    refusal::Refusal,
    site::{Course, Site, folded},
    wire::{
        clean::{Kind, LANGUAGES},
        params::{Args, Field, optional, required, rows},
    },
};

pub(super) fn create_courses() -> Function {
    let mut fields = vec![
        required("fullname", Kind::NoTags),
        required("shortname", Kind::NoTags),
        required("categoryid", Kind::Int),
    ];
    fields.extend(shared_fields());
    Function {
        name: "core_course_create_courses",
        fields: vec![required("courses", rows(fields))],
        look: Some(look_for_duplicates),
        run: create,
    }
}

pub(super) fn update_courses() -> Function {
    let mut fields = vec![
        required("id", Kind::Int),
        optional("fullname", Kind::NoTags),
        optional("shortname", Kind::NoTags),
        optional("categoryid", Kind::Int),
    ];
    fields.extend(shared_fields());
    Function {
        name: "core_course_update_courses",
        fields: vec![required("courses", rows(fields))],
        look: None,
        run: update,
    }
}

fn shared_fields() -> Vec<Field> {
    let numbers = [
        "summaryformat",
        "showgrades",
        "newsitems",
        "startdate",
        "enddate",
        "numsections",
        "maxbytes",
        "showreports",
        "visible",
        "hiddensections",
        "groupmode",
        "groupmodeforce",
        "defaultgroupingid",
        "enablecompletion",
        "completionnotify",
    ];
    let named = |value| {
        rows(vec![
            required("name", Kind::AlphaNumExt),
            required("value", value),
        ])
    };
    let mut fields: Vec<Field> = numbers
        .into_iter()
        .map(|name| optional(name, Kind::Int))
        .collect();
    fields.extend([
        optional("idnumber", Kind::Raw),
        optional("summary", Kind::Raw),
        optional("format", Kind::Plugin),
        optional("lang", Kind::AlphaNumExt),
        optional("forcetheme", Kind::Plugin),
        optional("courseformatoptions", named(Kind::Raw)),
        optional(
            "customfields",
            rows(vec![
                required("shortname", Kind::AlphaNumExt),
                required("value", Kind::Raw),
            ]),
        ),
    ]);
    fields
}

fn look_for_duplicates(site: &Site, args: &Args) -> Seen {
    let mut seen = Seen::default();
    for row in args.records("courses") {
        let (shortname, idnumber) = keys_of(row);
        if site.courses.with_shortname(shortname).next().is_some() {
            seen.shortnames.insert(folded(shortname));
        }
        if site.courses.with_idnumber(idnumber).next().is_some() {
            seen.idnumbers.insert(folded(idnumber));
        }
    }
    seen
}

/// Short name and idnumber of a row.
fn keys_of(row: &Args) -> (&str, &str) {
    (
        row.text("shortname").unwrap_or_default(),
        row.text("idnumber").unwrap_or_default(),
    )
}

fn create(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let mut written = Vec::new();
    for row in args.records("courses") {
        match create_one(call, row) {
            Ok(course) => written.push(course),
            Err(refusal) => {
                written
                    .iter()
                    .for_each(|(id, _)| call.site.courses.remove(*id));
                return Err(refusal);
            }
        }
    }
    Ok(written
        .into_iter()
        .map(|(id, name)| json!({"id": id, "shortname": name}))
        .collect())
}

fn create_one(call: &mut Call<'_>, row: &Args) -> Result<(u64, String), Refusal> {
    require_category(call.site, row.id("categoryid"))?;
    call.require(Capability::CreateCourses)?;
    let mut course = Course {
        start_date: call.now,
        time_created: call.now,
        ..Course::default()
    };
    apply(row, call.now, &mut course);
    check_texts(&course, row)?;
    if !call.seen.shortnames.insert(folded(&course.shortname)) {
        return Err(shortname_taken(&course.shortname));
    }
    if !course.idnumber.is_empty() && !call.seen.idnumbers.insert(folded(&course.idnumber)) {
        return Err(idnumber_taken(&course.idnumber));
    }
    check_row(&course)?;
    let shortname = course.shortname.clone();
    Ok((call.site.courses.insert(course), shortname))
}

fn update(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let mut warnings = Vec::new();
    for row in args.records("courses") {
        if let Err(refusal) = update_one(call, row) {
            warnings.push(refusal.warning("course", row.id("id")));
        }
    }
    Ok(json!({"warnings": warnings}))
}

fn update_one(call: &mut Call<'_>, row: &Args) -> Result<(), Refusal> {
    let mut course = call.enter(row.id("id"))?.clone();
    call.require(Capability::UpdateCourses)?;
    if row.has("categoryid") {
        require_category(call.site, row.id("categoryid"))?;
    }
    apply(row, call.now, &mut course);
    check_texts(&course, row)?;
    let other = |known: &Course| known.id != course.id;
    if call
        .site
        .courses
        .with_shortname(&course.shortname)
        .any(other)
    {
        return Err(shortname_taken(&course.shortname));
    }
    let numbered = !course.idnumber.is_empty();
    if numbered && call.site.courses.with_idnumber(&course.idnumber).any(other) {
        return Err(idnumber_taken(&course.idnumber));
    }
    check_row(&course)?;
    call.site.courses.update(course.id, |known| *known = course);
    Ok(())
}

fn require_category(site: &Site, id: u64) -> Result<(), Refusal> {
    if site.categories.contains_key(&id) {
        return Ok(());
    }
    let message = format!(
        "You cannot execute functions in the category context (category id:{id}). The context error message was: Invalid parameter value detected"
    );
    Err(Refusal::moodle("errorcatcontextnotvalid", message))
}

/// A format that does not exist passes.
fn check_texts(course: &Course, row: &Args) -> Result<(), Refusal> {
    for (name, text) in [
        ("fullname", &course.fullname),
        ("shortname", &course.shortname),
    ] {
        if text.trim().is_empty() {
            return Err(invalid(name));
        }
    }
    match row.text("lang") {
        Some(lang) if !lang.is_empty() && !LANGUAGES.contains(&lang) => Err(invalid("lang")),
        _ => Ok(()),
    }
}

fn check_row(course: &Course) -> Result<(), Refusal> {
    if course.end_date != 0 && course.end_date <= course.start_date {
        return Err(Refusal::moodle(
            "enddatebeforestartdate",
            "The course end date must be after the start date.",
        ));
    }
    if course.overflows() {
        Err(Refusal::write())
    } else {
        Ok(())
    }
}

fn invalid(name: &str) -> Refusal {
    Refusal::moodle(
        "errorinvalidparam",
        format!("The param \"{name}\" is invalid."),
    )
}

fn shortname_taken(name: &str) -> Refusal {
    let message = format!("Short name is already used for another course ({name})");
    Refusal::moodle("shortnametaken", message)
}

fn idnumber_taken(idnumber: &str) -> Refusal {
    let message = format!("ID number is already used for another course ({idnumber})");
    Refusal::moodle("courseidnumbertaken", message)
}

/// Takes over every value that was sent.
fn apply(row: &Args, now: i64, course: &mut Course) {
    let texts = [
        ("fullname", &mut course.fullname),
        ("shortname", &mut course.shortname),
        ("idnumber", &mut course.idnumber),
        ("summary", &mut course.summary),
        ("format", &mut course.format),
        ("lang", &mut course.lang),
    ];
    for (name, target) in texts {
        if let Some(text) = row.text(name) {
            text.clone_into(target);
        }
    }
    let numbers = [
        ("summaryformat", &mut course.summary_format),
        ("numsections", &mut course.sections),
        ("startdate", &mut course.start_date),
        ("enddate", &mut course.end_date),
        ("newsitems", &mut course.news_items),
    ];
    for (name, target) in numbers {
        if let Some(number) = row.int(name) {
            *target = number;
        }
    }
    if row.has("categoryid") {
        course.category_id = row.id("categoryid");
    }
    if let Some(visible) = row.int("visible") {
        course.visible = visible != 0;
    }
    course.time_modified = now;
}
