//! The items of one service in a keychain, as blocking calls. Every rule that does not depend on
//! the platform is here: envelopes, deleting twice, setting aside. No threads, no deadlines.

use super::{Item, KeychainError, SecretBytes, envelope};

type Result<T> = std::result::Result<T, KeychainError>;

/// How many unreadable versions of one item are kept before the last of them is given up.
const KEPT_ASIDE: usize = 9;

/// Bytes by name, as a platform keeps them.
pub(super) trait RawStore {
    /// Everything under this name, whoever wrote it. Some platforms can hold more than one.
    fn get(&mut self, name: &str) -> Result<Vec<SecretBytes>>;
    /// Replaces what is there.
    fn set(&mut self, name: &str, bytes: &SecretBytes) -> Result<()>;
    /// Removes all that is there, if anything.
    fn clear(&mut self, name: &str) -> Result<()>;
    /// The names of everything of this service; `None` where that cannot be told.
    fn names(&mut self) -> Result<Option<Vec<String>>>;
}

pub(super) fn read(store: &mut dyn RawStore, item: &Item) -> Result<Option<SecretBytes>> {
    let name = item.name();
    match store.get(&name)?.as_slice() {
        [] => Ok(None),
        several if several.iter().any(envelope::is_newer) => Err(KeychainError::Newer),
        // Also where it stands twice: the same twice is one truth.
        [sealed, others @ ..] if others.iter().all(|other| other == sealed) => {
            envelope::open(&name, sealed).map(Some)
        }
        // Nothing says which of them is true.
        _ => Err(KeychainError::Corrupt),
    }
}

pub(super) fn write(store: &mut dyn RawStore, item: &Item, secret: &SecretBytes) -> Result<()> {
    let name = item.name();
    let sealed = envelope::seal(&name, secret)?;
    unless_newer(store, &name)?;
    store.set(&name, &sealed)
}

pub(super) fn delete(store: &mut dyn RawStore, item: &Item) -> Result<()> {
    let name = item.name();
    unless_newer(store, &name)?;
    store.clear(&name)
}

pub(super) fn list(store: &mut dyn RawStore) -> Result<Option<Vec<String>>> {
    let names = store.names()?;
    Ok(names.map(|mut names| {
        names.sort_unstable();
        names.dedup();
        names
    }))
}

/// What is there, unless a newer version has written some of it: then nothing may change it.
fn unless_newer(store: &mut dyn RawStore, name: &str) -> Result<Vec<SecretBytes>> {
    let found = store.get(name)?;
    if found.iter().any(envelope::is_newer) { Err(KeychainError::Newer) } else { Ok(found) }
}

/// Copies first and deletes then: a crash between the two leaves one copy too many, never one too
/// few.
pub(super) fn set_aside(store: &mut dyn RawStore, item: &Item) -> Result<()> {
    let name = item.name();
    for unreadable in unless_newer(store, &name)? {
        let aside = place_aside(store, &name, &unreadable)?;
        store.set(&aside, &unreadable)?;
    }
    store.clear(&name)
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

/// Writes an item of this process's own, reads it back and deletes it.
pub(super) fn probe(store: &mut dyn RawStore) -> Result<()> {
    let name = format!("probe:{}", std::process::id());
    let written = envelope::seal(&name, &SecretBytes::new(*b"probe"))?;
    store.set(&name, &written)?;
    let read = store.get(&name)?;
    store.clear(&name)?;
    if read == [written] { Ok(()) } else { Err(KeychainError::Corrupt) }
}
