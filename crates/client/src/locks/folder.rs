//! Where lock files are: a folder that every process of this person finds, and nobody else enters.
//! It looks at the home folder only, as the keychain does.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// `$XDG_STATE_HOME/keyport/locks` on Linux; local application data elsewhere.
pub(super) fn of_state() -> Option<PathBuf> {
    let folders = ProjectDirs::from("dev", "", "keyport")?;
    Some(folders.state_dir().unwrap_or(folders.data_local_dir()).join("locks"))
}

pub(super) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
