//! Notices that a file of the database was removed or replaced while it is open: SQLite goes on
//! with a file that has no name any more, and everything written since is gone with the process. So
//! nothing is written from then on.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::storage::StorageError;

/// Suffixes of the files, and what the operator reads at `/ready` and in the log.
const FILES: [(&str, &str); 3] = [
    ("", "the database file was removed or replaced while the service was running"),
    (
        "-wal",
        "the write-ahead log of the database (-wal) was removed or replaced while the service was \
         running",
    ),
    (
        "-shm",
        "the index of the write-ahead log (-shm) was removed or replaced while the service was \
         running",
    ),
];

/// The files of the database as they were when it was opened.
#[derive(Debug)]
pub(super) struct DatabaseFiles {
    files: Vec<OpenFile>,
    said: AtomicBool,
}

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    identity: (u64, u64),
    reason: &'static str,
}

impl DatabaseFiles {
    /// Remembers which files have these names now. Only after the first transaction: it makes them.
    pub(super) fn of(database: &Path) -> Self {
        let open_file = |(suffix, reason)| {
            let mut path = OsString::from(database);
            path.push(suffix);
            let path = PathBuf::from(path);
            let identity = identity(&path)?;
            Some(OpenFile { path, identity, reason })
        };
        let files = FILES.into_iter().filter_map(open_file).collect();
        Self { files, said: AtomicBool::new(false) }
    }

    /// Whether each name still belongs to the file that was opened. Logged once when one does not.
    ///
    /// # Errors
    /// [`StorageError::FileReplaced`], with the first that does not.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        let replaced = self.files.iter().find(|file| identity(&file.path) != Some(file.identity));
        let Some(OpenFile { path, reason, .. }) = replaced else { return Ok(()) };
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::error!(
                path = %path.display(),
                "{reason}: nothing is written any more. Restart it with the right files"
            );
        }
        Err(StorageError::FileReplaced(reason))
    }
}

/// Device and inode (stat(2)).
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;

    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Elsewhere an open file can be neither removed nor replaced.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}
