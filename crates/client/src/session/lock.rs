//! The session lock: one task of one process at a time changes what is kept. Everything that writes
//! an item takes a [`SessionLock`] as proof that it is held. What runs under the lock is written
//! for [`Shared`](super::Shared), which has no [`SessionLocks`] and so cannot wait for the lock
//! again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use keyport_core::Problem;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout, timeout_at};

use crate::http::HttpError;
use crate::keychain::Keychain;
use crate::locks::{Lock, LockError};

/// How long the lock is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(25);
/// How long the companion is waited for while the lock is held, with metadata, nonce and userinfo.
/// With the keychain calls around it, each 3 s at most, it is seldom held longer than others wait
/// for it.
const COMPANION_TIMEOUT: Duration = Duration::from_secs(18);

#[derive(Clone)]
pub(super) struct SessionLocks {
    keychain: Arc<dyn Keychain>,
    here: Arc<Mutex<()>>,
}

/// Held while something is read from the keychain and then written. Only [`SessionLocks`] makes
/// one.
pub(super) struct SessionLock {
    // Given back first, so that the next task here does not find its own process in the way.
    _everywhere: Lock,
    _process: ProcessLock,
}

/// Held while a session is changed that this process alone holds: no other process can be in the
/// way, and there may be no keychain.
pub(super) struct ProcessLock(#[expect(dead_code, reason = "held")] OwnedMutexGuard<()>);

impl SessionLocks {
    pub(super) fn of(keychain: Arc<dyn Keychain>) -> Self {
        Self { keychain, here: Arc::default() }
    }

    /// For what the keychain holds.
    pub(super) async fn take(&self) -> Result<SessionLock, Problem> {
        self.take_within(LOCK_TIMEOUT).await
    }

    /// As [`take`](Self::take), only if it is free: for what can also be done another time.
    pub(super) async fn take_if_free(&self) -> Result<SessionLock, Problem> {
        self.take_within(Duration::ZERO).await
    }

    async fn take_within(&self, wait: Duration) -> Result<SessionLock, Problem> {
        let end = Instant::now() + wait;
        let here = self.here(end).await?;
        let left = end.saturating_duration_since(Instant::now());
        match self.keychain.lock(left).await {
            Ok(lock) => Ok(SessionLock { _everywhere: lock, _process: here }),
            Err(error) => Err(problem(&error)),
        }
    }

    /// Whether the lock could be taken, now or later: to be known before a browser opens.
    pub(super) async fn check(&self) -> Result<(), Problem> {
        self.keychain.check_lock().await.map_err(|error| problem(&error))
    }

    /// For what this process alone holds.
    pub(super) async fn take_process_lock(&self) -> Result<ProcessLock, Problem> {
        self.here(Instant::now() + LOCK_TIMEOUT).await
    }

    async fn here(&self, end: Instant) -> Result<ProcessLock, Problem> {
        let here = timeout_at(end, self.here.clone().lock_owned()).await;
        here.map(ProcessLock).map_err(|_| Problem::KeychainBusy)
    }
}

/// Limits a request to the companion that is sent under the lock. Its answer counts as lost then.
pub(super) async fn answered<T>(
    asked: impl Future<Output = Result<T, HttpError>>,
) -> Result<T, HttpError> {
    timeout(COMPANION_TIMEOUT, asked).await.unwrap_or(Err(HttpError::Problem(Problem::Offline)))
}

fn problem(error: &LockError) -> Problem {
    tracing::info!(%error, "the lock of the keychain was not taken");
    match error {
        LockError::Busy => Problem::KeychainBusy,
        LockError::Refused => Problem::KeychainLockRefused,
        LockError::Absent => Problem::KeychainAbsent,
        LockError::Slow => Problem::KeychainSlow,
        LockError::Unusable(_) => Problem::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keychain::MemoryKeychain;

    const SHORT: Duration = Duration::from_millis(50);

    fn is_busy<T>(taken: &Result<T, Problem>) -> bool {
        matches!(taken, Err(Problem::KeychainBusy))
    }

    #[tokio::test]
    async fn waiting_for_the_session_lock_ends_at_its_timeout() {
        let keychain = Arc::new(MemoryKeychain::default());
        let locks = SessionLocks::of(keychain.clone());
        let lock = keychain.lock(Duration::ZERO).await.unwrap();
        // The first waits for the lock of the keychain, the others for that of this process.
        let (first, second, here) = tokio::join!(
            locks.take_within(SHORT),
            locks.take_within(SHORT),
            locks.here(Instant::now() + SHORT / 2),
        );
        assert!(is_busy(&first) && is_busy(&second) && is_busy(&here));
        drop(lock);
        let lock = locks.take().await.ok().unwrap();
        assert!(is_busy(&locks.take_if_free().await));
        assert!(is_busy(&locks.here(Instant::now() + SHORT).await));
        drop(lock);
        assert!(locks.take_if_free().await.is_ok());
    }
}
