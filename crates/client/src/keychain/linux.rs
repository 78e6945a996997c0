//! The Secret Service of a Linux desktop (GNOME Keyring, KWallet, KeePassXC).
//!
//! The store unlocks whatever it meets, and so asks the person, without being told to. It is
//! therefore asked beforehand, over a connection of its own, whether anything is locked.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::Error;
use keyring_core::api::CredentialStore;
use secret_service::blocking::{Item, SecretService};
use secret_service::{EncryptionType, Error as ServiceError};
use tracing::debug;
use zbus_secret_service_keyring_store::Store;

use super::KeychainError;
pub(super) use super::changes::changes;
use crate::locks::Locks;

pub(super) fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(Store::new()?)
}

/// On the bus that carries the Secret Service.
#[expect(clippy::unnecessary_wraps, reason = "other platforms may have no home folder")]
pub(super) fn locks(service: &str) -> std::io::Result<Locks> {
    Ok(Locks::on_session_bus(service))
}

/// Tells beforehand whether the store would have to ask the person.
#[derive(Default)]
pub(super) struct Gate {
    // Kept open: connecting takes longer than asking.
    secrets: Option<SecretService<'static>>,
}

impl Gate {
    /// Whether the service would answer for this item now, without a dialog.
    pub(super) fn would_answer(&mut self, service: &str, name: &str) -> Result<(), KeychainError> {
        let attributes = HashMap::from([("service", service), ("username", name)]);
        self.ask(|secrets| unlocked(secrets, &attributes).map(drop))
    }

    /// The names of every item of the service. Always known here.
    pub(super) fn names(&mut self, service: &str) -> Result<Option<Vec<String>>, KeychainError> {
        let attributes = HashMap::from([("service", service)]);
        self.ask(|secrets| {
            let mut names = Vec::new();
            for item in unlocked(secrets, &attributes)? {
                match item.get_attributes() {
                    Ok(mut of_item) => names.extend(of_item.remove("username")),
                    // Deleted since it was found.
                    Err(ServiceError::NoResult) => {}
                    Err(ServiceError::Zbus(zbus::Error::MethodError(..))) => {}
                    Err(error) => return Err(of_service(&error)),
                }
            }
            Ok(Some(names))
        })
    }

    /// Asks over the connection that is there, and once more over a new one if that fails.
    fn ask<T>(
        &mut self,
        question: impl Fn(&SecretService<'static>) -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        if let Some(secrets) = &self.secrets {
            match question(secrets) {
                // The bus or the service may be another one by now.
                Err(KeychainError::Absent) => self.secrets = None,
                answer => return answer,
            }
        }
        question(self.secrets.insert(connect()?))
    }
}

/// The items with these attributes, none of them locked. A locked default collection counts even if
/// no item is found: some services show a locked collection as an empty one, and signed out is not
/// what the person is then.
fn unlocked<'a>(
    secrets: &'a SecretService<'_>,
    attributes: &HashMap<&str, &str>,
) -> Result<Vec<Item<'a>>, KeychainError> {
    let found = secrets.search_items(attributes.clone()).map_err(|error| of_service(&error))?;
    let collection = secrets.get_default_collection().map_err(|error| of_service(&error))?;
    let locked = collection.is_locked().map_err(|error| of_service(&error))?;
    if locked || !found.locked.is_empty() { Err(KeychainError::Locked) } else { Ok(found.unlocked) }
}

/// Asks the person to unlock the default collection.
pub(super) fn unlock() -> Result<(), KeychainError> {
    let secrets = connect()?;
    let collection = secrets.get_default_collection().map_err(|error| of_service(&error))?;
    if !collection.is_locked().map_err(|error| of_service(&error))? {
        return Ok(());
    }
    collection.unlock().map_err(|error| of_service(&error))?;
    collection.ensure_unlocked().map_err(|_| KeychainError::Refused)
}

pub(super) fn error(error: &Error) -> KeychainError {
    match error {
        Error::NoStorageAccess(cause) => {
            cause.downcast_ref().map_or(KeychainError::Refused, of_service)
        }
        // More than one item of this name, or one that is not as the service promises.
        Error::Ambiguous(_) | Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            KeychainError::Corrupt
        }
        Error::TooLong(..) => KeychainError::TooLarge,
        _ => KeychainError::Absent,
    }
}

/// Nothing secret passes here, so the session needs no encryption.
fn connect() -> Result<SecretService<'static>, KeychainError> {
    SecretService::connect(EncryptionType::Plain).map_err(|error| of_service(&error))
}

fn of_service(error: &ServiceError) -> KeychainError {
    match error {
        ServiceError::Locked => KeychainError::Locked,
        ServiceError::Prompt | ServiceError::PromptDisconnected => KeychainError::Refused,
        // No service, no bus, no default collection, or a service that went away while speaking.
        cause => {
            debug!(%cause, "no keychain");
            KeychainError::Absent
        }
    }
}
