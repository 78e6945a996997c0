//! A thread that owns one connection and commits in groups: it takes what has queued up, runs each operation in a savepoint
//! of its own, commits once and only then answers everybody. One fdatasync is shared by the whole group; there is no
//! delay to collect one, the group is what came in during the commit before.

use std::io;
use std::thread::JoinHandle;

use futures_util::FutureExt as _;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use crate::domain::Timestamp;
use crate::storage::{Reply, StorageError};

/// What an operation inside a transaction returns.
pub(super) type Done<T> = Result<T, StorageError>;

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match &error {
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..) => Self::Damaged(error.to_string()),
            Error::SqliteFailure(cause, _)
                if matches!(cause.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) =>
            {
                Self::Damaged(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// An operation that waits for its commit.
trait Job: Send {
    fn now(&self) -> Option<Timestamp>;
    /// Runs it; false if its savepoint has to be rolled back.
    fn run(&mut self, db: &Connection) -> bool;
    fn answer(self: Box<Self>, group: &Done<()>);
}

struct Operation<T, F> {
    now: Option<Timestamp>,
    body: Option<F>,
    result: Option<Done<T>>,
    reply: oneshot::Sender<Done<T>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Done<T> + Send> Job for Operation<T, F> {
    fn now(&self) -> Option<Timestamp> {
        self.now
    }

    fn run(&mut self, db: &Connection) -> bool {
        self.result = self.body.take().map(|body| body(db));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, group: &Done<()>) {
        let result = match (self.result, group) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(commit)) => Err(commit.clone()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StorageError::Unavailable("the operation did not run".into())),
        };
        // A caller that has gone away is no concern of the others: what it asked for is committed.
        let _ = self.reply.send(result);
    }
}

/// Called inside each group's transaction with the latest instant of the group and its number of operations.
pub(super) type Chore = Box<dyn FnMut(&Connection, Timestamp, usize) -> Done<()> + Send>;

/// How a worker opens its transactions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    /// Takes the write lock first, so that no operation fails halfway for want of it.
    Write,
    /// A snapshot.
    Read,
}

/// The queue in front of the thread. Dropping it lets the thread finish what is queued, then joins it.
pub(super) struct Worker {
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// `queue`: how many operations may wait before callers do; `group`: how many share one commit at most.
    pub(super) fn spawn(
        db: Connection,
        access: Access,
        queue: usize,
        group: usize,
        chore: Option<Chore>,
    ) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let name = match access {
            Access::Write => "storage-writer",
            Access::Read => "storage-reader",
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || serve(&db, access, receiver, group.max(1), chore))?;
        Ok(Self { queue: Some(sender), thread: Some(thread) })
    }

    /// Queues an operation and waits for its commit. If the caller stops waiting, a queued operation runs all the same.
    pub(super) fn submit<T, F>(&self, now: Option<Timestamp>, body: F) -> Reply<'static, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Done<T> + Send + 'static,
    {
        let queue = self.queue.clone();
        async move {
            let (reply, answer) = oneshot::channel();
            let job = Box::new(Operation { now, body: Some(body), result: None, reply });
            let stopped = || StorageError::Unavailable("the database thread has stopped".into());
            queue.ok_or_else(stopped)?.send(job).await.map_err(|_| stopped())?;
            answer.await.map_err(|_| stopped())?
        }
        .boxed()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    db: &Connection,
    access: Access,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
    limit: usize,
    mut chore: Option<Chore>,
) {
    let mut group = Vec::with_capacity(limit);
    while let Some(first) = queue.blocking_recv() {
        group.push(first);
        while group.len() < limit
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        let committed = run_group(db, access, &mut group, chore.as_mut());
        if committed.is_err() && !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        for job in group.drain(..) {
            job.answer(&committed);
        }
    }
}

fn run_group(
    db: &Connection,
    access: Access,
    group: &mut [Box<dyn Job>],
    chore: Option<&mut Chore>,
) -> Done<()> {
    db.prepare_cached(match access {
        Access::Write => "BEGIN IMMEDIATE",
        Access::Read => "BEGIN",
    })?
    .execute([])?;
    for job in group.iter_mut() {
        in_savepoint(db, |db| job.run(db))?;
    }
    let now = group.iter().filter_map(|job| job.now()).max();
    if let (Some(chore), Some(now)) = (chore, now) {
        // What the chore could not do it will do later; the group does not suffer for it.
        in_savepoint(db, |db| chore(db, now, group.len()).is_ok())?;
    }
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

fn in_savepoint(db: &Connection, body: impl FnOnce(&Connection) -> bool) -> Done<()> {
    db.prepare_cached("SAVEPOINT operation")?.execute([])?;
    let keep = body(db);
    // A full disk may have rolled the whole transaction back: then nobody's work of this group stands.
    if db.is_autocommit() {
        return Err(StorageError::Unavailable("the transaction was rolled back".into()));
    }
    if !keep {
        db.prepare_cached("ROLLBACK TO operation")?.execute([])?;
    }
    db.prepare_cached("RELEASE operation")?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests;
