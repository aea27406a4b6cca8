//! The one writer of a SQLite database: many callers' changes, one commit, one fsync.
//!
//! Callers hand over closures. The writer takes whatever has come in, runs all of it in one
//! transaction, commits, and only then answers anybody: what was answered is on the disk. It does
//! not wait for more to come in, unless the last commit was slow and shared: then a short pause
//! lets more share the next one (design §13).
//!
//! Closures run bare at first. If one fails, everything is undone and run again, each under a
//! savepoint, so that a failure costs only its own caller; that is why closures must be able to
//! run twice.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection;
use mzi_ports::StoreError;
use tokio::sync::{mpsc, oneshot};

use crate::{
    connection::AnyConnection,
    error::{Failure, unavailable},
};

/// At most so many closures share a commit.
const BATCH: usize = 256;
/// How many may wait before callers do.
const QUEUE: usize = 1_024;
/// A commit that takes longer is worth sharing.
const SLOW_COMMIT: Duration = Duration::from_millis(1);
/// How long a slow disk lets others catch up.
const GATHER: Duration = Duration::from_micros(200);

/// A closure on its way to the writer and its answer on the way back.
pub(super) struct Job(Box<dyn Run>);

impl Job {
    pub fn new<T, F>(run: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>)
    where
        T: Send + 'static,
        F: FnMut(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        let call = Call {
            run,
            outcome: None,
            answer,
        };
        (Self(Box::new(call)), receiver)
    }
}

/// Starts the writer; it ends when every sender is gone.
pub(super) fn start(
    conn: AnyConnection,
) -> std::io::Result<(mpsc::Sender<Job>, std::thread::JoinHandle<()>)> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let thread = std::thread::Builder::new()
        .name("mzi-writer".into())
        .spawn(move || Writer::new(conn).serve(receiver))?;
    Ok((sender, thread))
}

trait Run: Send {
    /// Runs the closure and keeps its outcome; a panic is a failure like any other.
    fn run(&mut self, conn: &mut AnyConnection) -> Attempt;
    /// Answers with the outcome, or with what kept it from being committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

#[derive(Clone, PartialEq, Eq)]
enum Attempt {
    Fine,
    /// This closure's own fault.
    Failed,
    /// The database is unwell.
    Outage(StoreError),
}

struct Call<T, F> {
    run: F,
    outcome: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Run for Call<T, F>
where
    T: Send,
    F: FnMut(&mut AnyConnection) -> Result<T, Failure> + Send,
{
    fn run(&mut self, conn: &mut AnyConnection) -> Attempt {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.run)(conn)));
        let (attempt, outcome) = match outcome {
            Ok(Ok(value)) => (Attempt::Fine, Ok(value)),
            Ok(Err(failure)) => {
                let is_outage = failure.is_outage();
                let error = failure.into_store_error();
                let attempt = if is_outage {
                    Attempt::Outage(error.clone())
                } else {
                    Attempt::Failed
                };
                (attempt, Err(error))
            }
            Err(_panic) => {
                let reason = "a write panicked; its effect was undone".into();
                (Attempt::Failed, Err(StoreError::Internal { reason }))
            }
        };
        self.outcome = Some(outcome);
        attempt
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self {
            run,
            outcome,
            answer,
        } = *self;
        // A closure may hold a handle of the database; whoever has the answer may count on it
        // being closed with the last of their own.
        drop(run);
        let outcome = match (committed, outcome) {
            // What failed by itself wrote nothing, so its own reason stands.
            (_, Some(Err(error))) | (Err(error), _) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(unavailable("the write was not run")),
        };
        // A caller that has gone away no longer wants to know.
        drop(answer.send(outcome));
    }
}

struct Writer {
    conn: AnyConnection,
    gather: bool,
}

impl Writer {
    fn new(conn: AnyConnection) -> Self {
        Self {
            conn,
            gather: false,
        }
    }

    fn serve(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(first) = jobs.blocking_recv() {
            batch.push(first);
            drain(&mut jobs, &mut batch);
            if self.gather {
                std::thread::sleep(GATHER);
                drain(&mut jobs, &mut batch);
            }
            self.write(&mut batch);
        }
    }

    fn write(&mut self, batch: &mut Vec<Job>) {
        let committed = self.run_and_commit(batch);
        if let Err(error) = &committed {
            tracing::warn!(writes = batch.len(), error = %error, "a group of writes failed");
        }
        for job in batch.drain(..) {
            job.0.answer(committed.clone());
        }
    }

    fn run_and_commit(&mut self, batch: &mut [Job]) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE")?;
        let ran = match self.run_bare(batch) {
            Ok(true) => Ok(()),
            Ok(false) => self.start_over(batch),
            Err(outage) => Err(outage),
        };
        let committed = ran.and_then(|()| self.commit(batch.len()));
        if committed.is_err() {
            self.roll_back();
        }
        committed
    }

    /// Whether every closure went well.
    fn run_bare(&mut self, batch: &mut [Job]) -> Result<bool, StoreError> {
        for job in batch {
            match job.0.run(&mut self.conn) {
                Attempt::Fine => {}
                Attempt::Failed => return Ok(false),
                Attempt::Outage(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn start_over(&mut self, batch: &mut [Job]) -> Result<(), StoreError> {
        self.roll_back();
        self.execute("BEGIN IMMEDIATE")?;
        for job in batch {
            self.execute("SAVEPOINT job")?;
            match job.0.run(&mut self.conn) {
                Attempt::Fine => {}
                Attempt::Failed => self.execute("ROLLBACK TO job")?,
                Attempt::Outage(error) => return Err(error),
            }
            self.execute("RELEASE job")?;
        }
        Ok(())
    }

    fn commit(&mut self, shared_by: usize) -> Result<(), StoreError> {
        let started = Instant::now();
        self.execute("COMMIT")?;
        self.gather = shared_by > 1 && started.elapsed() > SLOW_COMMIT;
        Ok(())
    }

    fn execute(&mut self, statement: &str) -> Result<(), StoreError> {
        self.conn
            .batch_execute(statement)
            .map_err(|error| Failure::from(error).into_store_error())
            .map_err(|error| match error {
                // Whatever keeps a transaction from beginning or ending concerns everybody.
                StoreError::Internal { reason } => StoreError::Unavailable { reason },
                other => other,
            })
    }

    /// SQLite has often rolled back by itself already; then there is nothing left to undo.
    fn roll_back(&mut self) {
        if let Err(error) = self.execute("ROLLBACK") {
            tracing::debug!(error = %error, "nothing to roll back");
        }
    }
}

fn drain(jobs: &mut mpsc::Receiver<Job>, batch: &mut Vec<Job>) {
    while batch.len() < BATCH {
        match jobs.try_recv() {
            Ok(job) => batch.push(job),
            Err(_) => break,
        }
    }
}
