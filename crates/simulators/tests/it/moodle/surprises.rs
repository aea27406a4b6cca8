//! What surprises clients of Moodle (`docs/contracts`, and what the recordings show), one by one.

use mzi_simulators::moodle::{
    Capability, Course, MoodleOptions, MoodleSimulator, MoodleVersion, SiteMode, Token, TokenState,
    User,
};

use super::client::{FORM, call, demo_site, form, post, send};

const SITE_INFO: &str = "core_webservice_get_site_info";
const BY_FIELD: &str = "core_user_get_users_by_field";
const CREATE: &str = "core_user_create_users";
const UPDATE: &str = "core_user_update_users";
const ENROL: &str = "enrol_manual_enrol_users";

/// A user that can be created.
fn new_user<'a>(username: &'a str, email: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("users[0][username]", username),
        ("users[0][createpassword]", "1"),
        ("users[0][firstname]", "Nadia"),
        ("users[0][lastname]", "Newman"),
        ("users[0][email]", email),
    ]
}

#[tokio::test]
async fn a_bad_token_is_refused_with_status_200() {
    let site = demo_site().await;
    let pairs = [
        ("wstoken", "nope"),
        ("wsfunction", SITE_INFO),
        ("moodlewsrestformat", "json"),
    ];

    let received = post(&site, &pairs).await;

    assert_eq!(
        (received.status, received.content_type.as_str()),
        (200, "application/json")
    );
    assert_eq!(received.errorcode(), "invalidtoken");
}

#[tokio::test]
async fn without_the_format_parameter_results_and_refusals_are_xml() {
    let site = demo_site().await;
    let result = post(
        &site,
        &[("wstoken", site.token()), ("wsfunction", SITE_INFO)],
    )
    .await;
    let refusal = post(&site, &[("wsfunction", SITE_INFO)]).await;

    assert_eq!(result.content_type, "application/xml; charset=utf-8");
    assert!(
        result
            .body
            .contains("<KEY name=\"username\"><VALUE>bridge_ws</VALUE>")
    );
    assert!(refusal.body.contains("<ERRORCODE>invalidtoken</ERRORCODE>"));
}

#[tokio::test]
async fn a_json_body_is_ignored_and_a_query_is_not() {
    let site = demo_site().await;
    let pairs = [
        ("wstoken", site.token()),
        ("wsfunction", SITE_INFO),
        ("moodlewsrestformat", "json"),
    ];
    let path = "/webservice/rest/server.php";
    let target = format!("{path}?{}", form(&pairs));

    let ignored = send(
        &site,
        "POST",
        path,
        "application/json",
        "{\"wstoken\":\"x\"}",
    )
    .await;
    let by_query = send(&site, "GET", &target, FORM, "").await;

    assert!(ignored.body.contains("<ERRORCODE>invalidtoken</ERRORCODE>"));
    assert_eq!(by_query.json()["username"], "bridge_ws");
}

#[tokio::test]
async fn a_void_function_answers_null() {
    let site = demo_site().await;
    let user = site.user_named("student01").unwrap().id.to_string();
    let params = [
        ("enrolments[0][roleid]", "5"),
        ("enrolments[0][userid]", user.as_str()),
        ("enrolments[0][courseid]", "3"),
    ];

    assert_eq!(call(&site, ENROL, &params).await.body, "null");
}

