//! Zoho's token endpoint: a grant code for a refresh token, a refresh token for access tokens.
//!
//! The `oauth2` crate knows the forms and the standard answers. Two habits of Zoho are put right
//! before it sees an answer (contracts/zoho.md §1.2): errors come as HTTP 200, and too many
//! requests come as `Access Denied` with HTTP 200 or 400.

use std::time::Duration;

use mzi_ports::CrmError;
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, HttpRequest, HttpResponse, RefreshToken, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
        BasicTokenType,
    },
    http::StatusCode,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    exchange::{Received, exchange},
    settings::{ZohoApp, ZohoSettings},
    wire::TokenRefusal,
};

/// How long Zoho is left alone after it said that there were too many token requests. Ten tokens
/// in ten minutes are allowed (contracts/zoho.md §1.3), so one a minute never runs dry.
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(60);

/// A token answer is small.
const MAX_ANSWER: usize = 64 * 1024;

/// How long an access token lives when the answer does not say, and at most.
const LIFE: Duration = Duration::from_secs(3600);

/// How long it is kept at least: believing in less would spend a refresh on every call.
const SHORTEST_LIFE: Duration = Duration::from_secs(300);

/// What a grant code was worth.
#[derive(Debug, Clone)]
pub struct GrantedTokens {
    /// Good until revoked; the one secret to keep.
    pub refresh_token: SecretString,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
    /// The API host of the account.
    pub api_domain: Option<String>,
}

/// An access token as it was issued.
pub(crate) struct Minted {
    pub(crate) token: SecretString,
    pub(crate) api_domain: Option<String>,
    pub(crate) lives_for: Duration,
}

/// What Zoho adds to the standard answer.
#[derive(Debug, Serialize, Deserialize)]
struct ZohoFields {
    #[serde(default)]
    api_domain: Option<String>,
    /// In old answers; `expires_in` was in milliseconds there.
    #[serde(default)]
    expires_in_sec: Option<u64>,
}

impl ExtraTokenFields for ZohoFields {}

type ZohoTokens = StandardTokenResponse<ZohoFields, BasicTokenType>;
type TokenError = RequestTokenError<CrmError, BasicErrorResponse>;
type TokenClient = Client<
    BasicErrorResponse,
    ZohoTokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Trades a grant code, which works once and for minutes, for a refresh token.
///
/// A self-client's code needs no redirect URI. `Unauthorised` with `invalid_code` means a code
/// that is used, expired or of another data centre.
pub async fn exchange_grant_code(
    app: &ZohoApp,
    http: &reqwest::Client,
    code: &SecretString,
) -> Result<GrantedTokens, CrmError> {
    let code = AuthorizationCode::new(code.expose_secret().trim().to_owned());
    let http = http.clone();
    let send = move |request| post(http.clone(), request, ZohoSettings::DEFAULT_TIMEOUT);
    let answer = client(app)?.exchange_code(code).request_async(&send).await;
    let tokens = answer.map_err(refused)?;
    let refresh_token = tokens.refresh_token().ok_or_else(|| CrmError::Protocol {
        detail: "the token answer holds no refresh token".into(),
    })?;
    // Zoho separates scopes by spaces, and in older answers by commas.
    let scopes = tokens.scopes().into_iter().flatten();
    Ok(GrantedTokens {
        refresh_token: refresh_token.secret().as_str().into(),
        scopes: scopes
            .flat_map(|scope| scope.split(','))
            .map(str::to_owned)
            .collect(),
        api_domain: tokens.extra_fields().api_domain.clone(),
    })
}

/// Asks for a new access token. Zoho never rotates the refresh token.
pub(crate) async fn refresh(
    settings: &ZohoSettings,
    http: &reqwest::Client,
) -> Result<Minted, CrmError> {
    let token = RefreshToken::new(settings.refresh_token.expose_secret().to_owned());
    let (http, timeout) = (http.clone(), settings.timeout);
    let send = move |request| post(http.clone(), request, timeout);
    let client = client(&settings.app)?;
    let answer = client
        .exchange_refresh_token(&token)
        .request_async(&send)
        .await;
    let tokens = answer.map_err(refused)?;
    let extra = tokens.extra_fields();
    let seconds = extra.expires_in_sec.map(Duration::from_secs);
    let life = seconds.or(tokens.expires_in());
    Ok(Minted {
        token: tokens.access_token().secret().as_str().into(),
        api_domain: extra.api_domain.clone(),
        lives_for: life.unwrap_or(LIFE).clamp(SHORTEST_LIFE, LIFE),
    })
}

fn client(app: &ZohoApp) -> Result<TokenClient, CrmError> {
    let url = format!(
        "{}/oauth/v2/token",
        app.accounts.as_str().trim_end_matches('/')
    );
    let url = TokenUrl::new(url).map_err(|error| CrmError::Protocol {
        detail: format!("the token URL is none: {error}"),
    })?;
    Ok(Client::new(ClientId::new(app.client_id.clone()))
        .set_client_secret(ClientSecret::new(
            app.client_secret.expose_secret().to_owned(),
        ))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(url))
}

/// Sends one token request and gives its answer the status that the body asks for. Owns its client
/// because a borrowed one would keep the future from being `Send` for every lifetime.
async fn post(
    http: reqwest::Client,
    request: HttpRequest,
    timeout: Duration,
) -> Result<HttpResponse, CrmError> {
    let mut request = reqwest::Request::try_from(request)
        .map_err(|_error| unavailable("the request could not be built"))?;
    *request.timeout_mut() = Some(timeout);
    let received = exchange(&http, request, MAX_ANSWER)
        .await
        .map_err(|lost| unavailable(lost.reason()))?;
    if received.status.is_server_error() {
        return Err(unavailable(&format!(
            "HTTP {} from the token endpoint",
            received.status.as_u16()
        )));
    }
    if received.status == StatusCode::TOO_MANY_REQUESTS {
        return Err(CrmError::RateLimited {
            after: Some(received.retry_after().unwrap_or(COOL_DOWN)),
        });
    }
    Ok(standardised(received))
}

/// The answer without headers (old ones name no JSON type) and with an honest status.
fn standardised(received: Received) -> HttpResponse {
    let refused = serde_json::from_slice::<TokenRefusal>(&received.body).is_ok();
    let mut response = HttpResponse::new(received.body.into());
    *response.status_mut() = match (refused, received.status) {
        (true, _) => StatusCode::BAD_REQUEST,
        (false, status) => status,
    };
    response
}

fn refused(error: TokenError) -> CrmError {
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(answer) => by_word(
            answer.error().as_ref(),
            answer.error_description().map(String::as_str),
        ),
        // The body may hold tokens: it is not quoted.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => CrmError::Protocol {
            detail: "the token answer is not what OAuth describes".into(),
        },
    }
}

/// What Zoho's word for a refusal means.
fn by_word(word: &str, description: Option<&str>) -> CrmError {
    let throttled = description.is_some_and(|text| text.contains("too many requests"));
    if throttled || word.eq_ignore_ascii_case("access denied") || word == "access_denied" {
        return CrmError::RateLimited {
            after: Some(COOL_DOWN),
        };
    }
    match word {
        "general_error" => unavailable("the token endpoint reports general_error"),
        code => CrmError::Unauthorised {
            code: mzi_domain::text::clipped(code, 60),
        },
    }
}

fn unavailable(reason: &str) -> CrmError {
    CrmError::Unavailable {
        reason: reason.to_owned(),
    }
}
