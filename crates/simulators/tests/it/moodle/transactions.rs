//! Which batches keep all rows or none, and which keep the good ones.

use mzi_simulators::moodle::{Enrolment, role};

use super::client::{call, demo_site};

fn row(at: usize, username: &str, email: &str) -> Vec<(String, String)> {
    [
        ("username", username),
        ("createpassword", "1"),
        ("firstname", "Nadia"),
        ("lastname", "Newman"),
        ("email", email),
    ]
    .into_iter()
    .map(|(key, value)| (format!("users[{at}][{key}]"), value.to_owned()))
    .collect()
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

#[tokio::test]
async fn one_bad_row_keeps_no_user_of_the_batch() {
    let site = demo_site().await;
    let before = site.users().len();
    let batch = [
        row(0, "batch.one", "one@x.example"),
        row(1, "student01", "two@x.example"),
    ]
    .concat();

    let received = call(&site, "core_user_create_users", &borrowed(&batch)).await;

    assert_eq!(received.errorcode(), "invalidparameter");
    assert_eq!(site.users().len(), before);
    assert_eq!(site.user_named("batch.one").map(|user| user.id), None);
}

#[tokio::test]
async fn a_row_too_long_for_its_column_keeps_no_user_of_the_batch_either() {
    let site = demo_site().await;
    let long = format!("{}@x.example", "a".repeat(100));
    let batch = [
        row(0, "batch.one", "one@x.example"),
        row(1, "batch.two", &long),
    ]
    .concat();

    let received = call(&site, "core_user_create_users", &borrowed(&batch)).await;

    assert_eq!(received.errorcode(), "dmlwriteexception");
    assert!(site.user_named("batch.one").is_none());
}

#[tokio::test]
async fn rows_of_one_batch_are_duplicates_of_each_other() {
    let site = demo_site().await;
    let batch = [
        row(0, "one", "same@x.example"),
        row(1, "two", "SAME@x.example"),
    ]
    .concat();

    let received = call(&site, "core_user_create_users", &borrowed(&batch)).await;

    assert_eq!(received.errorcode(), "invalidparameter");
}

#[tokio::test]
async fn one_bad_row_brings_every_enrolment_of_the_batch_back_to_what_it_was() {
    let site = demo_site().await;
    let user = site.user_named("student01").unwrap().id;
    let before = Enrolment {
        course_id: 2,
        user_id: user,
        roles: [role::STUDENT].into(),
        suspended: true,
        time_end: 4_102_444_800,
        ..Enrolment::default()
    };
    site.put_enrolment(before.clone());
    site.remove_enrolment(3, user);
    let id = user.to_string();
    let mut batch = Vec::new();
    for (at, course) in ["2", "3", "99999"].into_iter().enumerate() {
        for (key, value) in [
            ("roleid", "5"),
            ("userid", id.as_str()),
            ("courseid", course),
        ] {
            batch.push((format!("enrolments[{at}][{key}]"), value.to_owned()));
        }
    }

    let received = call(&site, "enrol_manual_enrol_users", &borrowed(&batch)).await;

    assert_eq!(received.errorcode(), "invalidparameter");
    assert_eq!(site.enrolment(2, user), Some(before));
    assert_eq!(site.enrolment(3, user), None);
}

#[tokio::test]
async fn one_bad_row_unenrols_nobody() {
    let site = demo_site().await;
    let id = site.user_named("student01").unwrap().id.to_string();
    let rows = [
        ("enrolments[0][userid]", id.as_str()),
        ("enrolments[0][courseid]", "2"),
        ("enrolments[1][userid]", id.as_str()),
        ("enrolments[1][courseid]", "99999"),
    ];
    let before = site.enrolments();

    let received = call(&site, "enrol_manual_unenrol_users", &rows).await;

    assert_eq!(received.errorcode(), "invalidrecordunknown");
    assert_eq!(site.enrolments(), before);
}

#[tokio::test]
async fn unenrolling_is_null_for_a_user_who_was_never_enrolled() {
    let site = demo_site().await;
    let rows = [
        ("enrolments[0][userid]", "2"),
        ("enrolments[0][courseid]", "2"),
    ];

    assert_eq!(
        call(&site, "enrol_manual_unenrol_users", &rows).await.body,
        "null"
    );
}

#[tokio::test]
async fn updating_users_keeps_the_good_rows_and_warns_of_the_others() {
    let site = demo_site().await;
    let student = |name| site.user_named(name).unwrap().id.to_string();
    let (first, second) = (student("student01"), student("student02"));
    let rows = [
        ("users[0][id]", first.as_str()),
        ("users[0][city]", "Kept Town"),
        ("users[1][id]", "999999"),
        ("users[2][id]", second.as_str()),
        (
            "users[2][email]",
            "amira.ashdown@students.northfield.example",
        ),
        ("users[3][id]", second.as_str()),
        ("users[3][username]", "student01"),
        ("users[4][id]", second.as_str()),
        ("users[4][suspended]", "1"),
    ];

    let received = call(&site, "core_user_update_users", &rows).await;

    assert_eq!(
        received.warning_codes(),
        ["invaliduserid", "useremailduplicate", "dmlwriteexception"]
    );
    assert_eq!(site.user_named("student01").unwrap().city, "Kept Town");
    assert!(site.user_named("student02").unwrap().suspended);
}

#[tokio::test]
async fn a_user_may_keep_the_own_email_in_another_case() {
    let site = demo_site().await;
    let id = site.user_named("student01").unwrap().id.to_string();
    let email = "AMIRA.ashdown@students.northfield.example";

    let rows = [("users[0][id]", id.as_str()), ("users[0][email]", email)];
    let received = call(&site, "core_user_update_users", &rows).await;

    assert!(received.warning_codes().is_empty());
    assert_eq!(site.user_named("student01").unwrap().email, email);
}

#[tokio::test]
async fn updating_courses_keeps_the_good_rows_and_warns_of_the_others() {
    let site = demo_site().await;
    let rows = [
        ("courses[0][id]", "2"),
        ("courses[0][visible]", "0"),
        ("courses[1][id]", "99999"),
        ("courses[2][id]", "3"),
        ("courses[2][shortname]", "COMP-U01"),
        ("courses[3][id]", "3"),
        ("courses[3][shortname]", "COMP-U02"),
    ];

    let received = call(&site, "core_course_update_courses", &rows).await;

    assert_eq!(
        received.warning_codes(),
        ["invalidrecordunknown", "shortnametaken"]
    );
    assert!(!site.course(2).unwrap().visible);
}

#[tokio::test]
async fn one_bad_row_keeps_no_course_of_the_batch() {
    let site = demo_site().await;
    let before = site.courses().len();
    let rows = [
        ("courses[0][fullname]", "First"),
        ("courses[0][shortname]", "first"),
        ("courses[0][categoryid]", "3"),
        ("courses[1][fullname]", "Second"),
        ("courses[1][shortname]", "first"),
        ("courses[1][categoryid]", "3"),
    ];

    let received = call(&site, "core_course_create_courses", &rows).await;

    assert_eq!(received.errorcode(), "shortnametaken");
    assert_eq!(site.courses().len(), before);
}
