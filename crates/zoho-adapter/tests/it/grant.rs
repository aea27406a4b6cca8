//! A grant code for a refresh token.

use mzi_ports::CrmError;
use mzi_zoho::{GrantedTokens, exchange_grant_code};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::world::{CLIENT_SECRET, Zoho, answer, http, ok, token_request};

const CODE: &str = "1000.grant-code-of-nobody";

async fn granted(answer: ResponseTemplate) -> (Zoho, Result<GrantedTokens, CrmError>) {
    let zoho = Zoho::silent().await;
    zoho.answers(token_request(), answer).await;
    let tokens = exchange_grant_code(&zoho.app(), &http(), &CODE.into()).await;
    (zoho, tokens)
}

fn grant() -> Value {
    json!({
        "access_token": "1000.access",
        "refresh_token": "1000.refresh",
        "scope": "ZohoCRM.modules.ALL ZohoCRM.settings.ALL,ZohoCRM.bulk.ALL",
        "api_domain": "https://www.zohoapis.eu",
        "token_type": "Bearer",
        "expires_in": 3600,
    })
}

#[tokio::test]
async fn a_grant_code_becomes_a_refresh_token_with_its_scopes() {
    let (zoho, tokens) = granted(ok(grant())).await;

    let tokens = tokens.unwrap();
    assert_eq!(tokens.refresh_token.expose_secret(), "1000.refresh");
    let scopes = [
        "ZohoCRM.modules.ALL",
        "ZohoCRM.settings.ALL",
        "ZohoCRM.bulk.ALL",
    ];
    assert_eq!(tokens.scopes, scopes);
    assert_eq!(
        tokens.api_domain.as_deref(),
        Some("https://www.zohoapis.eu")
    );

    let requests = zoho.server.received_requests().await.unwrap();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&requests[0].body)
        .into_owned()
        .collect();
    let sent = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(sent("grant_type"), Some("authorization_code"));
    assert_eq!(sent("code"), Some(CODE));
    assert_eq!(sent("client_id"), Some("1000.CLIENT"));
    assert_eq!(sent("client_secret"), Some(CLIENT_SECRET));
    assert_eq!(sent("redirect_uri"), None);
    assert!(!requests[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn an_answer_without_a_json_type_is_read_all_the_same() {
    let body = grant().to_string();
    let (_zoho, tokens) = granted(ResponseTemplate::new(200).set_body_string(body)).await;
    assert!(tokens.is_ok());
}

#[tokio::test]
async fn a_refusal_with_http_200_names_its_code() {
    for code in ["invalid_code", "invalid_client", "invalid_client_secret"] {
        let (_zoho, tokens) = granted(ok(json!({"error": code}))).await;
        let expected = CrmError::Unauthorised { code: code.into() };
        assert_eq!(tokens.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn an_unwell_token_endpoint_is_no_verdict_on_the_credentials() {
    for refusal in [
        ok(json!({"error": "general_error"})),
        answer(503, json!({})),
        ResponseTemplate::new(500),
    ] {
        let (_zoho, tokens) = granted(refusal).await;
        let error = tokens.unwrap_err();
        assert!(matches!(error, CrmError::Unavailable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_page_instead_of_tokens_is_a_breach_of_protocol() {
    let page = ResponseTemplate::new(200).set_body_string("<html>Sign in</html>");
    let mut without = grant();
    without.as_object_mut().unwrap().remove("refresh_token");
    for answer in [page, ok(without), ResponseTemplate::new(200)] {
        let (_zoho, tokens) = granted(answer).await;
        let error = tokens.unwrap_err();
        assert!(matches!(error, CrmError::Protocol { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    let echo = format!("{{\"access_token\": \"{CODE}\", \"broken\": ");
    for answer in [
        ResponseTemplate::new(200).set_body_string(echo),
        ok(json!({"error": "invalid_code"})),
    ] {
        let (_zoho, tokens) = granted(answer).await;
        let shown = format!("{:?}", tokens.unwrap_err());
        assert!(!shown.contains("of-nobody"), "{shown}");
    }
}
