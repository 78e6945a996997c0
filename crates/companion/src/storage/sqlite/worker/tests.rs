//! One commit for many, each on its own: a failure stays with its operation, a failed commit
//! reaches each of its operations.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use futures_util::FutureExt as _;
use rusqlite::Connection;

use super::{Abandoned, Done, Worker};
use crate::storage::{Reply, StorageError};

struct Table {
    worker: Worker,
    path: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Table {
    fn new(queue: usize, group: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
             CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE t (id INTEGER PRIMARY KEY,
                             parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);",
        )
        .unwrap();
        let worker = Worker::writer(db, queue, group, None, None).unwrap();
        Self { worker, path, _folder: folder }
    }

    /// Holds the thread until the barrier falls, so that what is queued meanwhile becomes one
    /// group.
    fn hold(&self) -> (Reply<'static, ()>, Arc<Barrier>) {
        let barrier = Arc::new(Barrier::new(2));
        let other_side = Arc::clone(&barrier);
        let mut held = self.worker.submit(None, Abandoned::Drop, move |_| {
            other_side.wait();
            other_side.wait();
            Ok(())
        });
        assert!((&mut held).now_or_never().is_none());
        // It runs, alone in its group.
        barrier.wait();
        (held, barrier)
    }

    fn insert(&self, id: i64, parent: Option<i64>, fail: bool) -> Reply<'static, ()> {
        self.insert_and(Abandoned::Drop, id, parent, fail)
    }

    fn insert_and(
        &self,
        abandoned: Abandoned,
        id: i64,
        parent: Option<i64>,
        fail: bool,
    ) -> Reply<'static, ()> {
        let mut call = self.worker.submit(None, abandoned, move |db| -> Done<()> {
            db.execute("INSERT INTO t (id, parent) VALUES (?1, ?2)", (id, parent))?;
            if fail { Err(StorageError::Damaged("by the test".into())) } else { Ok(()) }
        });
        // Polled once: it is in the queue, or already done.
        match (&mut call).now_or_never() {
            Some(done) => Box::pin(std::future::ready(done)),
            None => call,
        }
    }

    fn rows(&self) -> Vec<i64> {
        let db = Connection::open(&self.path).unwrap();
        let mut rows = db.prepare("SELECT id FROM t ORDER BY id").unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }
}

#[tokio::test]
async fn an_operation_that_fails_leaves_nothing_and_spares_its_group() {
    let table = Table::new(8, 8);
    let (held, barrier) = table.hold();
    let calls =
        [table.insert(1, None, false), table.insert(2, None, true), table.insert(3, None, false)];
    barrier.wait();
    held.await.unwrap();
    let [one, two, three] = calls;
    assert_eq!(one.await, Ok(()));
    assert_eq!(two.await, Err(StorageError::Damaged("by the test".into())));
    assert_eq!(three.await, Ok(()));
    assert_eq!(table.rows(), [1, 3]);
}

#[tokio::test]
async fn a_failed_commit_fails_its_whole_group_and_the_next_one_works() {
    let table = Table::new(8, 8);
    let (held, barrier) = table.hold();
    // The missing parent is found by the commit, after both operations have succeeded.
    let calls = [table.insert(1, None, false), table.insert(2, Some(404), false)];
    barrier.wait();
    held.await.unwrap();
    for call in calls {
        let answer = call.await;
        assert!(matches!(answer, Err(StorageError::Unavailable(_))), "{answer:?}");
    }
    assert!(table.rows().is_empty());
    table.insert(5, None, false).await.unwrap();
    assert_eq!(table.rows(), [5]);
}

#[tokio::test]
async fn an_answer_means_that_others_can_read_it() {
    let table = Table::new(8, 8);
    for id in 0..20 {
        table.insert(id, None, false).await.unwrap();
        assert_eq!(table.rows().last(), Some(&id));
    }
}

#[tokio::test]
async fn what_is_queued_is_done_before_the_thread_stops() {
    let table = Table::new(8, 2);
    let (held, barrier) = table.hold();
    let calls: Vec<_> = (0..5).map(|id| table.insert(id, None, false)).collect();
    barrier.wait();
    held.await.unwrap();
    let Table { worker, path, _folder } = table;
    drop(worker);
    for call in calls {
        assert_eq!(call.await, Ok(()));
    }
    let rows: i64 = Connection::open(path)
        .unwrap()
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 5);
}

#[tokio::test]
async fn a_job_whose_caller_has_gone_is_not_run() {
    let table = Table::new(2_000, 8);
    let (held, barrier) = table.hold();
    for id in 0..1_000 {
        drop(table.insert(id, None, false));
    }
    let live = table.insert(1_000, None, false);
    barrier.wait();
    held.await.unwrap();
    assert_eq!(live.await, Ok(()));
    assert_eq!(table.rows(), [1_000]);
}

#[tokio::test]
async fn a_job_that_was_promised_is_run_without_its_caller() {
    let table = Table::new(8, 8);
    let (held, barrier) = table.hold();
    drop(table.insert_and(Abandoned::Run, 1, None, false));
    let live = table.insert(2, None, false);
    barrier.wait();
    held.await.unwrap();
    assert_eq!(live.await, Ok(()));
    assert_eq!(table.rows(), [1, 2]);
}

#[tokio::test]
async fn a_full_queue_is_said_at_once() {
    let table = Table::new(2, 8);
    let (held, barrier) = table.hold();
    let queued = [table.insert(1, None, false), table.insert(2, None, false)];
    let refused = table.worker.submit(None, Abandoned::Drop, |_| Ok(())).now_or_never();
    assert!(matches!(refused, Some(Err(StorageError::Unavailable(_)))), "{refused:?}");
    barrier.wait();
    held.await.unwrap();
    for call in queued {
        assert_eq!(call.await, Ok(()));
    }
}

/// Readers on an empty database.
fn readers(count: usize, queue: usize) -> Worker {
    let connections = (0..count).map(|_| Connection::open_in_memory().unwrap()).collect();
    Worker::readers(connections, queue).unwrap()
}

#[tokio::test]
async fn a_read_that_is_stuck_does_not_hold_the_others() {
    let readers = readers(2, 8);
    let barrier = Arc::new(Barrier::new(2));
    let other_side = Arc::clone(&barrier);
    let mut stuck = readers.submit(None, Abandoned::Drop, move |_| {
        other_side.wait();
        Ok(())
    });
    assert!((&mut stuck).now_or_never().is_none());
    for n in 0..100 {
        assert_eq!(readers.submit(None, Abandoned::Drop, move |_| Ok(n)).await, Ok(n));
    }
    barrier.wait();
    assert_eq!(stuck.await, Ok(()));
}

#[tokio::test]
async fn reads_whose_callers_have_gone_are_not_run() {
    let readers = readers(1, 2_000);
    let (begun, run) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let other_side = Arc::clone(&begun);
    let mut held = readers.submit(None, Abandoned::Drop, move |_| {
        other_side.wait();
        other_side.wait();
        Ok(())
    });
    assert!((&mut held).now_or_never().is_none());
    begun.wait();
    let read = || {
        let run = Arc::clone(&run);
        readers.submit(None, Abandoned::Drop, move |_| Ok(run.fetch_add(1, Ordering::SeqCst)))
    };
    for _ in 0..1_000 {
        let mut call = read();
        assert!((&mut call).now_or_never().is_none());
        drop(call);
    }
    begun.wait();
    assert_eq!(read().await, Ok(0), "none of the thousand was run");
    held.await.unwrap();
}
