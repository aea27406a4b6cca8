//! Reading courses.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, Function, users::object};
use crate::moodle::{
    access::role,
    refusal::Refusal,
    site::{Course, SITE_COURSE, Site},
    wire::{
        clean::Kind,
        params::{Arg, Args, Shape, list, optional, or},
    },
};

pub(super) fn get_courses() -> Function {
    let ids = optional("ids", list(Kind::Int.into()));
    Function {
        name: "core_course_get_courses",
        fields: vec![optional("options", Shape::Record(vec![ids]))],
        look: None,
        run: all,
    }
}

pub(super) fn get_courses_by_field() -> Function {
    Function {
        name: "core_course_get_courses_by_field",
        fields: vec![
            or("field", Kind::Alpha, Arg::Text(String::new())),
            or("value", Kind::Raw, Arg::Text(String::new())),
        ],
        look: None,
        run: by_field,
    }
}

fn all(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let asked: Option<BTreeSet<u64>> = args.record("options").map(|o| o.ids("ids").collect());
    let wanted = |course: &&Course| {
        asked
            .as_ref()
            .is_none_or(|ids| ids.is_empty() || ids.contains(&course.id))
    };
    Ok(call
        .site
        .courses
        .iter()
        .filter(wanted)
        .map(in_full)
        .collect())
}

fn by_field(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let site = &*call.site;
    let value = args.text("value").unwrap_or_default();
    let id = value.parse().unwrap_or(0);
    let found: Vec<&Course> = match args.text("field").unwrap_or_default() {
        "" => site.courses.iter().collect(),
        "id" => site.courses.get(id).into_iter().collect(),
        "ids" => {
            let ids: BTreeSet<u64> = value.split(',').filter_map(|id| id.parse().ok()).collect();
            ids.into_iter()
                .filter_map(|id| site.courses.get(id))
                .collect()
        }
        "shortname" => site.courses.with_shortname(value).collect(),
        "idnumber" => site.courses.with_idnumber(value).collect(),
        "category" => site.courses.in_category(id).collect(),
        "sectionid" => Vec::new(),
        _ => return Err(Refusal::invalid_parameter()),
    };
    let courses: Vec<Value> = found
        .into_iter()
        .map(|course| with_public_keys(site, course, call.now))
        .collect();
    Ok(json!({"courses": courses, "warnings": []}))
}

/// What both functions show.
fn in_common(course: &Course) -> Value {
    json!({
        "id": course.id,
        "shortname": course.shortname,
        "categoryid": course.category_id,
        "fullname": course.fullname,
        "displayname": course.fullname,
        "idnumber": course.idnumber,
        "summary": course.summary,
        "summaryformat": course.summary_format,
        "format": course.format,
        "showgrades": 1,
        "newsitems": course.news_items,
        "startdate": course.start_date,
        "enddate": course.end_date,
        "maxbytes": 0,
        "showreports": 0,
        "visible": u8::from(course.visible),
        "groupmode": 0,
        "groupmodeforce": 0,
        "defaultgroupingid": 0,
        "timecreated": course.time_created,
        "timemodified": course.time_modified,
        "enablecompletion": u8::from(course.id != SITE_COURSE),
        "completionnotify": 0,
        "lang": course.lang,
        "showactivitydates": false,
        "showcompletionconditions": shows_conditions(course),
    })
}

/// The site's own course has no opinion.
pub(super) fn shows_conditions(course: &Course) -> Value {
    if course.id == SITE_COURSE {
        Value::Null
    } else {
        Value::Bool(true)
    }
}

fn in_full(course: &Course) -> Value {
    let mut keys = object(in_common(course));
    keys.extend(object(json!({
        "categorysortorder": course.sort_order,
        "numsections": course.sections,
        "forcetheme": "",
        "courseformatoptions": format_options(course),
    })));
    if has_sections(course) {
        keys.insert("hiddensections".to_owned(), 1.into());
    }
    keys.into()
}

fn with_public_keys(site: &Site, course: &Course, now: i64) -> Value {
    let category = site.categories.get(&course.category_id);
    let methods: &[&str] = if course.id == SITE_COURSE {
        &[]
    } else {
        &["manual"]
    };
    let mut keys = object(in_common(course));
    keys.extend(object(json!({
        "courseimage": image(site, course),
        "categoryname": category.map(|category| category.name.as_str()).unwrap_or_default(),
        "sortorder": course.sort_order,
        "summaryfiles": [],
        "overviewfiles": [],
        "contacts": contacts(site, course, now),
        "enrollmentmethods": methods,
        "theme": "",
        "marker": 0,
        "legacyfiles": 0,
        "calendartype": "",
        "requested": 0,
        "cacherev": course.time_modified,
        "filters": filters(),
    })));
    if course.id != SITE_COURSE {
        let mut options = format_options(course);
        if has_sections(course) {
            options.push(json!({"name": "indentation", "value": "1"}));
        }
        keys.insert("courseformatoptions".to_owned(), options.into());
    }
    keys.into()
}

/// The picture Moodle draws for a course without one.
pub(super) fn image(site: &Site, course: &Course) -> String {
    site.url_of(&format!(
        "/pluginfile.php/{}/course/generated/course.svg",
        66 + course.id
    ))
}

fn has_sections(course: &Course) -> bool {
    matches!(course.format.as_str(), "topics" | "weeks")
}

fn format_options(course: &Course) -> Vec<Value> {
    if course.format == "site" {
        return vec![json!({"name": "numsections", "value": course.sections})];
    }
    if !has_sections(course) {
        return Vec::new();
    }
    vec![
        json!({"name": "hiddensections", "value": 1}),
        json!({"name": "coursedisplay", "value": 0}),
    ]
}

/// The teachers shown with a course.
fn contacts(site: &Site, course: &Course, now: i64) -> Vec<Value> {
    let teaching = site.enrolments.in_course(course.id).filter(|enrolment| {
        enrolment.roles.contains(&role::EDITING_TEACHER) && enrolment.is_active(now)
    });
    teaching
        .filter_map(|enrolment| site.users.get(enrolment.user_id))
        .map(|user| json!({"id": user.id, "fullname": user.fullname()}))
        .collect()
}

fn filters() -> Vec<Value> {
    [
        "displayh5p",
        "activitynames",
        "mathjaxloader",
        "emoticon",
        "urltolink",
        "mediaplugin",
    ]
    .into_iter()
    .map(|name| json!({"filter": name, "localstate": 0, "inheritedstate": 1}))
    .collect()
}
