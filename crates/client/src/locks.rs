//! Locks across processes: whoever refreshes a session is the only one to do so on this device.
//!
//! A lock is an empty file that the operating system locks for as long as it is open, so it ends
//! with the process however that ends. It keeps nothing, and protects nothing from a program that
//! does not ask for it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::time::{sleep, timeout};

/// How often a lock that another process holds is tried again. Polling needs no thread, and one that
/// gives up leaves nothing behind that would take the lock later.
const AGAIN: Duration = Duration::from_millis(10);

/// Why a lock was not taken.
#[derive(Debug, Error)]
pub enum LockTrouble {
    /// Another process, or another task of this one, held it until the deadline.
    #[error("held by another process")]
    Busy,
    /// The file system has no place for it, or no locks.
    #[error("locks cannot be used here: {}", .0.kind())]
    Unusable(#[from] io::Error),
}

/// The locks of one service and person on this device.
#[derive(Clone, Debug)]
pub struct Locks {
    folder: PathBuf,
    service: String,
}

impl Locks {
    /// The locks of `service`, such as `dev.keyport.desktop`, in a folder that every process of this person finds, such as
    /// [`state_dir`](crate::config::state_dir). Touches nothing yet.
    pub fn in_folder(folder: impl Into<PathBuf>, service: impl Into<String>) -> Self {
        Self { folder: folder.into(), service: service.into() }
    }

    /// Takes the lock of that name, waiting for `deadline` at most. It is held until the [`Lock`] is
    /// dropped or this process ends. Not reentrant. Cancel safe.
    ///
    /// # Errors
    /// [`LockTrouble::Busy`] at the deadline; [`LockTrouble::Unusable`] at once.
    pub async fn take(&self, name: &str, deadline: Duration) -> Result<Lock, LockTrouble> {
        let file = open(&self.folder, &self.file_name(name))?;
        let locked = async {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::WouldBlock) => sleep(AGAIN).await,
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
        };
        timeout(deadline, locked).await.map_err(|_| LockTrouble::Busy)??;
        Ok(Lock { _file: file })
    }

    /// Whether the lock of that name could be taken, now or later. Waits for nobody.
    ///
    /// # Errors
    /// [`LockTrouble::Unusable`].
    pub fn check(&self, name: &str) -> Result<(), LockTrouble> {
        Ok(open(&self.folder, &self.file_name(name)).map(drop)?)
    }

    /// The same for every process, a file name on every system, and nothing about the person.
    fn file_name(&self, name: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(&self.service);
        hasher.update([0]);
        hasher.update(name);
        let digest = hasher.finalize();
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}.lock")
    }
}

/// A lock that is held. Dropping it lets the next one in; the file stays, as deleting it could take
/// it away under somebody who is just opening it.
#[derive(Debug)]
#[must_use = "the lock is held only as long as this lives"]
pub struct Lock {
    _file: File,
}

/// Opened for this process alone: the browser that it starts does not inherit the lock.
fn open(folder: &Path, name: &str) -> io::Result<File> {
    make(folder)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join(name))
}

/// Nobody else enters it.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
