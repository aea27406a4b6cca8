//! The limit: the least a server can do and still keep the same promises.
//!
//! Bare actix-web that checks the notification's HMAC, parses its JSON, and writes an event and a
//! work row; many requests share one commit, `synchronous=FULL`. And a read: one signed request,
//! one row by its key. No mapping, no log, no metrics, no rules, no port in between. It runs as a
//! process of its own, as the bridge does.

mod intake;
mod reads;
mod store;

use std::{net::SocketAddr, path::PathBuf};

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};
use clap::Args;

use crate::{
    place::{Disk, Place},
    process::{Served, free_address},
};

/// What the child process is told.
#[derive(Debug, Args)]
pub struct LimitServer {
    /// Where to listen.
    #[arg(long)]
    bind: SocketAddr,
    /// The SQLite database.
    #[arg(long)]
    database: PathBuf,
    /// How many people there are to read about.
    #[arg(long, default_value_t = 0)]
    people: i64,
}

/// Starts one in this place.
pub fn start(place: &Place, disk: Disk, people: u32) -> Result<Served> {
    let address = free_address()?;
    let own = std::env::current_exe().context("finding this program")?;
    let mut command = disk.command(&own);
    command
        .arg("limit-server")
        .args(["--bind", &address.to_string()]);
    command.arg("--database").arg(place.database());
    command
        .args(["--people", &people.to_string()])
        .current_dir(place.folder());
    Served::start(command, address, "/health/live", &place.log())
}

/// Serves until killed.
pub fn serve(options: &LimitServer) -> Result<()> {
    store::prepare(&options.database, options.people)?;
    let writer = store::Writer::start(&options.database)?;
    let database = options.database.clone();
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(writer.clone()))
            .app_data(web::Data::new(reads::Reader::new(database.clone())))
            .route("/health/live", web::get().to(HttpResponse::Ok))
            .route("/api/v1/webhooks/{entity}", web::post().to(intake::receive))
            .route("/api/v1/student/profile", web::get().to(reads::profile))
    })
    .workers(workers)
    .bind(options.bind)?;
    actix_web::rt::System::new().block_on(server.run())?;
    Ok(())
}
