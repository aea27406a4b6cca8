//! The database: opening it, reading and writing.

mod file;
#[cfg(feature = "postgres")]
mod server;
mod writer;

use std::{collections::BTreeSet, fs::File, sync::Arc, thread::JoinHandle, time::Duration};

use diesel::r2d2::Pool;
use mzi_ports::StoreError;
use tokio::sync::{Semaphore, mpsc};

use self::writer::Job;
use crate::{
    connection::{AnyConnection, Connector, Purpose, connect_error},
    error::{Failure, OpenError, unavailable},
    migrate,
    url::Target,
};

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections of the pool; on SQLite they only read.
    pub connections: u32,
    /// How long a lock of another process or a free connection is waited for.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 6,
            patience: Duration::from_secs(5),
        }
    }
}

/// A database. Clones share it; it closes with the last one.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    connector: Connector,
    pool: Pool<Connector>,
    turns: Arc<Semaphore>,
    backend: Backend,
}

enum Backend {
    Sqlite(Writer),
    #[cfg(feature = "postgres")]
    Postgres(server::Owners),
}

struct Writer {
    /// Taken on closing, which ends the thread.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    ownership: Option<File>,
    owners: std::sync::Mutex<BTreeSet<String>>,
}

impl Db {
    /// Opens the database a `DATABASE_URL` names; a missing SQLite file is made.
    ///
    /// Blocks: call it before the server starts, or from a blocking task.
    pub fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        let target = Target::parse(url)?;
        let connector = Connector {
            target,
            busy_timeout: options.patience,
        };
        let backend = match &connector.target {
            Target::Sqlite(path) => Backend::Sqlite(open_sqlite(path, &connector)?),
            #[cfg(feature = "postgres")]
            Target::Postgres(_) => {
                migrate::refuse_newer(&mut connector.connect_for(Purpose::Write)?)?;
                Backend::Postgres(server::Owners::new(connector.clone()))
            }
        };
        let is_file = matches!(backend, Backend::Sqlite(_));
        let pool = Pool::builder()
            .max_size(options.connections)
            .min_idle(Some(0))
            // A file is always there; a server may have gone.
            .test_on_check_out(!is_file)
            .connection_timeout(options.patience)
            .build_unchecked(connector.clone());
        let turns = usize::try_from(options.connections).unwrap_or(1);
        Ok(Self(Arc::new(Inner {
            connector,
            pool,
            turns: Arc::new(Semaphore::new(turns)),
            backend,
        })))
    }

    /// Runs the migrations that are missing and answers their names. Blocks, like [`Db::open`].
    pub fn migrate(&self) -> Result<Vec<String>, OpenError> {
        migrate::run(&mut self.0.connector.connect_for(Purpose::Write)?)
    }

    /// Undoes every migration: everything is lost. For tests of the migrations only.
    pub fn revert_all(&self) -> Result<Vec<String>, OpenError> {
        migrate::revert_all(&mut self.0.connector.connect_for(Purpose::Write)?)
    }

    /// The migrations that are missing. Blocks, like [`Db::open`].
    pub fn pending(&self) -> Result<Vec<String>, OpenError> {
        migrate::pending(&mut self.0.connector.connect_for(Purpose::Write)?)
    }

    /// Whether this process, and no other, may run workers on the data without asking anybody.
    ///
    /// Always false on PostgreSQL, where processes share the work.
    pub fn is_sole_owner(&self) -> bool {
        match &self.0.backend {
            Backend::Sqlite(writer) => writer.ownership.is_some(),
            #[cfg(feature = "postgres")]
            Backend::Postgres(_) => false,
        }
    }

    /// Runs a closure in a transaction and answers once its effect is durable.
    ///
    /// On SQLite the transaction is shared with others' closures; on PostgreSQL a conflict with
    /// another transaction runs it again. So it must be able to run twice, touch nothing but the
    /// connection, and begin no transaction of its own.
    pub async fn write<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        match &self.0.backend {
            Backend::Sqlite(writer) => {
                let (job, answer) = Job::new(run);
                let jobs = writer.jobs.as_ref().ok_or_else(closed)?;
                jobs.send(job).await.ok().ok_or_else(closed)?;
                answer.await.ok().ok_or_else(closed)?
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(_) => {
                let mut run = run;
                let work = move |conn: &mut AnyConnection| server::transaction(conn, &mut run);
                self.blocking(work).await
            }
        }
    }

    /// Runs a closure that only reads. What it reads is at least as new as what the caller's own
    /// answered writes left.
    pub async fn read<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.blocking(move |conn| run(conn).map_err(Failure::into_store_error))
            .await
    }

    /// Notes that `owner` lives in this process, for [`Db::is_gone`]. Blocks on PostgreSQL: it
    /// belongs into a write.
    pub(crate) fn register_owner(&self, owner: &str) -> Result<(), Failure> {
        match &self.0.backend {
            Backend::Sqlite(writer) => {
                let mut owners = lock(&writer.owners);
                if !owners.contains(owner) {
                    owners.insert(owner.to_owned());
                }
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(owners) => owners.register(owner),
        }
    }

    /// Whether the process of a lease's owner has certainly ended. Belongs into a write.
    pub(crate) fn is_gone(&self, conn: &mut AnyConnection, owner: &str) -> Result<bool, Failure> {
        match (&self.0.backend, conn) {
            (Backend::Sqlite(writer), _) => {
                Ok(writer.ownership.is_some() && !lock(&writer.owners).contains(owner))
            }
            #[cfg(feature = "postgres")]
            (Backend::Postgres(owners), conn) => owners.is_gone(conn, owner),
        }
    }

    async fn blocking<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
    {
        let turns = Arc::clone(&self.0.turns);
        let turn = turns.acquire_owned().await.ok().ok_or_else(closed)?;
        let pool = self.0.pool.clone();
        let span = tracing::Span::current();
        spawn(move || {
            let _turn = turn;
            let _in_span = span.enter();
            let mut conn = pool
                .get()
                .ok()
                .ok_or_else(|| unavailable("no connection to the database could be made"))?;
            run(&mut conn)
        })
        .await
    }
}

