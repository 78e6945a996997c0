//! Opening the database that the settings name, and why one was not opened.

use std::sync::Arc;

use super::{PostgresSettings, PostgresStorage, SqliteSettings, SqliteStorage, Storage};
use super::{StorageParts, postgres, sqlite};
use crate::config::DatabaseAddress;
use crate::domain::Timestamp;

/// Opens the database with the engine that keeps it.
///
/// # Errors
/// [`OpenError`]: nothing was changed.
pub async fn open(
    address: &DatabaseAddress,
    parts: StorageParts,
    now: Timestamp,
) -> Result<Arc<dyn Storage>, OpenError> {
    Ok(match address {
        DatabaseAddress::Sqlite(path) => {
            Arc::new(SqliteStorage::open(path, parts, SqliteSettings::default(), now)?)
        }
        DatabaseAddress::Postgres(address) => {
            Arc::new(PostgresStorage::open(address, parts, PostgresSettings::default(), now).await?)
        }
    })
}

/// Checks that a database can lie where the settings say, before the key file is read or made, so
/// that a wrong path is not blamed on the key file.
///
/// # Errors
/// [`OpenError::Io`].
pub fn check_place(address: &DatabaseAddress) -> Result<(), OpenError> {
    match address {
        DatabaseAddress::Sqlite(path) => sqlite::check_place(path),
        DatabaseAddress::Postgres(_) => Ok(()),
    }
}

/// The name of the database if it is there already, where its key file is not made beside it: then
/// the key file is somewhere, and a new one would fit nothing.
///
/// # Errors
/// [`OpenError::Io`].
pub async fn found(address: &DatabaseAddress) -> Result<Option<String>, OpenError> {
    match address {
        DatabaseAddress::Sqlite(_) => Ok(None),
        DatabaseAddress::Postgres(address) => {
            let is_there = postgres::has_tables(address).await?;
            Ok(is_there.then(|| address.name().to_owned()))
        }
    }
}

/// Why a database was not opened. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
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
