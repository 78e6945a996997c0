//! The key file: one secret of 32 random bytes from which every key of the service is derived. Made
//! at the first start only, when the database is new too; a database without its key file is
//! refused, never given a new one.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::domain::{Random, SecretArray};

const PREFIX: &str = "keyport-key-1:";

/// Why the key file cannot be used. The path is named, the content never.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is a database, but no key file to open it with.
    #[error(
        "the database {database} exists, but its key file {path} does not: restore the key \
             file, or move the database away to start with an empty one (everybody signs in again)"
    )]
    MissingBesideDatabase {
        /// Where the key file is looked for.
        path: PathBuf,
        /// The database that needs it.
        database: String,
    },
    /// It exists and is empty: earlier versions left it so when the disk was full.
    #[error(
        "the key file {0} is empty, because the start that should have made it was interrupted: \
             if there is no database yet, remove it and start again; otherwise restore the key file"
    )]
    Empty(PathBuf),
    /// It exists and is a folder, a device or a pipe.
    #[error("{0} is no file: name one in KEYPORT_KEY_FILE")]
    NoFile(PathBuf),
    /// It exists, yet it is not a key file.
    #[error("{0} is not a key file of the companion")]
    Foreign(PathBuf),
    /// Others than its owner may read or write it.
    #[error("the key file {path} may be read by others (mode {mode:o}): run chmod 600 on it")]
    Permissions {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It cannot be read or made.
    #[error("the key file {path} cannot be used: {cause}")]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// The secret of the key file.
#[derive(Debug)]
pub struct KeyFile(SecretArray<32>);

impl KeyFile {
    /// Reads the key file; makes it, readable by its owner only, if there is none and the database
    /// is new: `existing` names one that is not. Whoever asks holds the database's lock, so that no
    /// other start makes a key file for it meanwhile.
    ///
    /// # Errors
    /// [`KeyFileError`]: nothing was made.
    pub fn read_or_create(
        path: &Path,
        existing: Option<&str>,
        random: &dyn Random,
    ) -> Result<Self, KeyFileError> {
        // Looked at before it is opened: to open a pipe would wait for its other end.
        match std::fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => Err(KeyFileError::NoFile(path.to_owned())),
            Ok(metadata) => {
                check_permissions(path, &metadata)?;
                Self::read(path)
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => match existing {
                Some(database) => Err(KeyFileError::MissingBesideDatabase {
                    path: path.to_owned(),
                    database: database.to_owned(),
                }),
                None => Self::create(path, random),
            },
            Err(cause) => Err(KeyFileError::Io { path: path.to_owned(), cause }),
        }
    }

    fn read(path: &Path) -> Result<Self, KeyFileError> {
        let io = |cause| KeyFileError::Io { path: path.to_owned(), cause };
        let file = std::fs::File::open(path).map_err(io)?;
        let mut text = Zeroizing::new(String::new());
        match file.take(256).read_to_string(&mut text) {
            Ok(_) => {}
            Err(cause) if cause.kind() == ErrorKind::InvalidData => {
                return Err(KeyFileError::Foreign(path.to_owned()));
            }
            Err(cause) => return Err(io(cause)),
        }
        if text.is_empty() {
            return Err(KeyFileError::Empty(path.to_owned()));
        }
        let secret = text
            .strip_prefix(PREFIX)
            .and_then(|rest| URL_SAFE_NO_PAD.decode(rest.trim_end()).ok())
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| KeyFileError::Foreign(path.to_owned()))?;
        Ok(Self(SecretArray::new(secret)))
    }

    fn create(path: &Path, random: &dyn Random) -> Result<Self, KeyFileError> {
        let key = Self::draw(random);
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(key.0.expose()));
        let line = Zeroizing::new(format!("{PREFIX}{}\n", &*encoded));
        match write_whole(path, line.as_bytes()) {
            Ok(()) => Ok(key),
            // Another start was faster: its key is the key.
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Self::read(path),
            Err(cause) => Err(KeyFileError::Io { path: path.to_owned(), cause }),
        }
    }

    /// Draws a key without a file, for a service that keeps nothing.
    pub fn draw(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(SecretArray::new(bytes))
    }

    pub(super) fn secret(&self) -> &SecretArray<32> {
        &self.0
    }
}

/// Writes the file whole or not at all: under another name in the same folder, readable by its
/// owner only, and renamed when it is on the disk. An existing file is never replaced: of several
/// services that start at once one makes the key, and the others read it.
fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".keyport-key-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    // The name is on the disk too only when the folder is.
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn check_permissions(path: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyFileError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyFileError::Permissions { path: path.to_owned(), mode })
}

#[cfg(not(unix))]
fn check_permissions(_: &Path, _: &std::fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}
