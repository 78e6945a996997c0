//! The one implementation of [`Keychain`] over bytes that a platform keeps by name. Every rule that
//! does not depend on the platform is here: envelopes, setting aside, what a newer version wrote.
//! Each call is one piece of blocking work: a caller that gives up leaves nothing half done.

use std::time::Duration;

use tokio::sync::watch;

use super::{Answered, Item, Keychain, KeychainError, SecretBytes, envelope};
use crate::locks::{Locking, Locks};

type Result<T> = std::result::Result<T, KeychainError>;

/// How many unreadable versions of one item are kept before the last of them is given up.
const KEPT_ASIDE: usize = 9;

/// Bytes by name, as a platform keeps them.
pub trait RawStore {
    /// Everything under this name, whoever wrote it. Some platforms can hold more than one.
    fn get(&mut self, name: &str) -> Result<Vec<SecretBytes>>;
    /// Replaces what is there.
    fn set(&mut self, name: &str, bytes: &SecretBytes) -> Result<()>;
    /// Removes all that is there, if anything.
    fn clear(&mut self, name: &str) -> Result<()>;
    /// The names of everything of this service; `None` where that cannot be told.
    fn names(&mut self) -> Result<Option<Vec<String>>>;
}

/// A place for items: how its bytes are reached, and what it has beside them.
pub trait Backend: Send + Sync {
    /// Does `work` as a whole, or not at all if the caller has given up before it begins.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn RawStore) -> Result<T> + Send + 'static,
    ) -> Answered<'_, T>;

    /// See [`Keychain::unlock`].
    fn prompt(&self) -> Answered<'_, ()>;

    /// See [`Keychain::lock`].
    fn locks(&self) -> &Locks;

    /// See [`Keychain::changes`].
    fn signals(&self) -> Option<watch::Receiver<()>> {
        None
    }
}

impl<B: Backend> Keychain for B {
    /// Writes an item of this process's own, reads it back and deletes it.
    fn probe(&self) -> Answered<'_, ()> {
        self.ask(|store| {
            let name = format!("probe:{}", std::process::id());
            let written = envelope::seal(&name, &SecretBytes::new(*b"probe"))?;
            store.set(&name, &written)?;
            let read = store.get(&name)?;
            store.clear(&name)?;
            if read == [written] { Ok(()) } else { Err(KeychainError::Corrupt) }
        })
    }

    fn read<'a>(&'a self, item: &'a Item) -> Answered<'a, Option<SecretBytes>> {
        let name = item.name();
        self.ask(move |store| match unless_newer(store, &name)?.as_slice() {
            [] => Ok(None),
            // Also where it stands twice: the same twice is one truth.
            [sealed, others @ ..] if others.iter().all(|other| other == sealed) => {
                envelope::open(&name, sealed).map(Some)
            }
            // Nothing says which of them is true.
            _ => Err(KeychainError::Corrupt),
        })
    }

    fn write<'a>(&'a self, item: &'a Item, secret: &'a SecretBytes) -> Answered<'a, ()> {
        let name = item.name();
        let sealed = envelope::seal(&name, secret);
        self.ask(move |store| {
            let sealed = sealed?;
            unless_newer(store, &name)?;
            store.set(&name, &sealed)
        })
    }

    fn delete<'a>(&'a self, item: &'a Item) -> Answered<'a, ()> {
        let name = item.name();
        self.ask(move |store| {
            unless_newer(store, &name)?;
            store.clear(&name)
        })
    }

    /// Copies first and deletes then: a crash between the two leaves one copy too many, never one
    /// too few.
    fn set_aside<'a>(&'a self, item: &'a Item) -> Answered<'a, ()> {
        let name = item.name();
        self.ask(move |store| {
            for unreadable in unless_newer(store, &name)? {
                let aside = place_aside(store, &name, &unreadable)?;
                store.set(&aside, &unreadable)?;
            }
            store.clear(&name)
        })
    }

    fn list(&self) -> Answered<'_, Option<Vec<String>>> {
        self.ask(|store| {
            let mut names = store.names()?;
            names.iter_mut().for_each(|names| {
                names.sort_unstable();
                names.dedup();
            });
            Ok(names)
        })
    }

    fn unlock(&self) -> Answered<'_, ()> {
        self.prompt()
    }

    fn lock(&self, wait: Duration) -> Locking<'_> {
        Box::pin(self.locks().take(wait))
    }

    fn check_lock(&self) -> Locking<'_, ()> {
        Box::pin(self.locks().check())
    }

    fn changes(&self) -> Option<watch::Receiver<()>> {
        self.signals()
    }
}

/// What is there, unless a newer version has written some of it: then nothing may change it.
fn unless_newer(store: &mut dyn RawStore, name: &str) -> Result<Vec<SecretBytes>> {
    let found = store.get(name)?;
    if found.iter().any(envelope::is_newer) { Err(KeychainError::Newer) } else { Ok(found) }
}

/// The first name that is free, or has these very bytes already.
fn place_aside(store: &mut dyn RawStore, name: &str, unreadable: &SecretBytes) -> Result<String> {
    let mut aside = format!("{name}.corrupt");
    for number in 2..=KEPT_ASIDE {
        let kept = store.get(&aside)?;
        if kept.is_empty() || kept.contains(unreadable) {
            break;
        }
        aside = format!("{name}.corrupt-{number}");
    }
    Ok(aside)
}
