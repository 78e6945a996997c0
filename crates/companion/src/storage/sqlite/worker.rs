//! The threads that own the connections. The writer takes what has queued up, runs each operation
//! in a savepoint of its own, commits once and only then answers all callers: one fdatasync is
//! shared by the group, and there is no delay to collect one. The readers share one queue, a
//! snapshot for each operation, so that a slow read holds up one thread and not the others.
//!
//! A queue is bounded, and a full one is said at once. An operation whose caller has gone before it
//! was begun is dropped, unless it is marked [`Abandoned::Run`].

use std::io;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use futures_util::FutureExt as _;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

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

/// What becomes of a queued operation whose caller has gone. One that has begun is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abandoned {
    /// It is dropped: the answer would reach no caller, and one who asks again gets the same.
    Drop,
    /// It runs: its effect was promised by what the caller has shown or done before.
    Run,
}

/// An operation that waits for its commit.
trait Job: Send {
    fn now(&self) -> Option<Timestamp>;
    /// True if its caller has gone and it need not be run.
    fn is_obsolete(&self) -> bool;
    /// Runs it; false if its savepoint has to be rolled back.
    fn run(&mut self, db: &Connection) -> bool;
    fn answer(self: Box<Self>, group: &Done<()>);
}

struct Operation<T, F> {
    now: Option<Timestamp>,
    abandoned: Abandoned,
    body: Option<F>,
    result: Option<Done<T>>,
    reply: oneshot::Sender<Done<T>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Done<T> + Send> Job for Operation<T, F> {
    fn now(&self) -> Option<Timestamp> {
        self.now
    }

    fn is_obsolete(&self) -> bool {
        self.abandoned == Abandoned::Drop && self.reply.is_closed()
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

/// Called inside each group's transaction with the latest instant of the group and its number of
/// operations.
pub(super) type Maintenance = Box<dyn FnMut(&Connection, Timestamp, usize) -> Done<()> + Send>;

/// Called before each group and again after its commit; an error refuses the whole group.
pub(super) type Guard = Box<dyn Fn() -> Done<()> + Send>;

/// The queue in front of the threads. Dropping it lets them finish what is queued, then joins them.
pub(super) struct Worker {
    queue: Option<Sender<Box<dyn Job>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// One thread that commits in groups. `queue`: how many operations may wait; `group`: how many
    /// share one commit at most.
    pub(super) fn writer(
        db: Connection,
        queue: usize,
        group: usize,
        maintenance: Option<Maintenance>,
        guard: Option<Guard>,
    ) -> io::Result<Self> {
        let (sender, receiver) = crossbeam_channel::bounded(queue.max(1));
        let thread = std::thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || write(&db, &receiver, group.max(1), maintenance, guard.as_deref()))?;
        Ok(Self { queue: Some(sender), threads: vec![thread] })
    }

    /// One thread for each connection, and one queue for all.
    pub(super) fn readers(connections: Vec<Connection>, queue: usize) -> io::Result<Self> {
        let (sender, receiver) = crossbeam_channel::bounded(queue.max(1));
        let mut readers = Self { queue: Some(sender), threads: Vec::new() };
        for db in connections {
            let receiver = receiver.clone();
            let thread = std::thread::Builder::new()
                .name("storage-reader".to_owned())
                .spawn(move || read(&db, &receiver))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Queues an operation and waits for its commit. [`StorageError::Unavailable`] at once if the
    /// queue is full.
    pub(super) fn submit<T, F>(
        &self,
        now: Option<Timestamp>,
        abandoned: Abandoned,
        body: F,
    ) -> Reply<'static, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Done<T> + Send + 'static,
    {
        let queue = self.queue.clone();
        async move {
            let (reply, answer) = oneshot::channel();
            let body = Some(body);
            let job = Box::new(Operation { now, abandoned, body, result: None, reply });
            let unavailable = |cause: &str| StorageError::Unavailable(cause.to_owned());
            let stopped = || unavailable("the database thread has stopped");
            queue.ok_or_else(stopped)?.try_send(job).map_err(|refused| match refused {
                TrySendError::Full(_) => unavailable("the queue of the database is full"),
                TrySendError::Disconnected(_) => stopped(),
            })?;
            answer.await.map_err(|_| stopped())?
        }
        .boxed()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn read(db: &Connection, queue: &Receiver<Box<dyn Job>>) {
    for mut job in queue {
        if job.is_obsolete() {
            continue;
        }
        let done = in_snapshot(db, &mut *job);
        if !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        job.answer(&done);
    }
}

/// One snapshot, so that what is read from several tables fits together.
fn in_snapshot(db: &Connection, job: &mut dyn Job) -> Done<()> {
    db.prepare_cached("BEGIN")?.execute([])?;
    job.run(db);
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

fn write(
    db: &Connection,
    queue: &Receiver<Box<dyn Job>>,
    limit: usize,
    mut maintenance: Option<Maintenance>,
    guard: Option<&(dyn Fn() -> Done<()> + Send)>,
) {
    let mut group = Vec::with_capacity(limit);
    for first in queue {
        let next = std::iter::once(first).chain(queue.try_iter());
        group.extend(next.filter(|job| !job.is_obsolete()).take(limit));
        if group.is_empty() {
            continue;
        }
        let allowed = || guard.map_or(Ok(()), |guard| guard());
        // Asked again after the commit: what was written to a file that has gone meanwhile is lost.
        let committed = allowed()
            .and_then(|()| run_group(db, &mut group, maintenance.as_mut()))
            .and_then(|()| allowed());
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
    group: &mut [Box<dyn Job>],
    maintenance: Option<&mut Maintenance>,
) -> Done<()> {
    // The write lock first, so that no operation fails halfway for want of it.
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for job in group.iter_mut() {
        in_savepoint(db, |db| job.run(db))?;
    }
    let now = group.iter().filter_map(|job| job.now()).max();
    if let (Some(maintenance), Some(now)) = (maintenance, now) {
        // What the maintenance could not do it will do later; the group does not suffer for it.
        in_savepoint(db, |db| maintenance(db, now, group.len()).is_ok())?;
    }
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

fn in_savepoint(db: &Connection, body: impl FnOnce(&Connection) -> bool) -> Done<()> {
    db.prepare_cached("SAVEPOINT operation")?.execute([])?;
    let keep = body(db);
    // A full disk may have rolled the whole transaction back: then no operation of this group
    // stands.
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
