//! One access token: shared, kept, replaced when it must be.

use chrono::Duration;
use mzi_ports::{
    Clock, Crm, CrmError, Retry, TokenVault, settings::StoredToken, testing::time::ManualClock,
};
use serde_json::json;
use wiremock::{MockServer, matchers::header};

use crate::world::{
    REFRESH_TOKEN, Zoho, answer, app, modules, no_modules, ok, refusal, token_request,
};

#[tokio::test]
async fn calls_at_once_share_one_refresh() {
    let zoho = Zoho::start().await;
    zoho.answers(
        modules().and(header("authorization", "Zoho-oauthtoken token-1")),
        no_modules(),
    )
    .await;
    let crm = zoho.crm();

    let (one, other, third) = tokio::join!(crm.modules(), crm.modules(), crm.modules());

    assert!(one.is_ok() && other.is_ok() && third.is_ok());
    assert_eq!(zoho.refreshes().await, 1);
}

#[tokio::test]
async fn a_restart_spends_no_refresh() {
    let zoho = Zoho::start().await;
    zoho.answers(modules(), no_modules()).await;
    zoho.crm().modules().await.unwrap();

    zoho.crm().modules().await.unwrap();

    assert_eq!(zoho.refreshes().await, 1);
}

#[tokio::test]
async fn a_stored_token_of_other_credentials_is_not_used() {
    let zoho = Zoho::start().await;
    zoho.answers(
        modules().and(header("authorization", "Zoho-oauthtoken token-1")),
        no_modules(),
    )
    .await;
    let foreign = StoredToken {
        token: "foreign".into(),
        api_domain: None,
        expires_at: zoho.clock.now() + Duration::hours(1),
        credentials: "somebody else's".into(),
    };
    zoho.vault.store(&foreign).await.unwrap();

    zoho.crm().modules().await.unwrap();

    assert_eq!(zoho.refreshes().await, 1);
}

#[tokio::test]
async fn a_token_is_replaced_two_minutes_before_it_expires() {
    let zoho = Zoho::start().await;
    zoho.answers(modules(), no_modules()).await;
    let crm = zoho.crm();
    crm.modules().await.unwrap();

    zoho.clock.advance(Duration::minutes(57));
    crm.modules().await.unwrap();
    assert_eq!(zoho.refreshes().await, 1);

    zoho.clock.advance(Duration::minutes(1));
    crm.modules().await.unwrap();
    assert_eq!(zoho.refreshes().await, 2);
}

