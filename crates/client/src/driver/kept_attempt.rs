//! Keeps and forgets the deep-link attempt in the keychain, in the order in which that was asked: a
//! slow "keep" must not arrive after its "forget".

use keyport_core::{AttemptId, KeptAttempt};
use tokio::sync::{mpsc, oneshot};

use crate::session::Sessions;

pub(super) enum KeptAttemptJob {
    /// Answers when it is kept, or cannot be.
    Keep(KeptAttempt, oneshot::Sender<()>),
    Forget(AttemptId),
}

pub(super) async fn work(sessions: Sessions, mut jobs: mpsc::UnboundedReceiver<KeptAttemptJob>) {
    while let Some(job) = jobs.recv().await {
        let done = match job {
            KeptAttemptJob::Keep(kept, done) => {
                let result = sessions.keep_attempt(&kept).await;
                // The receiver is dropped when the browser was not to be opened after all.
                let _ = done.send(());
                result
            }
            KeptAttemptJob::Forget(attempt) => sessions.forget_attempt(&attempt).await,
        };
        if let Err(problem) = done {
            tracing::warn!(problem = problem.code(), "the attempt could not be kept or forgotten");
        }
    }
    // The process ends: what could not be forgotten is asked for once more.
    sessions.finish().await;
}
