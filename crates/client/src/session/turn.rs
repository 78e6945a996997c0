//! Whose turn it is to touch what is kept: one task of one process at a time. Everything that writes an item takes a turn; a
//! reader alone does not need one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keyport_core::Problem;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::locks::{Lock, LockTrouble, Locks};

const NAME: &str = "sessions";
/// Longer than one request and the keychain calls around it: whoever holds the lock will be done by then.
const PATIENCE: Duration = Duration::from_secs(25);

pub(super) struct Turns {
    locks: Locks,
    here: Arc<Mutex<()>>,
}

/// Held while something is read and then written.
pub(super) struct Turn {
    // Given back first, so that the next task here does not find its own process in the way.
    _everywhere: Option<Lock>,
    _here: OwnedMutexGuard<()>,
}

impl Turns {
    pub(super) fn of(service: &str, state_dir: PathBuf) -> Self {
        Self { locks: Locks::in_folder(state_dir, service), here: Arc::default() }
    }

    /// For what the keychain holds.
    pub(super) async fn take(&self) -> Result<Turn, Problem> {
        let here = self.here.clone().lock_owned().await;
        match self.locks.take(NAME, PATIENCE).await {
            Ok(lock) => Ok(Turn { _everywhere: Some(lock), _here: here }),
            Err(trouble) => Err(problem(&trouble)),
        }
    }

    /// Whether there is a place for the lock: to be known before a browser opens.
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.locks.check(NAME).map_err(|trouble| problem(&trouble))
    }

    /// For what this process alone holds: no other one can be in the way, and there may be no place for a lock.
    pub(super) async fn take_here(&self) -> Turn {
        Turn { _everywhere: None, _here: self.here.clone().lock_owned().await }
    }
}

fn problem(trouble: &LockTrouble) -> Problem {
    match trouble {
        LockTrouble::Busy => Problem::KeychainSlow,
        LockTrouble::Unusable(_) => {
            tracing::warn!(%trouble, "the keychain cannot be shared safely");
            Problem::Internal
        }
    }
}
