//! Parallel calls, as measured on real sites: what has no unique index is duplicated.

use std::time::Duration;

use futures_util::future::join_all;
use mzi_simulators::moodle::{MoodleOptions, MoodleSimulator};

use super::client::{Received, call, demo_site};

const PARALLEL: usize = 6;

/// A site whose checks look this long before they write.
async fn racing_site() -> MoodleSimulator {
    let race_window = Some(Duration::from_millis(500));
    let options = MoodleOptions {
        race_window,
        ..MoodleOptions::default()
    };
    MoodleSimulator::start(options).await.expect("a free port")
}

async fn create_user(site: &MoodleSimulator, username: &str, email: &str) -> Received {
    let params = [
        ("users[0][username]", username),
        ("users[0][createpassword]", "1"),
        ("users[0][firstname]", "Nadia"),
        ("users[0][lastname]", "Newman"),
        ("users[0][email]", email),
    ];
    call(site, "core_user_create_users", &params).await
}

async fn same_email(site: &MoodleSimulator) -> Vec<Received> {
    let creates = (0..PARALLEL)
        .map(|n| async move { create_user(site, &format!("race{n}"), "same@x.example").await });
    join_all(creates).await
}

fn created(received: &[Received]) -> usize {
    received
        .iter()
        .filter(|received| received.json().is_array())
        .count()
}

#[tokio::test]
async fn the_same_email_is_given_to_every_parallel_create() {
    let site = racing_site().await;

    let received = same_email(&site).await;

    assert_eq!(created(&received), PARALLEL);
    let holders = site
        .users()
        .into_iter()
        .filter(|user| user.email == "same@x.example");
    assert_eq!(holders.count(), PARALLEL);
}

#[tokio::test]
async fn without_a_window_one_create_wins() {
    let site = demo_site().await;

    assert_eq!(created(&same_email(&site).await), 1);
}

#[tokio::test]
async fn the_window_can_be_closed_while_the_site_runs() {
    let site = racing_site().await;
    site.set_race_window(None);

    assert_eq!(created(&same_email(&site).await), 1);
}

#[tokio::test]
async fn a_username_is_given_once_and_the_database_refuses_the_others() {
    let site = racing_site().await;
    let emails: Vec<String> = (0..PARALLEL)
        .map(|n| format!("race{n}@x.example"))
        .collect();

    let received = join_all(emails.iter().map(|email| create_user(&site, "same", email))).await;

    assert_eq!(created(&received), 1);
    let refused = received
        .iter()
        .filter(|r| r.errorcode() == "dmlwriteexception")
        .count();
    assert_eq!(refused, PARALLEL - 1);
}

#[tokio::test]
async fn the_same_short_name_is_given_to_every_parallel_course() {
    let site = racing_site().await;
    let params = [
        ("courses[0][fullname]", "Invented"),
        ("courses[0][shortname]", "same"),
        ("courses[0][idnumber]", "zoho:1"),
        ("courses[0][categoryid]", "3"),
    ];

    let creates = (0..PARALLEL).map(|_| call(&site, "core_course_create_courses", &params));
    let received = join_all(creates).await;

    assert_eq!(created(&received), PARALLEL);
    let later = call(&site, "core_course_create_courses", &params).await;
    assert_eq!(later.errorcode(), "shortnametaken");
}

#[tokio::test]
async fn parallel_enrolments_end_in_one() {
    let site = racing_site().await;
    let params = [
        ("enrolments[0][roleid]", "5"),
        ("enrolments[0][userid]", "2"),
        ("enrolments[0][courseid]", "2"),
    ];

    let enrols = (0..PARALLEL).map(|_| call(&site, "enrol_manual_enrol_users", &params));
    let received = join_all(enrols).await;

    assert_eq!(received.iter().filter(|r| r.body == "null").count(), 1);
    let refused = received
        .iter()
        .filter(|r| r.errorcode() == "dmlwriteexception")
        .count();
    assert_eq!(refused, PARALLEL - 1);
    assert!(site.enrolment(2, 2).is_some());
}
