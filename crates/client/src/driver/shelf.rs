//! Keeps and forgets the deep-link attempt in the keychain, in the order in which that was asked: a
//! slow "keep" must not arrive after its "forget".

use keyport_core::{AttemptId, KeptAttempt};
use tokio::sync::{mpsc, oneshot};

use crate::session::Sessions;

pub(super) enum Job {
    /// Answers when it is kept, or cannot be.
    Keep(KeptAttempt, oneshot::Sender<()>),
    Forget(AttemptId),
}

pub(super) async fn work(sessions: Sessions, mut jobs: mpsc::UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        let done = match job {
            Job::Keep(kept, done) => {
                let result = sessions.keep_attempt(&kept).await;
                // Nobody waits any more when the browser was not to be opened after all.
                let _ = done.send(());
                result
            }
            Job::Forget(attempt) => sessions.forget_attempt(&attempt).await,
        };
        if let Err(problem) = done {
            tracing::warn!(problem = problem.code(), "the attempt could not be kept or forgotten");
        }
    }
}
