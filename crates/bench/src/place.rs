//! Where a server under measure keeps its database and log, and on what kind of disk.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use diesel::{
    Connection, RunQueryDsl, SqliteConnection,
    dsl::sql,
    sql_types::{BigInt, Text},
};
use tempfile::TempDir;

/// A folder of its own, gone afterwards.
pub struct Place(TempDir);

/// How quickly the disk says that something is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// As it is.
    Own,
    /// With 2 ms added to every fsync, by strace's injection; needs strace and Linux.
    Slow,
}

impl Place {
    /// A new one beneath `parent`, which should be on the disk to measure: `/tmp` may be memory.
    pub fn new(parent: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("mzi-bench-")
            .tempdir_in(parent);
        Ok(Self(folder.with_context(|| {
            format!("making a folder in {}", parent.display())
        })?))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.0.path().join("bench.db")
    }

    /// What the server printed.
    pub fn log(&self) -> PathBuf {
        self.0.path().join("server.log")
    }

    /// How many rows a query counts, read past the server that owns the database.
    pub fn count(&self, query: &'static str) -> Result<i64> {
        let url = format!("file:{}?mode=ro", self.database().display());
        let mut db = SqliteConnection::establish(&url).context("opening the database to count")?;
        let counted = diesel::select(sql::<BigInt>(query)).get_result(&mut db);
        counted.with_context(|| query.to_owned())
    }
}

impl Disk {
    /// A command that runs `program` on this disk, as a direct child either way.
    pub fn command(self, program: &Path) -> Command {
        match self {
            Self::Own => Command::new(program),
            Self::Slow => {
                let mut command = Command::new("strace");
                command.args(["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"]);
                command.args(["-e", "trace=fsync,fdatasync"]);
                command.args(["-e", "inject=fsync,fdatasync:delay_exit=2000"]);
                command.arg(program);
                command
            }
        }
    }

    /// Why this disk cannot be had here, if it cannot.
    pub fn missing(self) -> Option<&'static str> {
        let works = || Command::new("strace").arg("-V").output().is_ok();
        (self == Self::Slow && !works()).then_some("needs strace to slow fsync down")
    }
}

/// The version of SQLite this program was built with.
pub fn sqlite_version() -> Result<String> {
    let mut db = SqliteConnection::establish(":memory:")?;
    Ok(diesel::select(sql::<Text>("sqlite_version()")).get_result(&mut db)?)
}
