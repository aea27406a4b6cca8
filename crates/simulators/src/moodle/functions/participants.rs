//! Who is in a course, and which courses a user is in.

use serde_json::{Map, Value, json};

use super::{
    Call, Function,
    courses::{image, shows_conditions},
    users::{custom_fields, in_common},
};
use crate::moodle::{
    access::{Capability, role},
    refusal::Refusal,
    site::{Course, Enrolment, Group, Site, User},
    wire::{
        clean::Kind,
        params::{Arg, Args, optional, or, required, rows},
    },
};

pub(super) fn get_users_courses() -> Function {
    Function {
        name: "core_enrol_get_users_courses",
        fields: vec![
            required("userid", Kind::Int),
            or("returnusercount", Kind::Bool, Arg::Flag(true)),
        ],
        look: None,
        run: users_courses,
    }
}

pub(super) fn get_enrolled_users() -> Function {
    Function {
        name: "core_enrol_get_enrolled_users",
        fields: vec![
            required("courseid", Kind::Int),
            optional(
                "options",
                rows(vec![
                    required("name", Kind::AlphaNumExt),
                    required("value", Kind::Raw),
                ]),
            ),
        ],
        look: None,
        run: enrolled_users,
    }
}

/// Suspended enrolments are left out; a user who may not be seen has no courses, without an error.
fn users_courses(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let user_id = args.id("userid");
    let own = user_id == call.token.user_id;
    if !own && !call.token.may(Capability::ViewParticipants) {
        return Ok(json!([]));
    }
    let site = &*call.site;
    let counted = args.flag("returnusercount") == Some(true);
    Ok(active_courses(site, user_id, call.now)
        .into_iter()
        .map(|course| user_course(site, course, counted))
        .collect())
}

/// The courses a user has access to, in the site's order.
fn active_courses(site: &Site, user_id: u64, now: i64) -> Vec<&Course> {
    let active = site
        .enrolments
        .of_user(user_id)
        .filter(|enrolment| enrolment.is_active(now));
    let mut courses: Vec<&Course> = active
        .filter_map(|enrolment| site.courses.get(enrolment.course_id))
        .collect();
    courses.sort_by_key(|course| course.sort_order);
    courses
}

fn user_course(site: &Site, course: &Course, counted: bool) -> Value {
    let mut shown = json!({
        "id": course.id,
        "shortname": course.shortname,
        "fullname": course.fullname,
        "displayname": course.fullname,
        "idnumber": course.idnumber,
        "visible": u8::from(course.visible),
        "summary": course.summary,
        "summaryformat": course.summary_format,
        "format": course.format,
        "courseimage": image(site, course),
        "showgrades": true,
        "lang": course.lang,
        "enablecompletion": true,
        "completionhascriteria": false,
        "completionusertracked": false,
        "category": course.category_id,
        "progress": null,
        "completed": null,
        "startdate": course.start_date,
        "enddate": course.end_date,
        "marker": 0,
        "lastaccess": null,
        "isfavourite": false,
        "hidden": false,
        "overviewfiles": [],
        "showactivitydates": false,
        "showcompletionconditions": shows_conditions(course),
        "timemodified": course.time_modified,
    });
    if counted && let Some(keys) = shown.as_object_mut() {
        let count = site.enrolments.in_course(course.id).count();
        keys.insert("enrolledusercount".to_owned(), count.into());
    }
    shown
}

fn enrolled_users(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let course_id = call.enter(args.id("courseid"))?.id;
    let options = Options::read(args)?;
    call.require(Capability::ViewParticipants)?;
    if options.only_active {
        call.require(Capability::ReviewEnrolments)?;
    }
    let site = &*call.site;
    let listed = |enrolment: &&Enrolment| {
        (!options.only_active || enrolment.is_active(call.now))
            && options.has_group(site, enrolment)
    };
    let mut people: Vec<(&User, &Enrolment)> = site
        .enrolments
        .in_course(course_id)
        .filter(listed)
        .filter_map(|enrolment| Some((site.users.get(enrolment.user_id)?, enrolment)))
        .collect();
    options.sort(&mut people);
    Ok(people
        .into_iter()
        .skip(options.from)
        .take(options.number)
        .map(|(user, enrolment)| participant(call, user, enrolment, &options))
        .collect())
}

/// The options that were sent; those that do not exist are ignored.
struct Options {
    only_active: bool,
    group: u64,
    fields: Option<Vec<String>>,
    from: usize,
    number: usize,
    by: SortBy,
    descending: bool,
}

