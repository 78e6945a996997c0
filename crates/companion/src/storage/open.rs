//! Opening the database that the settings name, and why one was not opened.

use std::sync::Arc;

use super::{PostgresSettings, PostgresStorage, SqliteSettings, SqliteStorage, Storage};
use super::{StorageParts, sqlite};
use crate::config::DatabaseAddress;
use crate::domain::Timestamp;
use crate::keys::{KeyFileError, Keys};

/// Gives the keys, and what else the rules need, to a database: of this name, or a new one. Asked
/// once, while the engine holds the lock that keeps every other start out, so that a key file is
/// made by the start that makes the tables and by no other.
pub type GiveParts<'a> =
    &'a (dyn Fn(Option<&str>) -> Result<StorageParts, KeyFileError> + Send + Sync);

/// Opens the database with the engine that keeps it; with the keys that were given to it.
///
/// # Errors
/// [`OpenError`]: nothing was changed.
pub async fn open(
    address: &DatabaseAddress,
    parts: GiveParts<'_>,
    now: Timestamp,
) -> Result<(Arc<dyn Storage>, Arc<Keys>), OpenError> {
    match address {
        DatabaseAddress::Sqlite(path) => {
            let storage = SqliteStorage::open(path, parts, SqliteSettings::default(), now)?;
            let keys = storage.keys();
            Ok((Arc::new(storage), keys))
        }
        DatabaseAddress::Postgres(address) => {
            let settings = PostgresSettings::default();
            let storage = PostgresStorage::open(address, parts, settings, now).await?;
            let keys = storage.keys();
            Ok((Arc::new(storage), keys))
        }
    }
}

/// Checks that a database can lie where the settings say, before anything is made there.
///
/// # Errors
/// [`OpenError::Io`].
pub fn check_place(address: &DatabaseAddress) -> Result<(), OpenError> {
    match address {
        DatabaseAddress::Sqlite(path) => sqlite::check_place(path),
        DatabaseAddress::Postgres(_) => Ok(()),
    }
}

/// Why a database was not opened. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Another companion has it open.
    #[error("the database {0} is in use by another companion")]
    InUse(String),
    /// It belongs to another key file.
    #[error("the database {0} does not belong to this key file: use the key file it was made with")]
    WrongKeyFile(String),
    /// Its texts cannot hold every name.
    #[error("the database {database} has the encoding {encoding}: make it with ENCODING 'UTF8'")]
    Encoding {
        /// The database.
        database: String,
        /// Its encoding.
        encoding: String,
    },
    /// It is not a database, or not ours.
    #[error("{0} is not a database of the companion")]
    Foreign(String),
    /// It is ours and damaged.
    #[error(
        "the database {database} is damaged ({cause}): restore it from a copy, or move it away to \
         start with an empty one"
    )]
    Damaged {
        /// The database.
        database: String,
        /// What the engine says.
        cause: String,
    },
    /// A later version of the companion made it.
    #[error(
        "the database {database} has schema version {found}, this companion knows {known} at most"
    )]
    TooNew {
        /// The database.
        database: String,
        /// Its schema version.
        found: usize,
        /// The latest schema version known here.
        known: usize,
    },
    /// The system does not let us: folder missing or read-only, permissions, busy, server away.
    #[error("the database {database} cannot be opened: {cause}")]
    Io {
        /// The database.
        database: String,
        /// What the system says.
        cause: String,
    },
}
