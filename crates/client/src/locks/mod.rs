//! Locks across processes: one task of one process at a time refreshes, saves or ends what a
//! keychain keeps. The lock is where the keychain is: a name on the session bus that carries the
//! Secret Service, an empty file where the keychain belongs to the person's account.
//!
//! A lock ends with the process that holds it, however that ends. It protects nothing from a
//! program that does not ask for it.

#[cfg(target_os = "linux")]
mod bus;
mod file;

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Mutex, OwnedMutexGuard};
#[cfg(target_os = "linux")]
use tokio::time::timeout;
use tokio::time::{Instant, sleep, timeout_at};

/// How often a lock that another process holds is tried again. Polling needs no thread, and a
/// sandbox that filters the signals of the bus does not matter.
const AGAIN: Duration = Duration::from_millis(20);
/// One question to the session bus, which answers at once if it answers at all.
#[cfg(target_os = "linux")]
const ANSWER: Duration = Duration::from_secs(3);

/// Why a lock was not taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process, or another task of this one, held it until the timeout.
    #[error("held by another process")]
    Busy,
    /// The policy of the session bus or of a sandbox does not let this program own the name.
    #[error("the session bus refuses the name of the lock")]
    Refused,
    /// There is no session bus, and so no keychain either.
    #[error("there is no session bus")]
    Absent,
    /// The session bus is there and does not answer.
    #[error("the session bus does not answer")]
    Slow,
    /// The file system has no place for it, or no locks.
    #[error("locks cannot be used here: {}", .0.kind())]
    Unusable(#[from] io::Error),
}

/// The future of [`Locks::take`] behind a trait.
pub type Locking<'a, T = Lock> = Pin<Box<dyn Future<Output = Result<T, LockError>> + Send + 'a>>;

/// The lock of one service's keychain items. Clones are the same lock.
#[derive(Clone, Debug)]
pub struct Locks(Place);

#[derive(Clone, Debug)]
enum Place {
    #[cfg(target_os = "linux")]
    Bus(bus::Name),
    Folder(file::Place),
    Process(Arc<Mutex<()>>),
}

impl Locks {
    /// The lock of `service`: the name `SERVICE.Sessions` on the session bus, for example
    /// `dev.keyport.desktop.Sessions`. It is not taken yet.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn on_session_bus(service: &str) -> Self {
        Self(Place::Bus(bus::Name::of(service)))
    }

    /// The lock of `service` as an empty file in a folder that every process of this person finds
    /// whatever its environment says, such as `folder`. Touches nothing yet.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>, service: &str) -> Self {
        Self(Place::Folder(file::Place::of(folder.into(), service)))
    }

    /// A lock that no other process knows, for a keychain that no other process knows.
    #[must_use]
    pub fn in_process() -> Self {
        Self(Place::Process(Arc::default()))
    }

    /// Takes the lock, waiting for `wait` at most; with zero it is tried once. It is held until the
    /// [`Lock`] is dropped or this process ends. Not reentrant. Cancel safe.
    ///
    /// # Errors
    /// [`LockError::Busy`] after `wait`; every other one at once.
    pub async fn take(&self, wait: Duration) -> Result<Lock, LockError> {
        let end = Instant::now() + wait;
        let mut held = match &self.0 {
            #[cfg(target_os = "linux")]
            Place::Bus(name) => Held::Bus(name.owner(in_turn(&name.connection, end).await?)),
            Place::Folder(place) => Held::File(place.open()?),
            Place::Process(mutex) => Held::Process(in_turn(mutex, end).await?),
        };
        while !held.is_taken().await? {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(LockError::Busy);
            }
            sleep(AGAIN.min(left)).await;
        }
        Ok(Lock(held))
    }

    /// Whether the lock could be taken, now or later. Does not wait for another holder.
    ///
    /// # Errors
    /// Every [`LockError`] but [`LockError::Busy`].
    pub async fn check(&self) -> Result<(), LockError> {
        match self.take(Duration::ZERO).await {
            Ok(_) | Err(LockError::Busy) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A lock that is held. Dropping it lets the next one in.
#[derive(Debug)]
#[must_use = "the lock is held only as long as this lives"]
pub struct Lock(#[expect(dead_code, reason = "held for what dropping it does")] Held);

#[derive(Debug)]
enum Held {
    #[cfg(target_os = "linux")]
    Bus(bus::Owner),
    File(file::Locked),
    Process(#[expect(dead_code, reason = "held for what dropping it does")] OwnedMutexGuard<()>),
}

impl Held {
    /// Tries once.
    async fn is_taken(&mut self) -> Result<bool, LockError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Bus(owner) => {
                timeout(ANSWER, owner.request()).await.unwrap_or(Err(LockError::Slow))
            }
            Self::File(file) => file.try_lock(),
            Self::Process(_) => Ok(true),
        }
    }
}

async fn in_turn<T>(mutex: &Arc<Mutex<T>>, end: Instant) -> Result<OwnedMutexGuard<T>, LockError> {
    timeout_at(end, mutex.clone().lock_owned()).await.map_err(|_| LockError::Busy)
}

/// Where a lock file goes: below the home folder that the system's user database or known folders
/// name, never one that an environment variable names.
///
/// # Errors
/// When the person has no home folder.
#[cfg(any(target_os = "macos", windows))]
pub fn folder() -> io::Result<PathBuf> {
    file::folder()
}
