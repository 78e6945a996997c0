//! One engine per database: a lock file beside it, locked while the database is open. SQLite's own
//! locks do not keep a second engine out, and closing any other handle of the database file would
//! end them (POSIX fcntl locks).

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::files::{beside, identity, identity_of};
use crate::storage::OpenError;

/// A companion that is started again can meet its predecessor's last moments: a second is waited
/// before it is another companion.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// The lock file, locked. It is unlocked explicitly and not by closing it: a child process that has
/// not begun its own program still has a copy of it.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock of the database, waiting up to a second for another engine that ends.
    ///
    /// # Errors
    /// [`OpenError::InUse`], or [`OpenError::Io`] where the lock file cannot be made.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let io = |cause: io::Error| OpenError::Io {
            database: database.display().to_string(),
            cause: cause.to_string(),
        };
        let path = beside(database, ".lock");
        for _ in 0..TRIES {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false);
            let file = private(&mut options).open(&path).map_err(io)?;
            match file.try_lock() {
                // A file that lost its name before it was locked keeps no later engine out.
                Ok(())
                    if Some(identity_of(&file.metadata().map_err(io)?)) == identity(&path).ok() =>
                {
                    return Ok(Self(file));
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(cause)) => return Err(io(cause)),
            }
        }
        Err(OpenError::InUse(database.display().to_string()))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(cause = %error.kind(), "the lock ends with its file");
        }
    }
}

/// For the owner alone, whatever the umask is.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_given_up_is_free_whoever_has_a_copy_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("keyport.db");
        let lock = Lock::take(&database).unwrap();
        // What a child process has until it executes its own program.
        let copy = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(Lock::take(&database).is_ok());
        drop(copy);
    }
}
