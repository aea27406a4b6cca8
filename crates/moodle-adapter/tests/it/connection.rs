//! What the connection itself can do to a call.

use std::time::Duration;

use mzi_ports::{Lms, LmsError, Retry};
use mzi_simulators::{
    faults::{Effect, Fault, Matcher},
    moodle::MoodleVersion,
};
use wiremock::ResponseTemplate;

use crate::{
    recorded::{Recorded, TOKEN, json, recording},
    samples::{change, course_id, user_id},
    world::{self, simulated},
};

#[tokio::test]
async fn the_token_travels_in_the_body_only() {
    let site = Recorded::with("5.1", "site_info_ok", "any").await;
    site.lms.site().await.unwrap();
    let requests = site.server.received_requests().await.unwrap();
    let [request] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(request.url.path(), "/webservice/rest/server.php");
    assert_eq!(request.url.query(), None);
    let headers = format!("{:?}", request.headers);
    assert!(!headers.contains(TOKEN), "{headers}");
    let body = String::from_utf8(request.body.clone()).unwrap();
    assert!(body.contains(&format!("wstoken={TOKEN}")), "{body}");
    assert!(body.contains("moodlewsrestformat=json"), "{body}");
}

#[tokio::test]
async fn the_sites_information_is_read_without_its_secrets() {
    for version in crate::recorded::VERSIONS {
        let site = Recorded::with(version, "site_info_ok", "any").await;
        let found = site.lms.site().await.unwrap();
        assert_eq!(found.name, "Northfield College Moodle");
        assert!(found.url.starts_with("http://127.0.0.1:809"));
        assert!(found.release.starts_with(version), "{}", found.release);
        assert!(
            found
                .functions
                .contains(&"core_user_create_users".to_owned())
        );
    }
}

/// The kinds of failure by status: of a call that reads, of a call that writes.
#[tokio::test]
async fn a_status_means_what_it_leaves_in_doubt() {
    let kind = |error: LmsError| match error {
        LmsError::Unavailable { .. } => "unavailable",
        LmsError::UnknownOutcome { .. } => "unknown",
        LmsError::Protocol { .. } => "protocol",
        LmsError::Forbidden { .. } => "forbidden",
        LmsError::Unauthorised { .. } => "unauthorised",
        LmsError::RateLimited { .. } => "limited",
        LmsError::Rejected { .. } => "rejected",
    };
    for (status, of_a_read, of_a_write) in [
        (302, "protocol", "protocol"),
        (401, "unauthorised", "unauthorised"),
        (403, "forbidden", "forbidden"),
        (404, "protocol", "protocol"),
        (429, "limited", "limited"),
        (500, "unavailable", "unknown"),
        (502, "unavailable", "unknown"),
        (503, "unavailable", "unavailable"),
        (504, "unavailable", "unknown"),
    ] {
        let site = Recorded::empty().await;
        let page = "<html><body>Something went wrong</body></html>";
        let answer = ResponseTemplate::new(status).set_body_raw(page, "text/html");
        site.answer("any", answer).await;
        assert_eq!(
            kind(site.lms.site().await.unwrap_err()),
            of_a_read,
            "{status}"
        );
        let write = site.lms.update_users(&[change(user_id(57))]).await;
        assert_eq!(kind(write.unwrap_err()), of_a_write, "{status}");
    }
}

#[tokio::test]
async fn a_time_to_come_back_is_kept() {
    let site = Recorded::empty().await;
    let answer = ResponseTemplate::new(429).insert_header("retry-after", "17");
    site.answer("any", answer).await;
    let error = site.lms.site().await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(17)));
}

#[tokio::test]
async fn an_answer_that_is_no_data_is_a_protocol_error_without_its_contents() {
    for (body, words) in [
        ("<html>Nadia Newman</html>", "a page instead of data"),
        (
            r#"{"sitename":"Nadia Newman","siteurl":7}"#,
            "another shape",
        ),
        ("Nadia Newman", "another shape"),
        ("", "another shape"),
        ("[]", "another shape"),
    ] {
        let site = Recorded::empty().await;
        site.answer("any", json(body)).await;
        let error = site.lms.site().await.unwrap_err();
        assert!(
            matches!(error, LmsError::Protocol { .. }),
            "{body}: {error:?}"
        );
        let text = error.to_string();
        assert!(text.contains("core_webservice_get_site_info"), "{text}");
        assert!(text.contains(words), "{text}");
        assert!(!text.contains("Newman"), "{text}");
    }
    let site = Recorded::with("5.1", "auth_wrong_format_xml", "any").await;
    let error = site.lms.site().await.unwrap_err();
    assert!(matches!(error, LmsError::Protocol { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_late_leaves_doubt_only_after_a_write() {
    let site = Recorded::empty().await;
    let late = recording("5.1", "site_info_ok").set_delay(Duration::from_secs(5));
    site.answer("any", late).await;
    let settings = world::settings(&site.server.uri(), TOKEN);
    let lms = world::client(settings.with_timeout(Duration::from_millis(100)));
    let read = lms.site().await.unwrap_err();
    assert!(matches!(read, LmsError::Unavailable { .. }), "{read:?}");
    let write = lms.update_users(&[change(user_id(57))]).await.unwrap_err();
    assert!(
        matches!(write, LmsError::UnknownOutcome { .. }),
        "{write:?}"
    );
}

#[tokio::test]
async fn a_lost_answer_leaves_doubt_only_after_a_write() {
    for lost in [
        Effect::ResetBefore,
        Effect::ResetAfter,
        Effect::Truncate { bytes: 3 },
    ] {
        let world = simulated(MoodleVersion::V5_1).await;
        world.site.fault(Fault::always(lost.clone()));
        let read = world.lms.site().await.unwrap_err();
        assert!(
            matches!(read, LmsError::Unavailable { .. }),
            "{lost:?}: {read:?}"
        );
        let write = world
            .lms
            .update_users(&[change(user_id(57))])
            .await
            .unwrap_err();
        assert!(
            matches!(write, LmsError::UnknownOutcome { .. }),
            "{lost:?}: {write:?}"
        );
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_an_outage_also_for_a_write() {
    let world = simulated(MoodleVersion::V5_1).await;
    world.site.stop().await;
    let error = world
        .lms
        .update_users(&[change(user_id(57))])
        .await
        .unwrap_err();
    assert!(matches!(error, LmsError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn no_more_than_three_calls_run_at_once_by_default() {
    let world = simulated(MoodleVersion::V5_1).await;
    world.site.fault(Fault::always(Effect::Latency { ms: 20 }));
    let calls = (0..24).map(|_| world.lms.courses_of(user_id(3)));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(world.site.calls().max_in_flight, 3);
}

#[tokio::test]
async fn a_site_that_asks_to_slow_down_gets_one_call_at_a_time() {
    let world = simulated(MoodleVersion::V5_1).await;
    world.site.fault(Fault {
        when: Matcher {
            times: Some(2),
            ..Matcher::default()
        },
        effect: Effect::RateLimit { retry_after: None },
    });
    for _ in 0..2 {
        let error = world.lms.courses_of(user_id(3)).await.unwrap_err();
        assert_eq!(error, LmsError::RateLimited { after: None });
    }
    world.site.clear_calls();
    world.site.fault(Fault::always(Effect::Latency { ms: 20 }));
    let calls = (0..6).map(|_| world.lms.enrolled_in(course_id(2)));
    futures_util::future::join_all(calls).await;
    assert_eq!(world.site.calls().max_in_flight, 1);
}