#[tokio::test]
async fn names_come_back_raw_and_json_is_escaped_as_php_does() {
    let site = demo_site().await;
    let odd = User {
        username: "odd".to_owned(),
        firstname: "Zoë".to_owned(),
        lastname: "O'Neil & Sons / Ltd".to_owned(),
        ..User::default()
    };
    site.add_user(odd).unwrap();

    let received = call(
        &site,
        BY_FIELD,
        &[("field", "username"), ("values[0]", "odd")],
    )
    .await;

    assert!(
        received
            .body
            .contains(r#""fullname":"Zo\u00eb O'Neil & Sons \/ Ltd""#)
    );
    assert!(received.body.is_ascii());
}

#[tokio::test]
async fn a_missing_capability_looks_like_an_empty_site() {
    let site = demo_site().await;
    site.set_capability(Capability::ViewUsers, false);
    site.set_capability(Capability::ViewParticipants, false);
    let admin = [
        ("criteria[0][key]", "username"),
        ("criteria[0][value]", "admin"),
    ];
    let student = site.user_named("student01").unwrap().id.to_string();

    let users = call(&site, "core_user_get_users", &admin).await.json();
    let by_field = call(&site, BY_FIELD, &[("field", "id"), ("values[0]", "2")])
        .await
        .json();
    let courses = call(
        &site,
        "core_enrol_get_users_courses",
        &[("userid", &student)],
    )
    .await
    .json();

    assert_eq!(users["users"].as_array().unwrap().len(), 0);
    assert_eq!(
        (
            by_field.as_array().unwrap().len(),
            courses.as_array().unwrap().len()
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn other_missing_capabilities_are_named() {
    let site = demo_site().await;
    let course = [
        ("courses[0][fullname]", "A"),
        ("courses[0][shortname]", "A"),
        ("courses[0][categoryid]", "1"),
    ];
    for capability in [
        Capability::CreateUsers,
        Capability::CreateCourses,
        Capability::UpdateUsers,
    ] {
        site.set_capability(capability, false);
    }

    let user = call(&site, CREATE, &new_user("nadia", "nadia@x.example")).await;
    let updated = call(&site, UPDATE, &[("users[0][id]", "4")]).await;
    let created = call(&site, "core_course_create_courses", &course).await;

    assert!(user.body.contains("(Create users)"), "{}", user.body);
    for refused in [user, updated, created] {
        assert_eq!(refused.errorcode(), "nopermissions");
    }
}

#[tokio::test]
async fn a_function_outside_the_service_and_one_that_does_not_exist_are_refused_differently() {
    let site = demo_site().await;
    site.set_function(BY_FIELD, false);

    assert_eq!(
        call(&site, BY_FIELD, &[]).await.errorcode(),
        "accessexception"
    );
    assert_eq!(
        call(&site, "core_user_delete_users", &[]).await.errorcode(),
        "accessexception"
    );
    assert_eq!(
        call(&site, "core_no_such", &[]).await.errorcode(),
        "invalidrecordunknown"
    );
    assert_eq!(call(&site, "", &[]).await.errorcode(), "invalidparameter");
    let info = call(&site, SITE_INFO, &[]).await.json();
    assert!(
        info["functions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["name"] != BY_FIELD)
    );
}

#[tokio::test]
async fn an_expired_token_is_refused_once_and_unknown_after_that() {
    let site = demo_site().await;
    site.edit_token(|token| token.state = TokenState::Expired);

    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "accessexception"
    );
    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "invalidtoken"
    );
}

#[tokio::test]
async fn a_token_stops_working_in_three_ways() {
    let site = demo_site().await;
    let pairs = |token| {
        [
            ("wstoken", token),
            ("wsfunction", SITE_INFO),
            ("moodlewsrestformat", "json"),
        ]
    };
    site.put_token(
        "elsewhere",
        Token {
            state: TokenState::AddressRefused,
            ..Token::of(3)
        },
    );
    site.put_token(
        "disabled",
        Token {
            state: TokenState::ServiceDisabled,
            ..Token::of(3)
        },
    );

    assert_eq!(
        post(&site, &pairs("elsewhere")).await.errorcode(),
        "accessexception"
    );
    assert_eq!(
        post(&site, &pairs("disabled")).await.errorcode(),
        "accessexception"
    );
    assert!(site.suspend_user(3, true));
    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "wsaccessusersuspended"
    );
    assert!(site.suspend_user(3, false));
    site.revoke_token(site.token());
    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "invalidtoken"
    );
}

#[tokio::test]
async fn a_closed_site_answers_in_one_of_three_ways() {
    let site = demo_site().await;
    site.set_mode(SiteMode::Maintenance);
    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "sitemaintenance"
    );

    site.set_mode(SiteMode::CliMaintenance);
    let down = call(&site, SITE_INFO, &[]).await;
    assert_eq!(
        (down.status, down.content_type.as_str()),
        (503, "text/html; charset=utf-8")
    );

    site.set_mode(SiteMode::WebServicesOff);
    let off = call(&site, SITE_INFO, &[]).await;
    assert_eq!((off.status, off.body.as_str()), (403, ""));
}

