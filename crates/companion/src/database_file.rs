//! Notices that the database file was removed or replaced while it is open: SQLite goes on with a
//! file that has no name any more, and everything written since is gone with the process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What the operator reads at `/ready` and in the log.
pub const GONE: &str = "the database file was removed or replaced while the service was running";

/// The database file as it was when it was opened.
#[derive(Debug)]
pub struct DatabaseFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
    said: AtomicBool,
}

impl DatabaseFile {
    /// Remembers which file has this name now.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let (path, identity) = (path.to_owned(), identity(path));
        Self { path, identity, said: AtomicBool::new(false) }
    }

    /// Whether the name still belongs to the file that was opened. Logged once when it does not.
    pub fn is_there(&self) -> bool {
        let there = identity(&self.path) == self.identity;
        if !there && !self.said.swap(true, Ordering::Relaxed) {
            tracing::error!(
                path = %self.path.display(),
                "{GONE}: what is written now is lost at the end of the process. Restart it with \
                 the right file"
            );
        }
        there
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
