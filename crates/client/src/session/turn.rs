//! Whose turn it is to touch what is kept: one task of one process at a time. Everything that
//! writes an item takes a [`Turn`] as proof that it is its turn. What runs in a turn is written for
//! [`Shared`](super::Shared), which has no [`Turns`] and so cannot wait for the turn it is in.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use keyport_core::Problem;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout, timeout_at};

use crate::http::Trouble;
use crate::keychain::Keychain;
use crate::locks::{Lock, LockTrouble};

/// How long a turn is waited for.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long the companion is waited for in a turn, with metadata, nonce and userinfo. With the
/// keychain calls around it, each 3 s at most, a turn seldom lasts longer than others wait for it.
const ANSWER: Duration = Duration::from_secs(18);

#[derive(Clone)]
pub(super) struct Turns {
    keychain: Arc<dyn Keychain>,
    here: Arc<Mutex<()>>,
}

/// Held while something is read from the keychain and then written. Only [`Turns`] makes one.
pub(super) struct Turn {
    // Given back first, so that the next task here does not find its own process in the way.
    _everywhere: Lock,
    here: HereTurn,
}

/// Held while a session is changed that this process alone holds: no other process can be in the
/// way, and there may be no keychain.
pub(super) struct HereTurn(#[expect(dead_code, reason = "held")] OwnedMutexGuard<()>);

impl Turn {
    /// Whoever has the turn of the keychain has that of this process too.
    pub(super) fn here(&self) -> &HereTurn {
        &self.here
    }
}

impl Turns {
    pub(super) fn of(keychain: Arc<dyn Keychain>) -> Self {
        Self { keychain, here: Arc::default() }
    }

    /// For what the keychain holds.
    pub(super) async fn take(&self) -> Result<Turn, Problem> {
        self.take_within(PATIENCE).await
    }

    /// As [`take`](Self::take), only if it is free: for what can also be done another time.
    pub(super) async fn take_if_free(&self) -> Result<Turn, Problem> {
        self.take_within(Duration::ZERO).await
    }

    async fn take_within(&self, wait: Duration) -> Result<Turn, Problem> {
        let end = Instant::now() + wait;
        let here = self.here(end).await?;
        let left = end.saturating_duration_since(Instant::now());
        match self.keychain.lock(left).await {
            Ok(lock) => Ok(Turn { _everywhere: lock, here }),
            Err(trouble) => Err(problem(&trouble)),
        }
    }

    /// Whether the lock could be taken, now or later: to be known before a browser opens.
    pub(super) async fn check(&self) -> Result<(), Problem> {
        self.keychain.check_lock().await.map_err(|trouble| problem(&trouble))
    }

    /// For what this process alone holds.
    pub(super) async fn take_here(&self) -> Result<HereTurn, Problem> {
        self.here(Instant::now() + PATIENCE).await
    }

    async fn here(&self, end: Instant) -> Result<HereTurn, Problem> {
        let here = timeout_at(end, self.here.clone().lock_owned()).await;
        here.map(HereTurn).map_err(|_| Problem::KeychainBusy)
    }
}

/// What is asked of the companion in a turn ends within it. An answer that is lost so is like one
/// that the network loses.
pub(super) async fn answered<T>(
    asked: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    timeout(ANSWER, asked).await.unwrap_or(Err(Trouble::Problem(Problem::Offline)))
}

fn problem(trouble: &LockTrouble) -> Problem {
    tracing::info!(%trouble, "the lock of the keychain was not taken");
    match trouble {
        LockTrouble::Busy => Problem::KeychainBusy,
        LockTrouble::Refused => Problem::KeychainLockRefused,
        LockTrouble::Absent => Problem::KeychainAbsent,
        LockTrouble::Slow => Problem::KeychainSlow,
        LockTrouble::Unusable(_) => Problem::Internal,
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
    async fn whoever_waits_for_a_turn_waits_for_a_while_and_not_for_ever() {
        let keychain = Arc::new(MemoryKeychain::default());
        let turns = Turns::of(keychain.clone());
        let lock = keychain.lock(Duration::ZERO).await.unwrap();
        // The first waits for the lock of the keychain, the others for that of this process.
        let (first, second, here) = tokio::join!(
            turns.take_within(SHORT),
            turns.take_within(SHORT),
            turns.here(Instant::now() + SHORT / 2),
        );
        assert!(is_busy(&first) && is_busy(&second) && is_busy(&here));
        drop(lock);
        let turn = turns.take().await.ok().unwrap();
        assert!(is_busy(&turns.take_if_free().await));
        assert!(is_busy(&turns.here(Instant::now() + SHORT).await));
        drop(turn);
        assert!(turns.take_if_free().await.is_ok());
    }
}