#[tokio::test]
async fn a_missing_row_has_another_code_on_4_5() {
    let options = MoodleOptions {
        version: MoodleVersion::V4_5,
        ..MoodleOptions::default()
    };
    let older = MoodleSimulator::start(options).await.unwrap();
    let newer = demo_site().await;
    let unknown_course = [("courseid", "99999")];
    let unknown_user = [
        ("enrolments[0][roleid]", "5"),
        ("enrolments[0][userid]", "99999"),
        ("enrolments[0][courseid]", "2"),
    ];

    for (site, course, user) in [
        (&older, "invalidrecord", "invaliduser"),
        (&newer, "invalidrecordunknown", "invalidrecordunknown"),
    ] {
        let listed = call(site, "core_enrol_get_enrolled_users", &unknown_course).await;
        assert_eq!(listed.errorcode(), course);
        assert_eq!(call(site, ENROL, &unknown_user).await.errorcode(), user);
    }
}

#[tokio::test]
async fn bad_data_and_duplicates_are_the_same_refusal() {
    let site = demo_site().await;
    let taken = "amira.ashdown@students.northfield.example";
    let mut unknown_key = new_user("fine", "fine@x.example");
    unknown_key.push(("users[0][nosuch]", "1"));
    for params in [
        new_user("student01", "other@x.example"),
        new_user("other", taken),
        new_user("other", &taken.to_uppercase()),
        new_user("Other", "other@x.example"),
        new_user("other", "not-an-email"),
        unknown_key,
        Vec::new(),
    ] {
        assert_eq!(
            call(&site, CREATE, &params).await.errorcode(),
            "invalidparameter",
            "{params:?}"
        );
    }
}

