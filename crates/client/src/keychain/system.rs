//! The keychain of the operating system, through `keyring-core` and the store of the platform.
//! The default store of `keyring-core` is not used: once it has failed to open it stays closed, and
//! a Secret Service may well appear later than we do.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use tokio::sync::watch;
use tracing::debug;

use super::platform::{self, Gate};
use super::store::{Backend, RawStore};
use super::worker::Worker;
use super::{Answered, KeychainError, SecretBytes};
use crate::locks::Locks;

/// For everything that does not wait for a person.
const DEADLINE: Duration = Duration::from_secs(3);
/// For a person to read a dialog and type a password.
const PROMPT: Duration = Duration::from_secs(120);

/// The items of one service in the keychain of the operating system.
pub struct SystemKeychain {
    worker: Worker<Service>,
    // Apart, so that a dialog that is open does not hold up the calls that need none.
    prompter: Worker<()>,
    locks: Locks,
    deadline: Duration,
}

impl SystemKeychain {
    /// The items of `service`, such as `dev.keyport.desktop`. Touches nothing yet.
    ///
    /// # Errors
    /// When the system has no thread to give, or no place for a lock.
    pub fn of(service: impl Into<String>) -> io::Result<Self> {
        let service = Service { name: service.into(), store: None, gate: Gate::default() };
        Ok(Self {
            locks: platform::locks(&service.name)?,
            worker: Worker::start("keychain", service)?,
            prompter: Worker::start("keychain-prompt", ())?,
            deadline: DEADLINE,
        })
    }
}

impl Backend for SystemKeychain {
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn RawStore) -> Result<T, KeychainError> + Send + 'static,
    ) -> Answered<'_, T> {
        Box::pin(self.worker.call(self.deadline, |service| work(service)))
    }

    fn prompt(&self) -> Answered<'_, ()> {
        Box::pin(self.prompter.call(PROMPT, |()| platform::unlock()))
    }

    fn locks(&self) -> &Locks {
        &self.locks
    }

    fn signals(&self) -> Option<watch::Receiver<()>> {
        platform::changes()
    }
}

/// What the worker thread owns.
struct Service {
    name: String,
    // `None` until it is needed, and again after a failure that another connection may not have.
    store: Option<Arc<CredentialStore>>,
    gate: Gate,
}

impl Service {
    /// Does `work` with the entry of that name; an entry that is not there is `None`. A store that
    /// has failed is opened anew and `work` done once more: all that is done here may be done
    /// twice.
    fn with_entry<T>(
        &mut self,
        name: &str,
        work: impl Fn(&Entry) -> keyring_core::Result<T>,
    ) -> Result<Option<T>, KeychainError> {
        self.gate.would_answer(&self.name, name)?;
        let fresh = self.store.is_none();
        match self.entry(name).and_then(|entry| work(&entry)) {
            Ok(value) => Ok(Some(value)),
            Err(Error::NoEntry) => Ok(None),
            Err(Error::PlatformFailure(cause)) => {
                debug!(%cause, "the keychain store failed");
                self.store = None;
                if fresh { Err(KeychainError::Absent) } else { self.with_entry(name, work) }
            }
            Err(error) => {
                let error = platform::error(&error);
                debug!(?error, "the keychain did not do as asked");
                Err(error)
            }
        }
    }

    fn entry(&mut self, name: &str) -> keyring_core::Result<Entry> {
        let store = match &self.store {
            Some(store) => store.clone(),
            None => self.store.insert(platform::open()?).clone(),
        };
        store.build(&self.name, name, None)
    }
}

/// Writes an item that stands several times over, as it is read: the same several times is one, and
/// where they differ nothing says which of them is true.
fn write_over_same(entries: Vec<Entry>, bytes: &SecretBytes) -> keyring_core::Result<()> {
    let secrets = entries.iter().map(|entry| entry.get_secret().map(SecretBytes::new));
    let secrets = secrets.collect::<keyring_core::Result<Vec<_>>>()?;
    let (Some(first), true) = (entries.first(), secrets.windows(2).all(|two| two[0] == two[1]))
    else {
        return Err(Error::Ambiguous(entries));
    };
    first.set_secret(bytes.expose())?;
    // A crash in between leaves two that differ: both are set aside, and neither is lost.
    entries.iter().skip(1).try_for_each(|entry| match entry.delete_credential() {
        Err(Error::NoEntry) => Ok(()),
        deleted => deleted,
    })
}

impl RawStore for Service {
    fn get(&mut self, name: &str) -> Result<Vec<SecretBytes>, KeychainError> {
        let found = self.with_entry(name, |entry| match entry.get_secret() {
            Ok(bytes) => Ok(vec![SecretBytes::new(bytes)]),
            Err(Error::Ambiguous(entries)) => {
                entries.iter().map(|entry| entry.get_secret().map(SecretBytes::new)).collect()
            }
            Err(error) => Err(error),
        })?;
        Ok(found.unwrap_or_default())
    }

    fn set(&mut self, name: &str, bytes: &SecretBytes) -> Result<(), KeychainError> {
        let write = |entry: &Entry| match entry.set_secret(bytes.expose()) {
            Err(Error::Ambiguous(entries)) => write_over_same(entries, bytes),
            written => written,
        };
        match self.with_entry(name, write)? {
            Some(()) => Ok(()),
            // Deleted by another process in the midst of it: there is nothing to replace now.
            None => self.with_entry(name, write)?.ok_or(KeychainError::Refused),
        }
    }

    fn clear(&mut self, name: &str) -> Result<(), KeychainError> {
        let cleared = self.with_entry(name, |entry| match entry.delete_credential() {
            Err(Error::Ambiguous(entries)) => entries.iter().try_for_each(Entry::delete_credential),
            other => other,
        });
        cleared.map(|_| ())
    }

    fn names(&mut self) -> Result<Option<Vec<String>>, KeychainError> {
        self.gate.names(&self.name)
    }
}