#[derive(Clone, Copy)]
enum SortBy {
    Id,
    Firstname,
    Lastname,
}

impl Options {
    fn read(args: &Args) -> Result<Self, Refusal> {
        let mut options = Self {
            only_active: false,
            group: 0,
            fields: None,
            from: 0,
            number: usize::MAX,
            by: SortBy::Id,
            descending: false,
        };
        for row in args.records("options") {
            let value = row.text("value").unwrap_or_default();
            options.set(row.text("name").unwrap_or_default(), value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        match name {
            "onlyactive" => self.only_active = number(value)? != 0,
            "groupid" => self.group = u64::try_from(number(value)?).unwrap_or(u64::MAX),
            "userfields" => {
                self.fields = Some(
                    value
                        .split(',')
                        .map(|field| field.trim().to_owned())
                        .collect(),
                );
            }
            "limitfrom" => self.from = number(value)?,
            "limitnumber" => {
                self.number = Some(number(value)?)
                    .filter(|n| *n > 0)
                    .unwrap_or(usize::MAX)
            }
            "sortby" => {
                self.by = match value {
                    "id" => SortBy::Id,
                    "firstname" => SortBy::Firstname,
                    "lastname" | "siteorder" => SortBy::Lastname,
                    _ => return Err(Refusal::invalid_parameter()),
                }
            }
            "sortdirection" => match value.to_ascii_uppercase().as_str() {
                "ASC" => self.descending = false,
                "DESC" => self.descending = true,
                _ => return Err(Refusal::invalid_parameter()),
            },
            _ => {}
        }
        Ok(())
    }

    /// Whether an optional key is asked for; without a list all are.
    fn wants(&self, field: &str) -> bool {
        self.fields
            .as_ref()
            .is_none_or(|fields| fields.iter().any(|known| known == field))
    }

    fn has_group(&self, site: &Site, enrolment: &Enrolment) -> bool {
        let holds_user =
            |group: &Group| group.id == self.group && group.members.contains(&enrolment.user_id);
        self.group == 0 || site.groups.iter().any(holds_user)
    }

    fn sort(&self, people: &mut [(&User, &Enrolment)]) {
        let folded = |text: &str| text.to_lowercase();
        people.sort_by_cached_key(|(user, _)| match self.by {
            SortBy::Id => (String::new(), String::new(), user.id),
            SortBy::Firstname => (folded(&user.firstname), String::new(), user.id),
            SortBy::Lastname => (folded(&user.lastname), folded(&user.firstname), user.id),
        });
        if self.descending {
            people.reverse();
        }
    }
}

fn number(text: &str) -> Result<usize, Refusal> {
    text.parse().ok().ok_or_else(Refusal::invalid_parameter)
}

fn participant(call: &Call<'_>, user: &User, enrolment: &Enrolment, options: &Options) -> Value {
    let site = &*call.site;
    let mut keys = in_common(site, user);
    keys.insert("lastcourseaccess".to_owned(), 0.into());
    // Id and full name come whether asked for or not.
    keys.retain(|key, _| matches!(key.as_str(), "id" | "fullname") || options.wants(key));
    put(&mut keys, options, "customfields", || {
        custom_fields(site, user, false)
    });
    put(&mut keys, options, "roles", || roles(enrolment));
    put(&mut keys, options, "groups", || groups(site, enrolment));
    put(&mut keys, options, "enrolledcourses", || {
        active_courses(site, user.id, call.now)
            .into_iter()
            .map(brief)
            .collect()
    });
    keys.into()
}

/// An empty list is left out.
fn put(
    keys: &mut Map<String, Value>,
    options: &Options,
    key: &str,
    list: impl FnOnce() -> Vec<Value>,
) {
    if options.wants(key) {
        let list = list();
        if !list.is_empty() {
            keys.insert(key.to_owned(), list.into());
        }
    }
}

fn roles(enrolment: &Enrolment) -> Vec<Value> {
    let shown = enrolment.roles.iter().map(
        |id| json!({"roleid": id, "name": "", "shortname": role::short_name(*id), "sortorder": 0}),
    );
    shown.collect()
}

fn groups(site: &Site, enrolment: &Enrolment) -> Vec<Value> {
    let own = site.groups.iter().filter(|group| {
        group.course_id == enrolment.course_id && group.members.contains(&enrolment.user_id)
    });
    own.map(|group| {
        json!({"id": group.id, "name": group.name, "description": "", "descriptionformat": 0})
    })
    .collect()
}

fn brief(course: &Course) -> Value {
    json!({"id": course.id, "fullname": course.fullname, "shortname": course.shortname})
}
