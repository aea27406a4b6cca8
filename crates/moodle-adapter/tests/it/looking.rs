//! Looking things up.

use std::fmt::Write as _;

use mzi_ports::{
    Lms, LmsError,
    lms::{CourseKey, UserKey},
};
use mzi_simulators::moodle::MoodleVersion;
use wiremock::{
    Mock,
    matchers::{body_string_contains, method},
};

use crate::{
    recorded::{Recorded, VERSIONS, json},
    samples::{course_id, user_id},
    world::simulated,
};

const BY_FIELD: &str = "core_user_get_users_by_field";
const COURSES: &str = "core_course_get_courses_by_field";
const ENROLLED: &str = "core_enrol_get_enrolled_users";

fn texts<const N: usize>(values: [&str; N]) -> Vec<String> {
    values.map(str::to_owned).to_vec()
}

#[tokio::test]
async fn values_that_cannot_be_anybodys_are_not_asked_for() {
    let site = Recorded::empty().await;
    for (key, values) in [
        (UserKey::Id, texts(["", "0", "-3", "12x"])),
        (UserKey::IdNumber, texts(["", " "])),
        (UserKey::Username, texts(["", "Capital", "with space", "%"])),
        (UserKey::Email, texts(["", "\t"])),
    ] {
        assert_eq!(site.lms.users_by(key, &values).await, Ok(vec![]), "{key:?}");
    }
    assert_eq!(site.bodies().await, Vec::<String>::new());
}

#[tokio::test]
async fn fifty_values_go_into_one_call() {
    let site = Recorded::empty().await;
    for (count, calls) in [(50, 1), (51, 3)] {
        let values: Vec<String> = (0..count).map(|n| format!("{n}")).collect();
        site.lms.users_by(UserKey::IdNumber, &values).await.unwrap();
        assert_eq!(site.calls(BY_FIELD).await, calls);
    }
}

#[tokio::test]
async fn what_only_the_database_takes_for_the_same_is_not_found() {
    // MariaDB's collations ignore case and accents in every look-up.
    let site = Recorded::empty().await;
    let loose = r#"[
        {"id":7,"username":"jose","email":"José@college.example","idnumber":"a1"},
        {"id":8,"username":"other","email":"JOSE@college.example","idnumber":"A1"}]"#;
    site.answer(BY_FIELD, json(loose)).await;
    for (key, value, expected) in [
        (UserKey::Email, "jose@college.example", 8),
        (UserKey::Email, "josé@COLLEGE.example", 7),
        (UserKey::IdNumber, "A1", 8),
        (UserKey::Username, "jose", 7),
    ] {
        let found = site.lms.users_by(key, &texts([value])).await.unwrap();
        let ids: Vec<_> = found.iter().map(|user| user.id).collect();
        assert_eq!(ids, [user_id(expected)], "{value}");
    }
}

#[tokio::test]
async fn recorded_users_and_courses_are_read() {
    for version in VERSIONS {
        let site = Recorded::with(version, "get_users_by_field_email", BY_FIELD).await;
        let address = texts(["Ben.Ashdown@students.northfield.example"]);
        let found = site.lms.users_by(UserKey::Email, &address).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].username, "student02");
        assert_eq!(found[0].idnumber, "NFC01002");
        assert_eq!(found[0].last_name, "Ashdown");

        let site = Recorded::with(version, "get_courses_by_field_idnumber", COURSES).await;
        let found = site
            .lms
            .courses_by(CourseKey::IdNumber, "CLS-2026-COMP-U01")
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].fullname, "BTEC Unit: Programming");

        let site = Recorded::with(version, "get_categories_all", "any").await;
        let categories = site.lms.categories().await.unwrap();
        let names: Vec<_> = categories.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"Computing"), "{names:?}");

        let site = Recorded::with(version, "users_courses_ok", "any").await;
        assert!(!site.lms.courses_of(user_id(6)).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_course_whose_id_number_is_hidden_is_not_taken_for_one_without() {
    let site = Recorded::empty().await;
    let public_only = r#"{"courses":[{"id":7,"shortname":"R&amp;S","fullname":"Research"}]}"#;
    site.answer(COURSES, json(public_only)).await;
    let error = site
        .lms
        .courses_by(CourseKey::ShortName, "R&S")
        .await
        .unwrap_err();
    assert!(matches!(error, LmsError::Forbidden { .. }), "{error:?}");
    assert!(
        error.to_string().contains("moodle/course:update"),
        "{error}"
    );
}

#[tokio::test]
async fn names_come_as_people_typed_them() {
    // Measured on 4.5.6 and 5.1: course names are HTML-escaped, users' names are not.
    let site = Recorded::empty().await;
    let escaped = r#"{"courses":[{"id":7,"idnumber":"","shortname":"R&amp;S",
        "fullname":"Research &amp; Skills &lt;1&gt;"}]}"#;
    site.answer(COURSES, json(escaped)).await;
    let found = site
        .lms
        .courses_by(CourseKey::ShortName, "r&s")
        .await
        .unwrap();
    assert_eq!(found[0].shortname, "R&S");
    assert_eq!(found[0].fullname, "Research & Skills <1>");
}

#[tokio::test]
async fn a_class_list_of_more_than_a_page_is_read_to_its_end() {
    let site = Recorded::empty().await;
    for (from, people) in [(0, 1..501), (500, 501..1001), (1000, 0..0)] {
        let mut page = String::from("[");
        for (place, id) in people.enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(page, r#"{comma}{{"id":{id},"fullname":"Somebody"}}"#).unwrap();
        }
        page.push(']');
        let from = format!("%5Bname%5D=limitfrom&options%5B0%5D%5Bvalue%5D={from}&");
        Mock::given(method("POST"))
            .and(body_string_contains(from))
            .respond_with(json(&page))
            .mount(&site.server)
            .await;
    }
    let people = site.lms.enrolled_in(course_id(2)).await.unwrap();
    assert_eq!(people, (1..=1000).map(user_id).collect::<Vec<_>>());
    assert_eq!(site.calls(ENROLLED).await, 3);
}

#[tokio::test]
async fn people_are_listed_by_id_only() {
    let world = simulated(MoodleVersion::V5_1).await;
    let people = world.lms.enrolled_in(course_id(2)).await.unwrap();
    assert!(!people.is_empty());
    let call = world.site.calls().last.last().unwrap().body.clone();
    let pairs: Vec<_> = form_urlencoded::parse(&call).into_owned().collect();
    let option = |name: &str| {
        let at = pairs.iter().position(|(_, value)| value == name)?;
        pairs.get(at + 1).map(|(_, value)| value.clone())
    };
    assert_eq!(option("userfields").as_deref(), Some("id"));
}
