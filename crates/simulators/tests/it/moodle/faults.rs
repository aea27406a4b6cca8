//! Scripted faults, and what the log of calls keeps.

use mzi_simulators::{
    faults::{Effect, Fault},
    moodle::MoodleSimulator,
};

use super::client::{FORM, call, demo_site, form, try_send};

const CREATE: &str = "core_user_create_users";
const SITE_INFO: &str = "core_webservice_get_site_info";

/// Creates a user; whether an answer came is part of the question.
async fn create(site: &MoodleSimulator) -> bool {
    let pairs = [
        ("wstoken", site.token()),
        ("wsfunction", CREATE),
        ("moodlewsrestformat", "json"),
        ("users[0][username]", "nadia"),
        ("users[0][password]", "New-Student-1!"),
        ("users[0][firstname]", "Nadia"),
        ("users[0][lastname]", "Newman"),
        ("users[0][email]", "nadia@x.example"),
    ];
    let path = "/webservice/rest/server.php";
    try_send(site, "POST", path, FORM, &form(&pairs))
        .await
        .is_some()
}

#[tokio::test]
async fn a_connection_can_be_lost_before_or_after_the_user_is_there() {
    for (effect, is_there) in [
        (Effect::ResetBefore, false),
        (Effect::ResetAfter, true),
        (Effect::Truncate { bytes: 3 }, true),
    ] {
        let site = demo_site().await;
        site.fault(Fault::once(CREATE, effect.clone()));

        assert!(!create(&site).await, "{effect:?}");

        assert_eq!(site.user_named("nadia").is_some(), is_there, "{effect:?}");
    }
}

#[tokio::test]
async fn a_fault_meets_the_named_function_only_and_as_often_as_it_says() {
    let site = demo_site().await;
    site.fault(Fault::once("get_site_info", Effect::TokenRevoked));

    assert!(create(&site).await);
    assert_eq!(
        call(&site, SITE_INFO, &[]).await.errorcode(),
        "invalidtoken"
    );
    assert_eq!(call(&site, SITE_INFO, &[]).await.errorcode(), "");
}

#[tokio::test]
async fn the_web_server_before_moodle_can_fail_or_limit() {
    let site = demo_site().await;
    let bad_gateway = Effect::Status {
        code: 502,
        headers: [].into(),
        body: "<html>Bad Gateway</html>".into(),
    };
    site.fault(Fault::once("", bad_gateway));
    site.fault(Fault::once(
        "",
        Effect::RateLimit {
            retry_after: Some(3),
        },
    ));

    let failed = call(&site, SITE_INFO, &[]).await;
    let limited = call(&site, SITE_INFO, &[]).await;

    assert_eq!(
        (failed.status, failed.body.as_str()),
        (502, "<html>Bad Gateway</html>")
    );
    assert_eq!(limited.status, 429);
}

#[tokio::test]
async fn cleared_faults_meet_nothing() {
    let site = demo_site().await;
    site.fault(Fault::always(Effect::ResetBefore));
    site.clear_faults();

    assert!(create(&site).await);
}

#[tokio::test]
async fn calls_are_logged_by_function_without_token_and_password() {
    let site = demo_site().await;
    create(&site).await;
    call(&site, SITE_INFO, &[]).await;

    let calls = site.calls();

    assert_eq!(
        (calls.total, calls.of(CREATE), calls.of(SITE_INFO)),
        (2, 1, 1)
    );
    let created = &calls.last[0];
    assert_eq!(created.status, Some(200));
    let body = String::from_utf8_lossy(&created.body);
    assert!(body.contains("nadia%40x%2Eexample"), "{body}");
    assert!(
        !body.contains(site.token()) && !body.contains("Student"),
        "{body}"
    );
    site.clear_calls();
    assert_eq!(site.calls().of(CREATE), 0);
}
