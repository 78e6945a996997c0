//! One thread that does the blocking calls of one keychain, each within a deadline of its caller's.
//!
//! A call that hangs (a frozen daemon, a dialog without an answer) holds this thread and no other:
//! the runtime goes on, later calls end at their own deadline, and what is not awaited any more is
//! skipped. One thread also keeps the order: a late write can not overtake a newer one.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::KeychainError;

/// Calls that may wait behind a hanging one.
const QUEUE: usize = 64;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// The thread's other end. The thread ends when this is dropped and the call under way returns.
pub(super) struct Worker<S> {
    jobs: SyncSender<Job<S>>,
}

impl<S: Send + 'static> Worker<S> {
    /// Gives `state` to a thread of its own.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(name: &str, mut state: S) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job<S>>(QUEUE);
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Ok(job) = queue.recv() {
                job(&mut state);
            }
        })?;
        Ok(Self { jobs })
    }

    /// Does `work` on the thread, after everything that was asked before.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl FnOnce(&mut S) -> Result<T, KeychainError> + Send + 'static,
    ) -> Result<T, KeychainError> {
        let (done, result) = oneshot::channel();
        let job: Job<S> = Box::new(move |state| {
            if !done.is_closed() {
                // The caller may have given up meanwhile; then the result is not needed.
                let _ = done.send(work(state));
            }
        });
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(KeychainError::Slow),
            Err(TrySendError::Disconnected(_)) => return Err(KeychainError::Absent),
        }
        match timeout(deadline, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(KeychainError::Absent),
            Err(_) => Err(KeychainError::Slow),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::task::Poll;

    use super::*;

    const SHORT: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(20);

    /// Gives the thread a job that hangs, and returns once that job runs. Dropping the sender ends
    /// it.
    async fn hang(worker: &Worker<Vec<&'static str>>) -> Sender<()> {
        let (running, runs) = oneshot::channel();
        let (release, hanging) = channel::<()>();
        let hung = worker.call(LONG, move |log| {
            log.push("hanging");
            let _ = running.send(());
            let _ = hanging.recv();
            Ok(())
        });
        tokio::select! {
            result = hung => panic!("the job does not hang: {result:?}"),
            started = runs => started.unwrap(),
        }
        release
    }

    #[tokio::test]
    async fn a_call_behind_a_hanging_one_ends_at_its_deadline_and_never_runs() {
        let worker = Worker::start("test", Vec::new()).unwrap();
        let release = hang(&worker).await;
        let abandoned = worker.call(SHORT, |log: &mut Vec<&str>| {
            log.push("abandoned");
            Ok(())
        });
        assert_eq!(abandoned.await, Err(KeychainError::Slow));
        drop(release);
        let log = worker.call(LONG, |log: &mut Vec<&str>| Ok(log.clone())).await;
        assert_eq!(log.unwrap(), ["hanging"]);
    }

    #[tokio::test]
    async fn a_full_queue_is_said_at_once() {
        let worker = Worker::start("test", Vec::new()).unwrap();
        let _release = hang(&worker).await;
        let mut queued = Vec::new();
        for place in 0..QUEUE {
            let mut call = Box::pin(worker.call(LONG, |_| Ok(())));
            assert!(futures_util::poll!(&mut call).is_pending(), "place {place} is free");
            queued.push(call);
        }
        let mut one_more = std::pin::pin!(worker.call(LONG, |_| Ok(())));
        let said = futures_util::poll!(&mut one_more);
        assert_eq!(said, Poll::Ready(Err(KeychainError::Slow)));
    }
}
