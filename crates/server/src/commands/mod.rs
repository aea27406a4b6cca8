//! Runs what the command line asks for.

mod api_key;
mod config;
mod connection;
mod doctor;
mod webhooks;
mod zoho;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};

use crate::{
    cli::{Cli, Command, Serve, say},
    demo,
    process::stop_signal,
    settings::{Given, Layers, Settings},
    startup::Application,
    telemetry::{self, Volume},
    wiring::Bridge,
};

/// Runs one command to its end.
pub fn run(cli: Cli) -> Result<ExitCode> {
    if matches!(cli.command, Command::Openapi) {
        say(mzi_web::openapi::json()?);
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Demo(options) = cli.command {
        return actix_web::rt::System::new().block_on(demo::run(options));
    }
    let layers = Layers::read(&given(cli.config)?)?;
    let volume = match cli.command {
        Command::Serve(_) => Volume::AsSet,
        _ => Volume::Warnings,
    };
    telemetry::start(&layers, volume)?;
    let settings = Settings::from_layers(layers)?;
    actix_web::rt::System::new().block_on(dispatch(cli.command, settings))
}

async fn dispatch(command: Command, settings: Settings) -> Result<ExitCode> {
    match command {
        Command::Serve(options) => serve(options, settings).await,
        Command::Migrate => migrate(settings),
        Command::Doctor(output) => doctor::run(settings, output).await,
        Command::Zoho(crate::cli::Zoho::Token { code }) => zoho::token(&settings, &code).await,
        Command::Config(crate::cli::Config::Show(output)) => config::show(&settings, output),
        Command::ApiKey(command) => api_key::run(command, settings).await,
        Command::Webhooks(crate::cli::Webhooks::Status(output)) => {
            webhooks::status(settings, output).await
        }
        Command::Connection(command) => connection::run(command, settings).await,
        Command::Openapi | Command::Demo(_) => Ok(ExitCode::SUCCESS),
    }
}

async fn serve(options: Serve, settings: Settings) -> Result<ExitCode> {
    let stop = stop_signal()?;
    let application = Application::build(settings, !options.no_migrate).await?;
    application.run_until(stop).await?;
    Ok(ExitCode::SUCCESS)
}

fn migrate(settings: Settings) -> Result<ExitCode> {
    let applied = Bridge::open(settings)?.db.migrate()?;
    for name in &applied {
        say(format!("applied {name}"));
    }
    say("The database is up to date.");
    Ok(ExitCode::SUCCESS)
}

/// Opens the bridge for a command that needs its database, which is brought up to date first.
fn opened(settings: Settings) -> Result<Bridge> {
    let bridge = Bridge::open(settings)?;
    bridge.db.migrate()?;
    Ok(bridge)
}

/// What was given from outside: the one place that reads the environment.
fn given(file: Option<PathBuf>) -> Result<Given> {
    let dotenv = match std::fs::read_to_string(".env") {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).context(".env cannot be read"),
    };
    // Names and values that are not text are nobody's setting.
    let text = |value: std::ffi::OsString| value.into_string().ok();
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
        .collect();
    Ok(Given {
        file,
        dotenv,
        environment,
    })
}

/// JSON on one screen.
fn pretty(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).context("the answer cannot be written as JSON")
}
