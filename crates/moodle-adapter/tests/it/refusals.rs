//! What each recorded refusal means (contracts/moodle.md §5), on both recorded versions.

use mzi_ports::{Lms, LmsError, Retry, lms::refusal};

use crate::{
    recorded::{Recorded, VERSIONS, function_of},
    samples::{change, checked_student, course, course_id, renamed, seat, student, user_id},
};

fn code_of_rejection(error: &LmsError) -> &str {
    match error {
        LmsError::Rejected { code, .. } => code,
        other => panic!("not a rejection: {other:?}"),
    }
}

#[tokio::test]
async fn a_refused_token_pauses_the_connection() {
    for version in VERSIONS {
        for fixture in [
            "auth_bad_token",
            "auth_empty_token",
            "auth_expired_token_second_use",
            "auth_missing_token",
            "auth_ws_user_suspended",
        ] {
            let site = Recorded::with(version, fixture, "any").await;
            let error = site.lms.site().await.unwrap_err();
            assert!(
                matches!(error, LmsError::Unauthorised { .. }),
                "{fixture}: {error:?}"
            );
            assert_eq!(error.retry(), Retry::AfterReauth);
        }
    }
}

#[tokio::test]
async fn a_function_out_of_reach_is_named_with_what_to_add() {
    for version in VERSIONS {
        for fixture in [
            "auth_expired_token_first_use",
            "auth_ip_restricted_token",
            "auth_service_disabled",
            "auth_user_lacks_rest_capability",
            "fn_not_in_service",
        ] {
            let site = Recorded::with(version, fixture, "any").await;
            let text = site
                .lms
                .create_user(&student(1))
                .await
                .unwrap_err()
                .to_string();
            assert!(text.contains("core_user_get_users_by_field"), "{text}");
            assert!(text.contains("external service"), "{text}");
            assert!(text.contains("accessexception"), "{text}");
        }
        let site = Recorded::with(version, "fn_unknown", "any").await;
        let error = site.lms.site().await.unwrap_err();
        assert!(matches!(error, LmsError::Forbidden { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_missing_capability_is_named() {
    for version in VERSIONS {
        let site = Recorded::with(
            version,
            "create_users_no_capability",
            "core_user_create_users",
        )
        .await;
        let text = site
            .lms
            .create_user(&student(1))
            .await
            .unwrap_err()
            .to_string();
        assert!(text.contains("moodle/user:create"), "{text}");

        let site = Recorded::with(
            version,
            "update_users_no_capability",
            "core_user_update_users",
        )
        .await;
        let error = site
            .lms
            .update_users(&[change(user_id(57))])
            .await
            .unwrap_err();
        assert!(error.to_string().contains("moodle/user:update"), "{error}");

        let fixture = "create_courses_no_capability";
        let site = Recorded::with(version, fixture, "core_course_create_courses").await;
        let text = site
            .lms
            .create_course(&course(1))
            .await
            .unwrap_err()
            .to_string();
        assert!(text.contains("moodle/course:create"), "{text}");

        for fixture in [
            "enrol_no_capability",
            "enrol_role_not_allowed",
            "enrol_unknown_role",
        ] {
            let site = Recorded::with(version, fixture, "enrol_manual_enrol_users").await;
            let outcomes = site
                .lms
                .enrol(&[seat(user_id(57), course_id(2))])
                .await
                .unwrap();
            let [Err(error @ LmsError::Forbidden { .. })] = outcomes.as_slice() else {
                panic!("{outcomes:?}");
            };
            assert!(error.to_string().contains("enrol/manual:enrol"), "{error}");
            assert!(error.to_string().contains("moodle/role:assign"), "{error}");
        }
    }
}

#[tokio::test]
async fn services_that_are_switched_off_are_named() {
    for version in VERSIONS {
        for fixture in ["state_webservices_disabled", "state_rest_protocol_disabled"] {
            let site = Recorded::with(version, fixture, "any").await;
            let text = site.lms.site().await.unwrap_err().to_string();
            assert!(text.contains("enable web services"), "{text}");
            assert!(text.contains("Manage protocols"), "{text}");
        }
    }
}

#[tokio::test]
async fn maintenance_is_an_outage() {
    for version in VERSIONS {
        for fixture in ["state_cli_maintenance", "state_maintenance_mode"] {
            let site = Recorded::with(version, fixture, "any").await;
            let error = site.lms.create_user(&checked_student(1)).await.unwrap_err();
            assert!(
                matches!(error, LmsError::Unavailable { .. }),
                "{fixture}: {error:?}"
            );
            assert_eq!(site.bodies().await.len(), 1, "{fixture}");
        }
    }
}

#[tokio::test]
async fn bad_data_for_a_new_user_is_a_rejection_once_nobody_is_found() {
    for version in VERSIONS {
        for fixture in [
            "create_users_bad_auth",
            "create_users_empty_lastname",
            "create_users_firstname_html",
            "create_users_invalid_email",
            "create_users_no_password",
            "create_users_username_invalid_chars",
            "create_users_username_uppercase",
        ] {
            let site = Recorded::with(version, fixture, "core_user_create_users").await;
            let error = site.lms.create_user(&checked_student(1)).await.unwrap_err();
            assert_eq!(code_of_rejection(&error), "invalidparameter", "{fixture}");
            assert_eq!(site.calls("core_user_create_users").await, 1, "{fixture}");
        }
    }
}

#[tokio::test]
async fn a_database_that_refuses_twice_is_an_outage() {
    for version in VERSIONS {
        let fixture = "create_users_firstname_too_long";
        let site = Recorded::with(version, fixture, "core_user_create_users").await;
        let error = site.lms.create_user(&checked_student(1)).await.unwrap_err();
        assert!(matches!(error, LmsError::Unavailable { .. }), "{error:?}");
        assert_eq!(site.calls("core_user_create_users").await, 2);
    }
}

#[tokio::test]
async fn a_password_policy_is_shown_without_its_tags() {
    for version in VERSIONS {
        let fixture = "create_users_bad_password";
        let site = Recorded::with(version, fixture, "core_user_create_users").await;
        let error = site.lms.create_user(&checked_student(1)).await.unwrap_err();
        let LmsError::Rejected { code, message, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(code, "passwordpolicy");
        assert!(
            message.starts_with("Passwords must be at least 8"),
            "{message}"
        );
        assert!(!message.contains('<'), "{message}");
    }
}

#[tokio::test]
async fn what_an_update_warns_of_is_a_failure() {
    for version in VERSIONS {
        for (fixture, user, code) in [
            ("update_users_admin_refused", 2, refusal::PROTECTED_USER),
            ("update_users_duplicate_email", 57, refusal::EMAIL_TAKEN),
            (
                "update_users_duplicate_username",
                57,
                refusal::USERNAME_TAKEN,
            ),
            ("update_users_invalid_email", 57, "useremailinvalid"),
            ("update_users_unknown_id", 999_999, refusal::UNKNOWN_USER),
        ] {
            let site = Recorded::with(version, fixture, "core_user_update_users").await;
            let outcomes = site
                .lms
                .update_users(&[change(user_id(user))])
                .await
                .unwrap();
            let [Err(error)] = outcomes.as_slice() else {
                panic!("{fixture}: {outcomes:?}");
            };
            assert_eq!(code_of_rejection(error), code, "{fixture}");
        }
        let site = Recorded::with(
            version,
            "update_users_batch_one_bad",
            "core_user_update_users",
        )
        .await;
        let changes = [change(user_id(58)), change(user_id(999_999))];
        let outcomes = site.lms.update_users(&changes).await.unwrap();
        assert!(
            matches!(outcomes.as_slice(), [Ok(()), Err(_)]),
            "{outcomes:?}"
        );
    }
}

#[tokio::test]
async fn a_warning_about_nobody_we_named_fails_the_call() {
    let site = Recorded::with(
        "5.1",
        "update_users_batch_one_bad",
        "core_user_update_users",
    )
    .await;
    let outcomes = site.lms.update_users(&[change(user_id(58))]).await;
    assert!(outcomes.is_err(), "{outcomes:?}");
}

#[tokio::test]
async fn a_refused_course_says_why() {
    for version in VERSIONS {
        for (fixture, code) in [
            ("create_courses_duplicate_idnumber", "courseidnumbertaken"),
            (
                "create_courses_duplicate_shortname",
                refusal::SHORTNAME_TAKEN,
            ),
            ("create_courses_empty_shortname", "errorinvalidparam"),
            ("create_courses_missing_fullname", "invalidparameter"),
            ("create_courses_unknown_category", refusal::UNKNOWN_CATEGORY),
        ] {
            let site = Recorded::with(version, fixture, "core_course_create_courses").await;
            let error = site.lms.create_course(&course(1)).await.unwrap_err();
            assert_eq!(code_of_rejection(&error), code, "{fixture}");
        }
        let fixture = "update_courses_unknown";
        let site = Recorded::with(version, fixture, "core_course_update_courses").await;
        let error = site
            .lms
            .update_course(course_id(99_999), &renamed("X"))
            .await;
        assert_eq!(
            code_of_rejection(&error.unwrap_err()),
            refusal::UNKNOWN_COURSE
        );
    }
}

#[tokio::test]
async fn a_course_change_without_its_capability_is_forbidden_not_done() {
    // Measured on 4.5.6 and 5.1: HTTP 200 and a warning, and nothing kept.
    let site = Recorded::empty().await;
    let warning = r#"{"warnings":[{"item":"course","itemid":7,"warningcode":"nopermissions",
        "message":"Sorry, but you do not currently have permissions to do that."}]}"#;
    site.answer("core_course_update_courses", crate::recorded::json(warning))
        .await;
    let error = site
        .lms
        .update_course(course_id(7), &renamed("X"))
        .await
        .unwrap_err();
    assert!(matches!(error, LmsError::Forbidden { .. }), "{error:?}");
    assert!(error.to_string().contains("changefullname"), "{error}");
}

#[tokio::test]
async fn an_enrolment_of_who_or_where_does_not_exist_says_so() {
    for version in VERSIONS {
        for (fixture, code) in [
            ("enrol_unknown_course", refusal::UNKNOWN_COURSE),
            ("enrol_unknown_user", refusal::UNKNOWN_USER),
        ] {
            let site = Recorded::with(version, fixture, &function_of(fixture)).await;
            let outcomes = site
                .lms
                .enrol(&[seat(user_id(57), course_id(2))])
                .await
                .unwrap();
            let [Err(error)] = outcomes.as_slice() else {
                panic!("{fixture}: {outcomes:?}");
            };
            assert_eq!(code_of_rejection(error), code, "{fixture}");
        }
        let fixture = "enrolled_users_unknown_course";
        let site = Recorded::with(version, fixture, &function_of(fixture)).await;
        let error = site.lms.enrolled_in(course_id(99_999)).await.unwrap_err();
        assert_eq!(code_of_rejection(&error), refusal::UNKNOWN_COURSE);
    }
}

#[tokio::test]
async fn categories_that_may_not_be_searched_are_forbidden() {
    for version in VERSIONS {
        let fixture = "get_categories_by_idnumber_no_manage_capability";
        let site = Recorded::with(version, fixture, "any").await;
        let error = site.lms.categories().await.unwrap_err();
        assert!(matches!(error, LmsError::Forbidden { .. }), "{error:?}");
    }
}
