//! Builds a site from what the recorded reads show of one, so that the recorded writes and
//! refusals can be replayed against it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::DateTime;
use mzi_simulators::moodle::{
    Capability, Category, Content, Course, Enrolment, Group, MoodleOptions, MoodleSimulator, Token,
    TokenState, User,
};
use serde_json::Value;

use super::{
    fixtures::{Recorded, id, items, seconds, text},
    seed_grades::{seed_assignments, seed_gradebook},
};

/// The first id the recorded creates were given; higher ones must come from replaying them.
const FIRST_CREATED: u64 = 57;

/// The user whose token has no rights.
pub const WEAK_USER: u64 = 4;

pub async fn seeded(recorded: &Recorded) -> MoodleSimulator {
    let options = MoodleOptions {
        version: recorded.version,
        content: Content::Bare,
        ..MoodleOptions::default()
    };
    let site = MoodleSimulator::start(options).await.expect("a free port");
    seed_site(&site, recorded);
    seed_courses(&site, recorded);
    seed_users(&site, recorded);
    seed_enrolments(&site, recorded);
    seed_assignments(&site, recorded);
    seed_gradebook(&site, recorded);
    site
}

fn seed_site(site: &MoodleSimulator, recorded: &Recorded) {
    let info = recorded.answer("site_info_ok");
    site.set_site_name(&text(info, "sitename"));
    site.set_site_url(&text(info, "siteurl"));
    let functions = items(&info["functions"])
        .map(|function| text(function, "name"))
        .collect();
    site.edit_token(|token| token.functions = Arc::new(functions));

    // The site lives when it was recorded, so that dated enrolments are running.
    let courses = recorded.answer("get_courses_by_field_id");
    let then = DateTime::from_timestamp(seconds(&courses["courses"][0], "cacherev"), 0);
    let now = site.clock().now();
    site.clock().set_offset(then.expect("a time") - now);

    let strong = Token::of(id(info, "userid"));
    let weak = Token::without_rights(WEAK_USER);
    let mut without_rest = weak.clone();
    without_rest.set_capability(Capability::UseRest, false);
    let in_state = |state| Token {
        state,
        ..strong.clone()
    };
    for (digit, token) in [
        ("2", weak),
        ("3", without_rest),
        ("4", in_state(TokenState::Expired)),
        ("5", in_state(TokenState::AddressRefused)),
        ("6", in_state(TokenState::ServiceDisabled)),
    ] {
        site.put_token(&digit.repeat(32), token);
    }
}

fn seed_courses(site: &MoodleSimulator, recorded: &Recorded) {
    for category in items(recorded.answer("get_categories_as_manager")) {
        site.add_category(Category {
            id: id(category, "id"),
            name: text(category, "name"),
            idnumber: category["idnumber"].as_str().map(str::to_owned),
            parent: id(category, "parent"),
            time_modified: seconds(category, "timemodified"),
        });
    }
    for course in items(recorded.answer("get_courses_all")) {
        let seen = Course {
            id: id(course, "id"),
            category_id: id(course, "categoryid"),
            sort_order: id(course, "categorysortorder"),
            fullname: text(course, "fullname"),
            shortname: text(course, "shortname"),
            idnumber: text(course, "idnumber"),
            summary: text(course, "summary"),
            summary_format: seconds(course, "summaryformat"),
            format: text(course, "format"),
            sections: seconds(course, "numsections"),
            start_date: seconds(course, "startdate"),
            end_date: seconds(course, "enddate"),
            visible: id(course, "visible") == 1,
            lang: text(course, "lang"),
            news_items: seconds(course, "newsitems"),
            time_created: seconds(course, "timecreated"),
            time_modified: seconds(course, "timemodified"),
        };
        if site.course(seen.id).is_some() {
            site.edit_course(seen.id, |known| *known = seen);
        } else {
            site.add_course(seen);
        }
    }
}

