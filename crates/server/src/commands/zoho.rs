//! `mzi zoho token`: a grant code becomes a refresh token.

use std::process::ExitCode;

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    cli::say,
    settings::Settings,
    wiring::{http_client, zoho_app},
};

pub(super) async fn token(settings: &Settings, code: &str) -> Result<ExitCode> {
    let layers = &settings.layers;
    let id = layers
        .text("ZOHO_CLIENT_ID")
        .context("ZOHO_CLIENT_ID is not set")?;
    let secret = layers
        .text("ZOHO_CLIENT_SECRET")
        .context("ZOHO_CLIENT_SECRET is not set")?;
    let app = zoho_app(
        settings,
        &settings.zoho_place(),
        id,
        SecretString::from(secret),
    )?;
    let code = SecretString::from(code);
    let granted = mzi_zoho::exchange_grant_code(&app, &http_client(settings)?, &code).await?;
    say(format!(
        "ZOHO_REFRESH_TOKEN={}",
        granted.refresh_token.expose_secret()
    ));
    Ok(ExitCode::SUCCESS)
}
