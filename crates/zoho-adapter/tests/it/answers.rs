//! What answers, refusals and silence mean.

use std::time::Duration;

use mzi_ports::{
    Crm, CrmError,
    crm::{RecordWrite, WriteMode},
};
use mzi_zoho::ZohoCrm;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::{
    raw::Raw,
    world::{
        MODULE, REFRESH_TOKEN, Zoho, answer, api, millis, modules, no_modules, refusal, refused,
    },
};

/// What `modules` makes of one answer, and how many calls it took.
async fn meaning(answer: ResponseTemplate) -> (CrmError, usize) {
    let zoho = Zoho::start().await;
    zoho.answers(modules(), answer).await;
    let error = zoho.crm().modules().await.unwrap_err();
    (error, zoho.count("/crm/v8/settings/modules").await)
}

async fn insert(crm: &ZohoCrm) -> CrmError {
    let record = RecordWrite {
        id: None,
        fields: [].into(),
    };
    let outcome = crm.write(MODULE, &WriteMode::Insert, &[record]).await;
    outcome.unwrap_err()
}

#[tokio::test]
async fn a_missing_scope_is_named_and_never_tried_again() {
    for status in [401, 403] {
        let (error, calls) =
            meaning(refusal(status, "OAUTH_SCOPE_MISMATCH", "invalid scope")).await;
        let expected = CrmError::Forbidden {
            operation: "list modules without the scope ZohoCRM.settings.ALL".into(),
            code: "OAUTH_SCOPE_MISMATCH".into(),
        };
        assert_eq!((error, calls), (expected, 1));
    }
}

#[tokio::test]
async fn what_the_user_may_not_do_is_forbidden() {
    for (status, code) in [(403, "NO_PERMISSION"), (400, "AUTHORIZATION_FAILED")] {
        let (error, calls) = meaning(refusal(status, code, "permission denied")).await;
        let expected = CrmError::Forbidden {
            operation: "list modules".into(),
            code: code.into(),
        };
        assert_eq!((error, calls), (expected, 1));
    }
}

#[tokio::test]
async fn too_many_calls_ask_for_a_pause() {
    let plain = refusal(429, "TOO_MANY_REQUESTS", "slow down");
    assert_eq!(
        meaning(plain).await.0,
        CrmError::RateLimited { after: None }
    );
    let proxied = ResponseTemplate::new(429).insert_header("retry-after", "7");
    let after = Some(Duration::from_secs(7));
    assert_eq!(meaning(proxied).await.0, CrmError::RateLimited { after });
}