#[tokio::test]
async fn the_old_token_serves_its_last_minutes_when_the_early_refresh_fails() {
    let zoho = Zoho::silent().await;
    let first = ok(zoho.token_answer("token-1"));
    zoho.answers_once(token_request(), first).await;
    zoho.answers(token_request(), answer(503, json!({}))).await;
    zoho.answers(modules(), no_modules()).await;
    let crm = zoho.crm();
    crm.modules().await.unwrap();

    zoho.clock.advance(Duration::minutes(59));
    assert!(crm.modules().await.is_ok());
    zoho.clock.advance(Duration::minutes(1));
    let error = crm.modules().await.unwrap_err();

    assert!(matches!(error, CrmError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn answers_that_name_seconds_apart_or_no_life_at_all_are_taken_for_an_hour() {
    let old = json!({"expires_in_sec": 3600, "expires_in": 3_600_000});
    for life in [old, json!({})] {
        let zoho = Zoho::silent().await;
        let mut token = zoho.token_answer("token-1");
        let fields = token.as_object_mut().unwrap();
        fields.remove("expires_in");
        fields.extend(life.as_object().unwrap().clone());
        zoho.answers(token_request(), ok(token)).await;
        zoho.answers(modules(), no_modules()).await;

        zoho.crm().modules().await.unwrap();

        let stored = zoho.vault.load().await.unwrap().unwrap();
        assert_eq!(stored.expires_at, zoho.clock.now() + Duration::hours(1));
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_made_again() {
    for code in ["INVALID_TOKEN", "AUTHENTICATION_FAILURE"] {
        let zoho = Zoho::silent().await;
        zoho.gives_tokens(&["token-1", "token-2"]).await;
        let old = modules().and(header("authorization", "Zoho-oauthtoken token-1"));
        zoho.answers(old, refusal(401, code, "invalid oauth token"))
            .await;
        let new = modules().and(header("authorization", "Zoho-oauthtoken token-2"));
        zoho.answers(new, no_modules()).await;

        assert_eq!(zoho.crm().modules().await, Ok(Vec::new()), "{code}");
        assert_eq!(zoho.refreshes().await, 2);
    }
}

#[tokio::test]
async fn a_token_refused_twice_is_for_a_person_and_not_for_another_refresh() {
    let zoho = Zoho::silent().await;
    zoho.gives_tokens(&["token-1", "token-2", "token-3"]).await;
    zoho.answers(
        modules(),
        refusal(401, "INVALID_TOKEN", "invalid oauth token"),
    )
    .await;
    let crm = zoho.crm();

    for _ in 0..3 {
        let error = crm.modules().await.unwrap_err();
        assert_eq!(error.retry(), Retry::AfterReauth);
    }
    assert_eq!(zoho.refreshes().await, 2);

    zoho.clock.advance(Duration::minutes(1));
    assert!(crm.modules().await.is_err());
    assert_eq!(zoho.refreshes().await, 3);
}

#[tokio::test]
async fn a_refused_token_is_not_taken_again_while_no_other_can_be_had() {
    let zoho = Zoho::silent().await;
    zoho.answers_once(token_request(), ok(zoho.token_answer("token-1")))
        .await;
    zoho.answers_once(token_request(), answer(503, json!({})))
        .await;
    zoho.answers(token_request(), ok(zoho.token_answer("token-2")))
        .await;
    let old = modules().and(header("authorization", "Zoho-oauthtoken token-1"));
    zoho.answers(old, refusal(401, "INVALID_TOKEN", "invalid oauth token"))
        .await;
    let new = modules().and(header("authorization", "Zoho-oauthtoken token-2"));
    zoho.answers(new, no_modules()).await;
    let crm = zoho.crm();

    for _ in 0..2 {
        let error = crm.modules().await.unwrap_err();
        assert!(matches!(error, CrmError::Unavailable { .. }), "{error:?}");
    }
    assert_eq!(zoho.count("/crm/v8/settings/modules").await, 1);
    zoho.clock.advance(Duration::minutes(1));

    assert!(crm.modules().await.is_ok());
}

#[tokio::test]
async fn a_token_another_instance_stored_is_taken_instead_of_a_refresh() {
    let zoho = Zoho::silent().await;
    zoho.gives_tokens(&["token-1", "token-2"]).await;
    let old = modules().and(header("authorization", "Zoho-oauthtoken token-1"));
    zoho.answers_once(old, no_modules()).await;
    let new = modules().and(header("authorization", "Zoho-oauthtoken token-2"));
    zoho.answers(new, no_modules()).await;
    zoho.answers(
        modules(),
        refusal(401, "INVALID_TOKEN", "invalid oauth token"),
    )
    .await;
    let (here, there) = (zoho.crm(), zoho.crm());
    here.modules().await.unwrap();
    there.modules().await.unwrap();
    assert_eq!(zoho.refreshes().await, 2);

    assert!(here.modules().await.is_ok());

    assert_eq!(zoho.refreshes().await, 2);
}

#[tokio::test]
async fn access_denied_is_a_pause_and_not_a_refusal() {
    let denied = json!({
        "error": "Access Denied",
        "error_description": "You have made too many requests continuously.",
        "status": "failure",
    });
    for status in [200, 400] {
        let zoho = Zoho::silent().await;
        zoho.answers(token_request(), answer(status, denied.clone()))
            .await;
        let crm = zoho.crm();

        let first = crm.modules().await.unwrap_err();
        zoho.clock.advance(Duration::seconds(20));
        let second = crm.modules().await.unwrap_err();

        let pause = |seconds| Retry::After(std::time::Duration::from_secs(seconds));
        assert_eq!((first.retry(), second.retry()), (pause(60), pause(40)));
        assert_eq!(zoho.refreshes().await, 1, "HTTP {status}");
        zoho.clock.advance(Duration::seconds(40));
        crm.modules().await.unwrap_err();
        assert_eq!(zoho.refreshes().await, 2);
    }
}

#[tokio::test]
async fn refused_credentials_are_asked_about_once_a_minute() {
    let zoho = Zoho::silent().await;
    zoho.answers(token_request(), ok(json!({"error": "invalid_client"})))
        .await;
    let crm = zoho.crm();
    for _ in 0..5 {
        let expected = CrmError::Unauthorised {
            code: "invalid_client".into(),
        };
        assert_eq!(crm.modules().await, Err(expected));
    }
    assert_eq!(zoho.refreshes().await, 1);
}

#[tokio::test]
async fn calls_go_to_the_api_domain_the_token_answer_names() {
    let zoho = Zoho::silent().await;
    let elsewhere = MockServer::start().await;
    let mut token = zoho.token_answer("token-1");
    token["api_domain"] = json!(elsewhere.uri());
    zoho.answers(token_request(), ok(token)).await;
    modules().respond_with(no_modules()).mount(&elsewhere).await;

    assert!(zoho.crm().modules().await.is_ok());
    // The stored token remembers where it is good.
    assert!(zoho.crm().modules().await.is_ok());
    assert_eq!(zoho.refreshes().await, 1);
}

#[tokio::test]
async fn our_own_api_url_wins_over_the_api_domain() {
    let zoho = Zoho::silent().await;
    let mut token = zoho.token_answer("token-1");
    token["api_domain"] = json!("https://www.zohoapis.com");
    zoho.answers(token_request(), ok(token)).await;
    zoho.answers(modules(), no_modules()).await;
    let settings = zoho.settings().with_api_url(&zoho.server.uri()).unwrap();

    assert!(zoho.crm_with(settings).modules().await.is_ok());
}

#[tokio::test]
async fn an_api_domain_over_plain_http_on_a_public_host_gets_no_token() {
    let zoho = Zoho::silent().await;
    let mut token = zoho.token_answer("token-1");
    token["api_domain"] = json!("http://www.zohoapis.com");
    zoho.answers(token_request(), ok(token)).await;

    let error = zoho.crm().modules().await.unwrap_err();

    assert!(matches!(error, CrmError::Protocol { .. }), "{error:?}");
}

#[tokio::test]
async fn without_a_vault_that_works_calls_are_made_all_the_same() {
    use mzi_ports::StoreError;

    struct Broken;

    #[async_trait::async_trait]
    impl TokenVault for Broken {
        async fn load(&self) -> Result<Option<StoredToken>, StoreError> {
            Err(StoreError::Unavailable {
                reason: "disk full".into(),
            })
        }

        async fn store(&self, _token: &StoredToken) -> Result<(), StoreError> {
            Err(StoreError::Unavailable {
                reason: "disk full".into(),
            })
        }
    }

    let zoho = Zoho::start().await;
    zoho.answers(modules(), no_modules()).await;
    let settings = mzi_zoho::ZohoSettings::new(app(&zoho.server.uri()), REFRESH_TOKEN.into());
    let clock = std::sync::Arc::new(ManualClock::new());
    let vault = std::sync::Arc::new(Broken);
    let crm = mzi_zoho::ZohoCrm::new(settings.unwrap(), crate::world::http(), vault, clock);

    for _ in 0..2 {
        assert!(crm.modules().await.is_ok());
    }
    assert_eq!(zoho.refreshes().await, 1);
}