/// Users shown whole by any read; the ids in between are held by invented ones.
fn seed_users(site: &MoodleSimulator, recorded: &Recorded) {
    site.add_profile_field("zoho_student_id", "Zoho student ID");
    site.add_profile_field("btec_programme", "BTEC programme");
    let mut seen = BTreeMap::new();
    for fixture in recorded.fixtures.values() {
        let listed = items(&fixture.response).chain(items(&fixture.response["users"]));
        for user in listed.filter(|user| user["email"].is_string() && user["firstname"].is_string())
        {
            if id(user, "id") < FIRST_CREATED {
                seen.insert(id(user, "id"), user_of(user));
            }
        }
    }
    // Of some, reports show the name only.
    let reports = recorded
        .fixtures
        .values()
        .flat_map(|f| items(&f.response["usergrades"]));
    for report in reports.filter(|report| id(report, "userid") < FIRST_CREATED) {
        let user_id = id(report, "userid");
        seen.entry(user_id)
            .or_insert_with(|| named_in_report(user_id, report));
    }
    for missing in 4..FIRST_CREATED {
        let named = |name: String| User {
            email: format!("{name}@unseen.example"),
            firstname: "Unseen".to_owned(),
            lastname: format!("Person {missing}"),
            username: name,
            ..User::default()
        };
        let name = if missing == WEAK_USER {
            "weak_ws".to_owned()
        } else {
            format!("unseen{missing}")
        };
        let user = seen.remove(&missing).unwrap_or_else(|| named(name));
        assert_eq!(
            site.add_user(User {
                id: missing,
                ..user
            }),
            Some(missing)
        );
    }
}

fn named_in_report(user_id: u64, report: &Value) -> User {
    let fullname = text(report, "userfullname");
    let (firstname, lastname) = fullname.split_once(' ').expect("two names");
    User {
        username: format!("unseen{user_id}"),
        email: format!("unseen{user_id}@unseen.example"),
        firstname: firstname.to_owned(),
        lastname: lastname.to_owned(),
        idnumber: text(report, "useridnumber"),
        ..User::default()
    }
}

fn user_of(user: &Value) -> User {
    let fields = items(&user["customfields"]);
    User {
        id: id(user, "id"),
        username: text(user, "username"),
        idnumber: text(user, "idnumber"),
        firstname: text(user, "firstname"),
        lastname: text(user, "lastname"),
        email: text(user, "email"),
        city: text(user, "city"),
        country: text(user, "country"),
        custom_fields: fields
            .map(|f| (text(f, "shortname"), text(f, "value")))
            .collect(),
        ..User::default()
    }
}

/// One course is shown with everybody in it; for the others, what those have in common with it.
fn seed_enrolments(site: &MoodleSimulator, recorded: &Recorded) {
    let course = 2;
    for person in items(recorded.answer("enrolled_users_bad_option")) {
        let user_id = id(person, "id");
        let roles: BTreeSet<u64> = items(&person["roles"])
            .map(|role| id(role, "roleid"))
            .collect();
        let active: BTreeSet<u64> = items(&person["enrolledcourses"])
            .map(|c| id(c, "id"))
            .collect();
        for course_id in active.iter().copied().chain([course]) {
            let suspended = !active.contains(&course_id);
            let roles = roles.clone();
            site.put_enrolment(Enrolment {
                course_id,
                user_id,
                roles,
                suspended,
                ..Enrolment::default()
            });
        }
    }
    for shown in items(recorded.answer("users_courses_ok")) {
        fill_up(site, id(shown, "id"), id(shown, "enrolledusercount"));
    }
}

/// Enrols people nobody asks about until the course has as many as it said.
fn fill_up(site: &MoodleSimulator, course_id: u64, wanted: u64) {
    let enrolled = site.enrolments();
    let others = (4..FIRST_CREATED).filter(|user_id| {
        *user_id != WEAK_USER
            && !enrolled
                .iter()
                .any(|e| e.user_id == *user_id && e.course_id <= 2)
    });
    let already = enrolled.iter().filter(|e| e.course_id == course_id).count();
    let wanted = usize::try_from(wanted).expect("a count");
    for user_id in others.take(wanted - already) {
        site.enrol_student(course_id, user_id);
    }
}

/// The group that was made while recording.
pub fn add_recorded_group(site: &MoodleSimulator) {
    site.add_group(Group {
        id: 1,
        course_id: 2,
        name: "Class A".to_owned(),
        members: vec![6],
    });
}