#[tokio::test]
async fn an_idnumber_may_belong_to_two_users() {
    let site = demo_site().await;
    let mut params = new_user("nadia", "nadia@x.example");
    params.push(("users[0][idnumber]", "NFC01001"));

    assert!(call(&site, CREATE, &params).await.json()[0]["id"].is_u64());
    let found = call(
        &site,
        BY_FIELD,
        &[("field", "idnumber"), ("values[0]", "NFC01001")],
    )
    .await;
    assert_eq!(found.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_unknown_country_or_profile_field_is_accepted_without_a_word() {
    let site = demo_site().await;
    let mut params = new_user("nadia", "nadia@x.example");
    params.extend([
        ("users[0][country]", "ZZZ"),
        ("users[0][customfields][0][type]", "nosuch"),
        ("users[0][customfields][0][value]", "x"),
        ("users[0][customfields][1][type]", "zoho_student_id"),
        ("users[0][customfields][1][value]", "900"),
    ]);

    call(&site, CREATE, &params).await;

    let user = site.user_named("nadia").unwrap();
    assert_eq!((user.country.as_str(), user.create_password), ("GB", true));
    assert_eq!(
        user.custom_fields.into_iter().collect::<Vec<_>>(),
        [("zoho_student_id".to_owned(), "900".to_owned())]
    );
}

#[tokio::test]
async fn a_weak_password_has_html_for_a_code_on_create_and_another_code_on_update() {
    let site = demo_site().await;
    let mut params = new_user("nadia", "nadia@x.example");
    params[1] = ("users[0][password]", "short");
    let student = site.user_named("student01").unwrap();
    let id = student.id.to_string();

    let created = call(&site, CREATE, &params).await;
    let updated = call(
        &site,
        UPDATE,
        &[("users[0][id]", &id), ("users[0][password]", "short")],
    )
    .await;

    assert!(
        created
            .errorcode()
            .starts_with("<div>Passwords must be at least 8")
    );
    assert_eq!(updated.errorcode(), "invalidresponse");
    assert_eq!(
        site.user(student.id).unwrap().time_modified,
        student.time_modified
    );
}

#[tokio::test]
async fn administrators_are_not_updated() {
    let site = demo_site().await;

    let received = call(
        &site,
        UPDATE,
        &[("users[0][id]", "2"), ("users[0][city]", "X")],
    )
    .await;

    assert_eq!(received.warning_codes(), ["usernotupdatedadmin"]);
    assert_eq!(site.user(2).unwrap().city, "");
}

#[tokio::test]
async fn a_percent_sign_is_a_wildcard_and_a_key_may_come_once() {
    let site = demo_site().await;
    let pattern = [
        ("criteria[0][key]", "email"),
        ("criteria[0][value]", "%@students.northfield.example"),
    ];
    let twice = [
        ("criteria[0][key]", "email"),
        ("criteria[0][value]", "a"),
        ("criteria[1][key]", "email"),
        ("criteria[1][value]", "b"),
    ];

    let found = call(&site, "core_user_get_users", &pattern).await.json();

    assert_eq!(found["users"].as_array().unwrap().len(), 6);
    assert_eq!(
        call(&site, "core_user_get_users", &twice).await.errorcode(),
        "keyalreadyset"
    );
}

#[tokio::test]
async fn a_suspended_enrolment_is_missing_from_the_users_courses_but_not_from_the_course() {
    let site = demo_site().await;
    let user = site.user_named("student01").unwrap().id;
    let id = user.to_string();
    let row = [
        ("enrolments[0][roleid]", "5"),
        ("enrolments[0][userid]", id.as_str()),
        ("enrolments[0][courseid]", "2"),
        ("enrolments[0][suspend]", "1"),
    ];
    call(&site, ENROL, &row).await;

    let courses = call(&site, "core_enrol_get_users_courses", &[("userid", &id)])
        .await
        .json();
    let all = call(&site, "core_enrol_get_enrolled_users", &[("courseid", "2")])
        .await
        .json();
    let active = [
        ("courseid", "2"),
        ("options[0][name]", "onlyactive"),
        ("options[0][value]", "1"),
    ];
    let active = call(&site, "core_enrol_get_enrolled_users", &active)
        .await
        .json();

    let lists =
        |body: &serde_json::Value, id: u64| body.as_array().unwrap().iter().any(|x| x["id"] == id);
    assert!(!lists(&courses, 2));
    assert!(lists(&all, user) && !lists(&active, user));
}

#[tokio::test]
async fn enrolling_again_without_a_word_about_suspension_ends_it_and_the_dates() {
    let site = demo_site().await;
    let user = site.user_named("student01").unwrap().id;
    let id = user.to_string();
    let row = [
        ("enrolments[0][roleid]", "5"),
        ("enrolments[0][userid]", id.as_str()),
        ("enrolments[0][courseid]", "2"),
        ("enrolments[0][suspend]", "1"),
        ("enrolments[0][timeend]", "4102444800"),
    ];
    call(&site, ENROL, &row).await;
    assert!(site.enrolment(2, user).unwrap().suspended);

    call(&site, ENROL, &row[..3]).await;

    let enrolment = site.enrolment(2, user).unwrap();
    assert_eq!((enrolment.suspended, enrolment.time_end), (false, 0));
}

#[tokio::test]
async fn a_manager_cannot_be_made_and_an_unknown_course_is_bad_data() {
    let site = demo_site().await;
    let row = |role, course| {
        [
            ("enrolments[0][roleid]", role),
            ("enrolments[0][userid]", "5"),
            ("enrolments[0][courseid]", course),
        ]
    };

    assert_eq!(
        call(&site, ENROL, &row("1", "2")).await.errorcode(),
        "wsusercannotassign"
    );
    assert_eq!(
        call(&site, ENROL, &row("5", "99999")).await.errorcode(),
        "invalidparameter"
    );
    site.set_capability(Capability::ViewCourses, false);
    assert_eq!(
        call(&site, ENROL, &row("5", "2")).await.errorcode(),
        "requireloginerror"
    );
}

#[tokio::test]
async fn short_names_and_idnumbers_of_courses_are_checked_and_formats_are_not() {
    let site = demo_site().await;
    let row = |shortname, idnumber, end| {
        [
            ("courses[0][fullname]", "Invented"),
            ("courses[0][shortname]", shortname),
            ("courses[0][idnumber]", idnumber),
            ("courses[0][categoryid]", "3"),
            ("courses[0][format]", "nosuch"),
            ("courses[0][startdate]", "1788220800"),
            ("courses[0][enddate]", end),
        ]
    };
    let later = "1814400000";
    for (params, expected) in [
        (row("COMP-U01", "new", later), "shortnametaken"),
        (
            row("new", "CLS-2026-COMP-U01", later),
            "courseidnumbertaken",
        ),
        (row("new", "new", "1700000000"), "enddatebeforestartdate"),
        (row("", "new", later), "errorinvalidparam"),
        (row("new", "new", later), ""),
    ] {
        let received = call(&site, "core_course_create_courses", &params).await;
        assert_eq!(received.errorcode(), expected, "{}", received.body);
    }
    assert_eq!(site.courses().last().unwrap().format, "nosuch");
}

#[tokio::test]
async fn a_list_of_all_courses_includes_the_site_itself() {
    let site = demo_site().await;
    let all = call(&site, "core_course_get_courses_by_field", &[])
        .await
        .json();

    assert_eq!(all["courses"][0]["format"], "site");
    assert_eq!(all["courses"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn categories_hide_their_idnumbers_from_those_who_do_not_manage_them() {
    let site = demo_site().await;
    let by_number = [
        ("criteria[0][key]", "idnumber"),
        ("criteria[0][value]", "BTEC-COMP"),
    ];
    let found = call(&site, "core_course_get_categories", &by_number)
        .await
        .json();
    assert_eq!(found[0]["path"], "/2/3");

    site.set_capability(Capability::ManageCategories, false);

    let refused = call(&site, "core_course_get_categories", &by_number).await;
    let all = call(&site, "core_course_get_categories", &[]).await.json();
    assert_eq!(refused.errorcode(), "criteriaerror");
    assert!(all[0].get("idnumber").is_none());
}

#[tokio::test]
async fn assignments_need_the_flag_because_the_caller_is_in_no_course() {
    let site = demo_site().await;
    let without = [("courseids[0]", "2")];
    let with = [("courseids[0]", "2"), ("includenotenrolledcourses", "1")];

    assert_eq!(
        call(&site, "mod_assign_get_assignments", &without)
            .await
            .warning_codes(),
        ["2"]
    );
    let shown = call(&site, "mod_assign_get_assignments", &with)
        .await
        .json();
    assert_eq!(shown["courses"][0]["assignments"][1]["grade"], -3);
    assert_eq!(shown["courses"][0]["assignments"][0]["gradepenalty"], 0);
}

#[tokio::test]
async fn a_moved_site_says_so_and_goes_on_listening() {
    let site = demo_site().await;
    site.set_site_url("https://moodle.northfield.example/");
    site.edit_course(2, |course| {
        *course = Course {
            fullname: "Renamed".to_owned(),
            ..course.clone()
        }
    });

    let info = call(&site, SITE_INFO, &[]).await.json();

    assert_eq!(info["siteurl"], "https://moodle.northfield.example");
}