#[tokio::test]
async fn an_unwell_zoho_is_unavailable() {
    for answer in [
        refusal(500, "INTERNAL_ERROR", "Internal Server Error"),
        ResponseTemplate::new(502).set_body_string("<html>Bad gateway</html>"),
        ResponseTemplate::new(503),
    ] {
        let (error, _) = meaning(answer).await;
        assert!(matches!(error, CrmError::Unavailable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn other_refusals_keep_their_code_and_name_the_parameter() {
    let body = json!({
        "code": "REQUIRED_PARAM_MISSING",
        "details": {"param_name": "fields"},
        "message": "One of the expected parameter is missing",
        "status": "error",
    });
    let (error, _) = meaning(answer(400, body)).await;
    let expected = CrmError::Rejected {
        operation: "list modules".into(),
        code: "REQUIRED_PARAM_MISSING".into(),
        message: "fields: One of the expected parameter is missing".into(),
    };
    assert_eq!(error, expected);
    let (error, _) = meaning(refusal(404, "INVALID_URL_PATTERN", "Please check the URL")).await;
    assert!(matches!(error, CrmError::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refusal_with_http_200_is_still_a_refusal() {
    for status in [200, 202] {
        let (error, _) = meaning(answer(status, refused("INVALID_MODULE", "no such module"))).await;
        assert!(matches!(&error, CrmError::Rejected { code, .. } if code == "INVALID_MODULE"));
    }
}

#[tokio::test]
async fn pages_and_redirects_are_a_breach_of_protocol() {
    let redirect = ResponseTemplate::new(302).insert_header("location", "http://127.0.0.1:9/");
    let page = ResponseTemplate::new(200).set_body_string("<html>Maintenance</html>");
    for answer in [redirect, page] {
        let (error, calls) = meaning(answer).await;
        assert!(matches!(error, CrmError::Protocol { .. }), "{error:?}");
        assert_eq!(calls, 1);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let huge = ResponseTemplate::new(200).set_body_bytes(vec![b' '; 33 * 1024 * 1024]);
    let (error, _) = meaning(huge).await;
    assert!(matches!(error, CrmError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let zoho = Zoho::start().await;
    let settings = zoho.settings().with_api_url("http://127.0.0.1:9").unwrap();
    let crm = zoho.crm_with(settings);
    for error in [crm.modules().await.unwrap_err(), insert(&crm).await] {
        assert!(matches!(error, CrmError::Unavailable { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("127.0.0.1"));
    }
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_leaves_a_write_unknown() {
    let cut = "HTTP/1.1 201 Created\r\ncontent-length: 400\r\n\r\n{\"data\":[{\"code\":";
    for bytes in ["", cut] {
        let zoho = Zoho::start().await;
        let raw = Raw::answering(bytes).await;
        let crm = zoho.crm_with(zoho.settings().with_api_url(&raw.uri).unwrap());

        let read = crm.modules().await.unwrap_err();
        let write = insert(&crm).await;

        assert!(matches!(read, CrmError::Unavailable { .. }), "{read:?}");
        assert!(
            matches!(write, CrmError::UnknownOutcome { .. }),
            "{write:?}"
        );
        assert_eq!(raw.count(), 2, "a write is not repeated blindly");
    }
}

#[tokio::test]
async fn silence_after_the_request_leaves_a_write_unknown() {
    let zoho = Zoho::start().await;
    let slow = |answer: ResponseTemplate| answer.set_delay(Duration::from_secs(20));
    zoho.answers(modules(), slow(no_modules())).await;
    zoho.answers(api("POST", MODULE), slow(answer(201, json!({"data": []}))))
        .await;
    let crm = zoho.crm_with(zoho.settings().with_timeout(millis(300)).unwrap());

    let read = crm.modules().await.unwrap_err();
    let write = insert(&crm).await;

    assert!(matches!(read, CrmError::Unavailable { .. }), "{read:?}");
    assert!(
        matches!(write, CrmError::UnknownOutcome { .. }),
        "{write:?}"
    );
}

#[tokio::test]
async fn a_write_that_an_unwell_zoho_may_have_saved_is_unknown() {
    let zoho = Zoho::start().await;
    zoho.answers(api("POST", MODULE), refusal(500, "INTERNAL_ERROR", "oops"))
        .await;
    zoho.answers(api("PUT", MODULE), refusal(500, "INTERNAL_ERROR", "oops"))
        .await;
    let crm = zoho.crm();
    let record = RecordWrite {
        id: Some(crate::world::id("900")),
        fields: [].into(),
    };
    let update = crm.write(MODULE, &WriteMode::Update, &[record]).await;

    assert!(matches!(
        insert(&crm).await,
        CrmError::UnknownOutcome { .. }
    ));
    // Doing an update twice is the same as once.
    assert!(
        matches!(update, Err(CrmError::Unavailable { .. })),
        "{update:?}"
    );
}

#[tokio::test]
async fn no_error_shows_a_secret_or_an_address() {
    let zoho = Zoho::start().await;
    let echo = format!("Zoho-oauthtoken token-1 {REFRESH_TOKEN}");
    let page = ResponseTemplate::new(400).set_body_string(echo);
    zoho.answers(modules(), page).await;
    let shown = format!("{:?}", zoho.crm().modules().await.unwrap_err());
    for secret in ["token-1", "of-nobody", "127.0.0.1", "/settings/"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
