//! Notices that a file of the database was removed or replaced while it is open: SQLite goes on
//! with a file that has no name any more, and everything written since is gone with the process. So
//! nothing is written until each name leads to the file that was opened.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::storage::StorageError;

/// What the operator reads of the database file itself, at `/ready` and in the log.
const DATABASE: &str = "the database file was removed or replaced while the service was running";
/// Suffixes of the files beside it, and what the operator reads of them.
const BESIDE: [(&str, &str); 3] = [
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
    (
        ".lock",
        "the lock file of the database (.lock) was removed or replaced while the service was \
         running",
    ),
];

/// The files of the database as they were when it was opened.
#[derive(Debug)]
pub(super) struct DatabaseFiles {
    files: Vec<OpenFile>,
    alarmed: AtomicBool,
}

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    identity: Identity,
    reason: &'static str,
}

impl DatabaseFiles {
    /// Remembers which files have these names now. Only after the first transaction, which makes
    /// them. `named` is the database as the settings name it, `database` the path without symbolic
    /// links, beside which SQLite keeps its files.
    ///
    /// # Errors
    /// A file is not there or cannot be looked at.
    pub(super) fn of(named: &Path, database: &Path) -> io::Result<Self> {
        let linked = (named != database).then(|| (named.to_owned(), DATABASE));
        let names = linked.into_iter().chain([(database.to_owned(), DATABASE)]);
        let beside = BESIDE.map(|(suffix, reason)| (beside(database, suffix), reason));
        let open_file = |(path, reason): (PathBuf, _)| {
            let identity = identity(&path).map_err(|cause| {
                io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
            })?;
            Ok(OpenFile { path, identity, reason })
        };
        let files = names.chain(beside).map(open_file).collect::<io::Result<_>>()?;
        Ok(Self { files, alarmed: AtomicBool::new(false) })
    }

    /// Whether each name still leads to the file that was opened. Logged once when one does not,
    /// and once when all do again.
    ///
    /// # Errors
    /// [`StorageError::FileReplaced`], with the first that does not.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        let is_other = |file: &&OpenFile| identity(&file.path).ok() != Some(file.identity);
        let Some(OpenFile { path, reason, .. }) = self.files.iter().find(is_other) else {
            if self.alarmed.swap(false, Ordering::Relaxed) {
                tracing::info!("the files of the database are in place again: writing goes on");
            }
            return Ok(());
        };
        if !self.alarmed.swap(true, Ordering::Relaxed) {
            tracing::error!(
                path = %path.display(),
                "{reason}: nothing is written any more. Restart it with the right files"
            );
        }
        Err(StorageError::FileReplaced(reason))
    }
}

/// A file beside the database.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Device and inode (stat(2)).
pub(super) type Identity = (u64, u64);

/// Which file this name leads to.
pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|found| identity_of(&found))
}

#[cfg(unix)]
pub(super) fn identity_of(found: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;

    (found.dev(), found.ino())
}

/// Elsewhere an open file can be neither removed nor replaced.
#[cfg(not(unix))]
pub(super) fn identity_of(_: &Metadata) -> Identity {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn database_in(folder: &Path) -> PathBuf {
        let database = folder.join("keyport.db");
        for suffix in ["", "-wal", "-shm", ".lock"] {
            std::fs::write(beside(&database, suffix), b"").unwrap();
        }
        database
    }

    #[test]
    fn a_file_that_is_missing_at_the_start_is_an_error_and_not_left_out() {
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let folder = tempfile::tempdir().unwrap();
            let database = database_in(folder.path());
            std::fs::remove_file(beside(&database, suffix)).unwrap();
            assert!(DatabaseFiles::of(&database, &database).is_err(), "{suffix}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn each_alarm_and_each_recovery_is_logged_once() {
        let folder = tempfile::tempdir().unwrap();
        let database = database_in(folder.path());
        let (lines, away) = (Lines::default(), folder.path().join("away"));
        let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
        tracing::subscriber::with_default(log, || {
            let files = DatabaseFiles::of(&database, &database).unwrap();
            for _ in 0..2 {
                files.check().unwrap();
                std::fs::rename(&database, &away).unwrap();
                assert!(files.check().is_err() && files.check().is_err());
                std::fs::rename(&away, &database).unwrap();
                assert!(files.check().is_ok() && files.check().is_ok());
            }
        });
        let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let levels: Vec<_> =
            log.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(levels, ["ERROR", "INFO", "ERROR", "INFO"], "{log}");
    }
}
