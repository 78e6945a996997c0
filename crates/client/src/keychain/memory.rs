//! A keychain that ends with the process: for `--store memory`, and for when the real one is
//! locked or absent and the person wants to go on. Wiped when dropped.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::store::{Backend, RawStore};
use super::{Answered, KeychainError, SecretBytes};
use crate::locks::Locks;

/// Items in this process's memory alone.
#[derive(Debug)]
pub struct MemoryKeychain {
    items: Mutex<Items>,
    locks: Locks,
}

#[derive(Debug, Default)]
struct Items(BTreeMap<String, SecretBytes>);

impl Default for MemoryKeychain {
    fn default() -> Self {
        Self { items: Mutex::default(), locks: Locks::in_process() }
    }
}

impl Backend for MemoryKeychain {
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn RawStore) -> Result<T, KeychainError> + Send + 'static,
    ) -> Answered<'_, T> {
        // A map is whole after every insertion and removal, so a panic elsewhere spoils nothing.
        let result = work(&mut *self.items.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(std::future::ready(result))
    }

    fn prompt(&self) -> Answered<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn locks(&self) -> &Locks {
        &self.locks
    }
}

impl RawStore for Items {
    fn get(&mut self, name: &str) -> Result<Vec<SecretBytes>, KeychainError> {
        Ok(self.0.get(name).cloned().into_iter().collect())
    }

    fn set(&mut self, name: &str, bytes: &SecretBytes) -> Result<(), KeychainError> {
        self.0.insert(name.to_owned(), bytes.clone());
        Ok(())
    }

    fn clear(&mut self, name: &str) -> Result<(), KeychainError> {
        self.0.remove(name);
        Ok(())
    }

    fn names(&mut self) -> Result<Option<Vec<String>>, KeychainError> {
        Ok(Some(self.0.keys().cloned().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keychain::{Item, Keychain as _};

    #[tokio::test]
    async fn items_are_written_read_and_deleted_twice() {
        let keychain = MemoryKeychain::default();
        keychain.probe().await.unwrap();
        assert_eq!(keychain.read(&Item::Device).await, Ok(None));
        let secret = SecretBytes::new(*b"one");
        keychain.write(&Item::Device, &secret).await.unwrap();
        assert_eq!(keychain.read(&Item::Device).await, Ok(Some(secret)));
        assert_eq!(keychain.read(&Item::Index).await, Ok(None));
        assert_eq!(keychain.delete(&Item::Device).await, Ok(()));
        assert_eq!(keychain.delete(&Item::Device).await, Ok(()));
        assert_eq!(keychain.read(&Item::Device).await, Ok(None));
    }

    #[tokio::test]
    async fn an_item_of_a_newer_version_stays_as_it_is_whatever_is_asked() {
        let keychain = MemoryKeychain::default();
        let newer = SecretBytes::new(*b"keyport2:whatever");
        keychain.items.lock().unwrap().set("device", &newer).unwrap();
        let refused = Err(KeychainError::Newer);
        assert_eq!(keychain.read(&Item::Device).await.map(drop), refused);
        assert_eq!(keychain.write(&Item::Device, &SecretBytes::new(*b"ours")).await, refused);
        assert_eq!(keychain.delete(&Item::Device).await, refused);
        assert_eq!(keychain.set_aside(&Item::Device).await, refused);
        assert_eq!(keychain.items.lock().unwrap().get("device"), Ok(vec![newer]));
        assert_eq!(keychain.list().await, Ok(Some(vec!["device".to_owned()])));
    }

    #[tokio::test]
    async fn every_unreadable_version_is_kept_aside_once() {
        let keychain = MemoryKeychain::default();
        for bytes in [&b"damaged"[..], b"damaged", b"damaged again"] {
            let damaged = SecretBytes::new(bytes);
            keychain.items.lock().unwrap().set("device", &damaged).unwrap();
            assert_eq!(keychain.read(&Item::Device).await, Err(KeychainError::Corrupt));
            keychain.set_aside(&Item::Device).await.unwrap();
            assert_eq!(keychain.read(&Item::Device).await, Ok(None));
        }
        keychain.set_aside(&Item::Device).await.unwrap();
        let items = keychain.items.lock().unwrap();
        let kept: Vec<_> = items.0.iter().map(|(name, bytes)| (&**name, bytes.expose())).collect();
        assert_eq!(
            kept,
            [("device.corrupt", &b"damaged"[..]), ("device.corrupt-2", b"damaged again")]
        );
    }
}
