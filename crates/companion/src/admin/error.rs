//! Why a command of the operator was not carried out: the kind decides the exit code, the sentence
//! says what it means and what to do. No secret, body or query is in it.

use serde::{Deserialize, Serialize};

use crate::storage::StorageError;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminErrorKind {
    /// It was tried and failed.
    Failed,
    /// The command itself is wrong.
    Usage,
    /// It may not be done, or was not confirmed.
    Refused,
    /// What it names does not exist.
    NotFound,
    /// Service, database or provider cannot be reached.
    Unreachable,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{sentence}")]
pub struct AdminError {
    /// Decides the exit code.
    pub kind: AdminErrorKind,
    /// For the operator.
    pub sentence: String,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident $kind:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(sentence: impl Into<String>) -> Self {
            Self { kind: AdminErrorKind::$kind, sentence: sentence.into() }
        }
    )*};
}

impl AdminError {
    constructors! {
        /// Tried and failed.
        failed Failed;
        /// The command itself is wrong.
        usage Usage;
        /// May not be done, or was not confirmed.
        refused Refused;
        /// What the command names does not exist.
        not_found NotFound;
        /// Not reached.
        unreachable Unreachable;
    }

    /// The exit code of the command.
    pub const fn exit_code(&self) -> u8 {
        match self.kind {
            AdminErrorKind::Failed => 1,
            AdminErrorKind::Usage => 2,
            AdminErrorKind::Refused => 3,
            AdminErrorKind::NotFound => 4,
            AdminErrorKind::Unreachable => 5,
        }
    }
}

impl From<StorageError> for AdminError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) => Self::unreachable(error.to_string()),
            StorageError::Unfit(_) | StorageError::FileReplaced(_) | StorageError::Damaged(_) => {
                Self::failed(error.to_string())
            }
        }
    }
}
