//! Which device key signs: the one in the keychain, or for sessions in memory one that ends with
//! the process. A session is bound to its key (RFC 9449 section 5): where the key is lost, the
//! session stays where it is, and only a new sign-in draws a new key.

use std::sync::Arc;

use keyport_core::{AccountId, Problem, SessionStore};
use tokio::sync::OnceCell;

use super::items::KeptSession;
use super::lock::SessionLock;
use super::{Sessions, Shared};
use crate::http::DeviceKey;
use crate::keychain::{Item, KeychainError};

#[derive(Default)]
pub(super) struct Devices {
    passing: OnceCell<Arc<DeviceKey>>,
}

impl Sessions {
    /// The key for a new attempt, drawn if there is none. A session that shall live in memory never
    /// touches the keychain for it.
    ///
    /// # Errors
    /// When the keychain cannot be read or written.
    pub async fn device_key(&self, store: SessionStore) -> Result<Arc<DeviceKey>, Problem> {
        if store == SessionStore::Memory {
            let passing = self.shared.devices.passing.get_or_try_init(async || draw()).await?;
            return Ok(passing.clone());
        }
        match self.shared.items.device().await {
            Ok(Some(key)) => return Ok(Arc::new(key)),
            Ok(None) | Err(KeychainError::Corrupt) => {}
            Err(error) => return Err(error.into()),
        }
        let lock = self.locks.take().await?;
        self.shared.draw_device_key(&lock).await
    }

    /// The key of an attempt that was pushed before a restart, and never a new one.
    ///
    /// # Errors
    /// [`Problem::DeviceKeyLost`] where it is not there or cannot be read.
    pub async fn kept_device_key(&self) -> Result<Arc<DeviceKey>, Problem> {
        self.shared.kept_device_key().await
    }

    /// The key that the account's session is bound to.
    pub(super) async fn key_of(&self, account: &AccountId) -> Result<Arc<DeviceKey>, Problem> {
        if let Some(key) = self.shared.memory.key_of(account) {
            return Ok(key);
        }
        match self.shared.items.session(account).await? {
            Some(session) => self.shared.key_of_kept(&session).await,
            None => self.shared.kept_device_key().await,
        }
    }
}

impl Shared {
    /// Read each time and not remembered: another process may have drawn a new one meanwhile.
    pub(super) async fn kept_device_key(&self) -> Result<Arc<DeviceKey>, Problem> {
        match self.items.device().await {
            Ok(Some(key)) => Ok(Arc::new(key)),
            Ok(None) | Err(KeychainError::Corrupt) => Err(Problem::DeviceKeyLost),
            Err(error) => Err(error.into()),
        }
    }

    /// The companion refuses another key as if the session had ended, so it is not asked with one.
    pub(super) async fn key_of_kept(
        &self,
        session: &KeptSession,
    ) -> Result<Arc<DeviceKey>, Problem> {
        let key = self.kept_device_key().await?;
        // One that an earlier version kept does not name its key.
        let is_bound = session.key.as_ref().is_none_or(|bound| *bound == key.thumbprint());
        if is_bound { Ok(key) } else { Err(Problem::DeviceKeyLost) }
    }

    async fn draw_device_key(&self, lock: &SessionLock) -> Result<Arc<DeviceKey>, Problem> {
        self.items.set_aside_if_corrupt(lock, &Item::Device).await?;
        // Another process may have drawn one meanwhile.
        if let Some(key) = self.items.device().await? {
            return Ok(Arc::new(key));
        }
        let key = draw()?;
        self.items.put_device(lock, &key).await?;
        Ok(key)
    }

    /// Before a session that is bound to `key` is kept: no other key is in the keychain.
    pub(super) async fn keep_device_key(
        &self,
        lock: &SessionLock,
        key: &DeviceKey,
    ) -> Result<(), Problem> {
        self.items.set_aside_if_corrupt(lock, &Item::Device).await?;
        match self.items.device().await? {
            Some(kept) if kept.thumbprint() == key.thumbprint() => Ok(()),
            // Other accounts may be bound to it.
            Some(_) => Err(Problem::DeviceKeyLost),
            None => Ok(self.items.put_device(lock, key).await?),
        }
    }
}

fn draw() -> Result<Arc<DeviceKey>, Problem> {
    DeviceKey::draw().map(Arc::new).map_err(|_| Problem::Internal)
}
