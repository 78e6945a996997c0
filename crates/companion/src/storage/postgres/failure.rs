//! What a failure of the server means: try again, come back later, or damage. No text of a failure
//! holds a value of a row: the server's detail is left out.

use std::error::Error as _;

use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, SqlState};

use crate::storage::StorageError;

/// Why a transaction was not committed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another transaction was faster; from the beginning it may succeed.
    Conflict(String),
    /// It is over.
    Final(StorageError),
}

/// What a step of a transaction returns.
pub(super) type Done<T> = Result<T, Failure>;

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Final(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(told) = error.as_db_error() else {
            // A column that does not read back is the only fault of ours that this can be.
            return Self::Final(if is_conversion(&error) {
                StorageError::Damaged(error.to_string())
            } else {
                StorageError::Unavailable(said(&error))
            });
        };
        let text = words(told);
        match *told.code() {
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::UNIQUE_VIOLATION => Self::Conflict(text),
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
                Self::Final(StorageError::Damaged(text))
            }
            _ => Self::Final(StorageError::Unavailable(text)),
        }
    }
}

fn is_conversion(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    text.starts_with("error deserializing") || text.starts_with("error retrieving column")
}

/// What the server says, without its detail; of a value that it does not take (class 22) the code
/// only, because its message quotes the value.
fn words(told: &DbError) -> String {
    let code = told.code().code();
    match code.starts_with("22") {
        true => format!("the server does not take a value ({code})"),
        false => format!("{} ({code})", told.message()),
    }
}

/// What the server says, or the error and its first cause.
pub(super) fn said(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(told), _) => words(told),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => match Self::from(error) {
                Self::Conflict(text) => Self::Final(StorageError::Unavailable(text)),
                failure @ Self::Final(_) => failure,
            },
            PoolError::Timeout(_) => {
                Self::Final(StorageError::Unavailable("no connection in time".into()))
            }
            _ => Self::Final(StorageError::Unavailable("no connection".into())),
        }
    }
}