fn open_sqlite(path: &std::path::Path, connector: &Connector) -> Result<Writer, OpenError> {
    require_safe_sqlite()?;
    file::adopt(path)?;
    let ownership = file::try_own(path)?;
    let damaged = |error: OpenError| match error {
        OpenError::Connect { reason } => OpenError::Damaged {
            path: path.to_owned(),
            reason,
        },
        other => other,
    };
    let mut conn = connector.connect_for(Purpose::Write).map_err(damaged)?;
    migrate::refuse_newer(&mut conn).map_err(damaged)?;
    let (jobs, thread) = writer::start(conn).map_err(connect_error)?;
    Ok(Writer {
        jobs: Some(jobs),
        thread: Some(thread),
        ownership,
        owners: std::sync::Mutex::default(),
    })
}

/// SQLite before 3.51.3 can corrupt a write-ahead log that has two connections (reliability §1).
fn require_safe_sqlite() -> Result<(), OpenError> {
    use diesel::{QueryableByName, RunQueryDsl, sql_types::Text};

    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        found: String,
    }
    let mut conn = crate::connection::open_file(":memory:")?;
    let version: Version = diesel::sql_query("SELECT sqlite_version() AS found")
        .get_result(&mut conn)
        .map_err(connect_error)?;
    let numbers: Vec<u32> = version
        .found
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    if numbers.as_slice() < [3, 51, 3].as_slice() {
        return Err(OpenError::OldSqlite {
            found: version.found,
        });
    }
    Ok(())
}

impl Drop for Writer {
    /// Lets the writer finish what it was given, then closes the file, then gives up ownership.
    fn drop(&mut self) {
        drop(self.jobs.take());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The last handle may have been inside a closure: then the thread is ending already.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the database writer ended in a panic");
        }
    }
}

async fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(run).await {
        Ok(answer) => answer,
        Err(error) if error.is_panic() => Err(StoreError::Internal {
            reason: "a database call panicked".into(),
        }),
        Err(_stopping) => Err(closed()),
    }
}

fn closed() -> StoreError {
    unavailable("the database is closing")
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
