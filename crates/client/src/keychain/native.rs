//! The login keychain of macOS and the Credential Manager of Windows. Compiled there alone, and not
//! run there yet.

use std::sync::Arc;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
use keyring_core::Error;
use keyring_core::api::CredentialStore;
use tokio::sync::watch;
#[cfg(windows)]
use windows_native_keyring_store::Store;

use super::KeychainError;
use crate::locks::{self, Locks};

pub(super) fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(Store::new()?)
}

/// The keychain belongs to the account of the person, and so does the lock.
pub(super) fn locks(service: &str) -> std::io::Result<Locks> {
    Ok(Locks::in_folder(locks::folder()?, service))
}

/// macOS decides when to ask; there is no way to tell beforehand. Windows never asks: its keychain
/// is open while the person is signed in to the system.
#[derive(Default)]
pub(super) struct Gate;

impl Gate {
    pub(super) fn would_answer(
        &mut self,
        _service: &str,
        _name: &str,
    ) -> Result<(), KeychainError> {
        Ok(())
    }

    /// The store does not tell of which service and name the items are that it finds.
    pub(super) fn names(&mut self, _service: &str) -> Result<Option<Vec<String>>, KeychainError> {
        Ok(None)
    }
}

/// The system gives no signal.
pub(super) fn changes() -> Option<watch::Receiver<()>> {
    None
}

/// On macOS the next call asks by itself; on Windows there is nothing to unlock.
pub(super) fn unlock() -> Result<(), KeychainError> {
    Ok(())
}

pub(super) fn error(error: &Error) -> KeychainError {
    match error {
        Error::NoStorageAccess(_) => KeychainError::Refused,
        Error::Ambiguous(_) | Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            KeychainError::Corrupt
        }
        Error::TooLong(..) => KeychainError::TooLarge,
        _ => KeychainError::Absent,
    }
}
