//! A lock as an empty file that the operating system locks. It is unlocked explicitly and not by
//! closing the file: a child process that has not begun its own program still has a copy of it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::LockError;

#[derive(Clone, Debug)]
pub(super) struct Place {
    folder: PathBuf,
    name: String,
}

impl Place {
    pub(super) fn of(folder: PathBuf, service: &str) -> Self {
        Self { folder, name: format!("{service}.lock") }
    }

    pub(super) fn open(&self) -> io::Result<Locked> {
        open(&self.folder, &self.name).map(Locked)
    }
}

/// The file, locked or not yet. It stays when it is unlocked: deleting it could take it away from
/// another process that is just opening it.
#[derive(Debug)]
pub(super) struct Locked(File);

impl Locked {
    pub(super) fn try_lock(&self) -> Result<bool, LockError> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(cause = %error.kind(), "a lock ends with its file");
        }
    }
}

/// For this person alone, and closed when another program is executed.
fn open(folder: &Path, name: &str) -> io::Result<File> {
    make(folder)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join(name))
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Compiled for macOS alone, and not run there yet.
#[cfg(target_os = "macos")]
pub(super) fn folder() -> io::Result<PathBuf> {
    use nix::unistd::{Uid, User};
    let person = User::from_uid(Uid::current())?.ok_or(io::ErrorKind::NotFound)?;
    Ok(person.dir.join("Library/Application Support/dev.keyport/locks"))
}

/// The known folder of local application data. Compiled for Windows alone, and not run there yet.
#[cfg(windows)]
pub(super) fn folder() -> io::Result<PathBuf> {
    let directories = directories::ProjectDirs::from("dev", "", "keyport");
    let directories = directories.ok_or(io::ErrorKind::NotFound)?;
    Ok(directories.data_local_dir().join("locks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_given_up_is_free_whoever_has_a_copy_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(folder.path().to_owned(), "dev.keyport.desktop.test");
        let first = place.open().unwrap();
        assert!(first.try_lock().unwrap());
        // What a child process has until it executes its own program.
        let copy = first.0.try_clone().unwrap();
        let second = place.open().unwrap();
        assert!(!second.try_lock().unwrap());
        drop(first);
        assert!(second.try_lock().unwrap());
        drop(copy);
    }
}
