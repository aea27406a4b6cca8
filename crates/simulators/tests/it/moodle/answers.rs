//! Answers the recordings show too little of: paging, reports of a half-graded course, direct edits.

use mzi_simulators::moodle::{AssignmentGrade, Grade, Group, MoodleSimulator, Submission};
use serde_json::Value;

use super::client::{call, demo_site};

const ENROLLED: &str = "core_enrol_get_enrolled_users";

/// The usernames listed in course 2 with these options.
async fn listed(site: &MoodleSimulator, options: &[(&str, &str)]) -> Vec<String> {
    let mut params = vec![("courseid".to_owned(), "2".to_owned())];
    for (at, (name, value)) in options.iter().enumerate() {
        params.push((format!("options[{at}][name]"), (*name).to_owned()));
        params.push((format!("options[{at}][value]"), (*value).to_owned()));
    }
    let params: Vec<(&str, &str)> = params
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    let body = call(site, ENROLLED, &params).await.json();
    let people = body.as_array().unwrap_or_else(|| panic!("{body}"));
    people
        .iter()
        .map(|person| person["username"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn participants_are_sorted_and_paged() {
    let site = demo_site().await;

    let all = listed(&site, &[]).await;
    let page = listed(&site, &[("limitfrom", "2"), ("limitnumber", "2")]).await;
    let reversed = listed(&site, &[("sortby", "firstname"), ("sortdirection", "DESC")]).await;
    let past_end = listed(&site, &[("limitfrom", "5000")]).await;

    assert_eq!((all[0].as_str(), all.len()), ("teacher01", 7));
    assert_eq!(page, ["student02", "student03"]);
    assert_eq!(
        (reversed[0].as_str(), reversed[6].as_str()),
        ("teacher01", "student01")
    );
    assert!(past_end.is_empty());
}

#[tokio::test]
async fn participants_can_be_narrowed_to_a_group() {
    let site = demo_site().await;
    let member = site.user_named("student03").unwrap().id;
    site.add_group(Group {
        id: 9,
        course_id: 2,
        name: "Class A".to_owned(),
        members: vec![member],
    });

    assert_eq!(listed(&site, &[("groupid", "9")]).await, ["student03"]);
}

#[tokio::test]
async fn an_option_with_a_bad_value_is_refused() {
    let site = demo_site().await;
    for (name, value) in [
        ("limitnumber", "many"),
        ("sortby", "shoe"),
        ("sortdirection", "UP"),
    ] {
        let params = [
            ("courseid", "2"),
            ("options[0][name]", name),
            ("options[0][value]", value),
        ];
        assert_eq!(
            call(&site, ENROLLED, &params).await.errorcode(),
            "invalidparameter",
            "{name}"
        );
    }
}

/// The line of one column and the course's total in a learner's report of course 2.
async fn report(site: &MoodleSimulator, user: u64, column: usize) -> (Value, Value) {
    let user = user.to_string();
    let params = [("courseid", "2"), ("userid", user.as_str())];
    let body = call(site, "gradereport_user_get_grade_items", &params)
        .await
        .json();
    let items = body["usergrades"][0]["gradeitems"]
        .as_array()
        .expect("items")
        .clone();
    (
        items[column].clone(),
        items.last().expect("a total").clone(),
    )
}

#[tokio::test]
async fn an_ungraded_learner_has_dashes_and_no_weights() {
    let site = demo_site().await;
    let (line, total) = report(&site, site.user_named("student06").unwrap().id, 0).await;

    assert_eq!(
        (&line["graderaw"], line["gradeformatted"].as_str()),
        (&Value::Null, Some("-"))
    );
    assert!(line.get("weightraw").is_none());
    assert_eq!(total["grademax"], 104);
}

#[tokio::test]
async fn a_scale_grade_is_a_word_and_its_number_counts_from_one() {
    let site = demo_site().await;
    let student = site.user_named("student03").unwrap().id;
    let (line, _) = report(&site, student, 1).await;

    assert_eq!(
        (&line["graderaw"], line["gradeformatted"].as_str()),
        (&3.into(), Some("Merit"))
    );
    assert_eq!(line["percentageformatted"], "66.67 %");
    assert_eq!(line["rangeformatted"], "Refer&ndash;Distinction");
}

#[tokio::test]
async fn a_total_counts_graded_columns_only() {
    let site = demo_site().await;
    let student = site.user_named("student06").unwrap().id;
    site.put_grade(Grade {
        item_id: 2,
        user_id: student,
        value: 40.0,
        hidden: true,
        ..Grade::default()
    });

    let (line, total) = report(&site, student, 0).await;

    assert_eq!(
        (&line["gradeishidden"], &line["weightraw"]),
        (&true.into(), &1.into())
    );
    assert_eq!(
        (&total["graderaw"], &total["grademax"]),
        (&40.into(), &100.into())
    );
}

#[tokio::test]
async fn the_gradebook_keeps_the_grade_that_assignments_lose_when_reopened() {
    let site = demo_site().await;
    let student = site.user_named("student01").unwrap().id;
    let shows = async |site: &MoodleSimulator| {
        let body = call(site, "mod_assign_get_grades", &[("assignmentids[0]", "1")])
            .await
            .json();
        let grades = body["assignments"][0]["grades"]
            .as_array()
            .expect("grades")
            .clone();
        grades.iter().any(|grade| grade["userid"] == student)
    };
    assert!(shows(&site).await);

    site.put_submission(Submission {
        assignment_id: 1,
        user_id: student,
        attempt: 1,
    });

    assert!(!shows(&site).await);
    assert_eq!(report(&site, student, 0).await.0["graderaw"], 45);
}

#[tokio::test]
async fn an_opened_but_ungraded_attempt_is_minus_one() {
    let site = demo_site().await;
    let student = site.user_named("student06").unwrap().id;
    site.put_submission(Submission {
        assignment_id: 1,
        user_id: student,
        attempt: 0,
    });
    let opened = AssignmentGrade {
        assignment_id: 1,
        user_id: student,
        grade: -1.0,
        ..AssignmentGrade::default()
    };
    site.put_assignment_grade(opened);

    let body = call(&site, "mod_assign_get_grades", &[("assignmentids[0]", "1")])
        .await
        .body;

    assert!(body.contains("\"grade\":\"-1.00000\""), "{body}");
}

#[tokio::test]
async fn a_deleted_user_is_found_by_nothing_and_enrolled_nowhere() {
    let site = demo_site().await;
    let user = site.user_named("student01").unwrap();

    assert!(site.delete_user(user.id));

    let id = user.id.to_string();
    for (field, value) in [
        ("id", id.as_str()),
        ("username", "student01"),
        ("email", &user.email),
    ] {
        let params = [("field", field), ("values[0]", value)];
        assert_eq!(
            call(&site, "core_user_get_users_by_field", &params)
                .await
                .body,
            "[]",
            "{field}"
        );
    }
    assert!(
        site.enrolments()
            .iter()
            .all(|enrolment| enrolment.user_id != user.id)
    );
}

#[tokio::test]
async fn a_stopped_site_listens_no_more() {
    let site = demo_site().await;
    let host = site.base_url().trim_start_matches("http://").to_owned();
    site.stop().await;

    assert!(tokio::net::TcpStream::connect(host).await.is_err());
}
