//! Which device key signs: the one in the keychain, or for sessions in memory one that ends with the process.

use std::sync::Arc;

use keyport_core::{AccountId, Problem, Store};
use tokio::sync::OnceCell;

use super::Sessions;
use crate::http::DeviceKey;
use crate::keychain::{Item, KeychainTrouble};

#[derive(Default)]
pub(super) struct Devices {
    kept: OnceCell<Arc<DeviceKey>>,
    passing: OnceCell<Arc<DeviceKey>>,
}

impl Sessions {
    /// The key for a new attempt. A session that shall live in memory never touches the keychain for it.
    ///
    /// # Errors
    /// When the keychain cannot be read or written.
    pub async fn device_key(&self, store: Store) -> Result<Arc<DeviceKey>, Problem> {
        let devices = &self.shared.devices;
        let key = match store {
            Store::Keychain => devices.kept.get_or_try_init(|| self.kept_key()).await?,
            Store::Memory => devices.passing.get_or_try_init(async || draw()).await?,
        };
        Ok(key.clone())
    }

    /// The key that the account's session is bound to.
    pub(super) async fn key_of(&self, account: &AccountId) -> Result<Arc<DeviceKey>, Problem> {
        match self.shared.memory.key_of(account) {
            Some(key) => Ok(key),
            None => self.device_key(Store::Keychain).await,
        }
    }

    async fn kept_key(&self) -> Result<Arc<DeviceKey>, Problem> {
        let vault = &self.shared.vault;
        match vault.device().await {
            Ok(Some(key)) => return Ok(Arc::new(key)),
            Ok(None) | Err(KeychainTrouble::Corrupt) => {}
            Err(trouble) => return Err(trouble.into()),
        }
        let _turn = self.shared.turns.take().await?;
        vault.set_aside_if_corrupt(&Item::Device).await?;
        // Another process may have drawn one meanwhile.
        if let Some(key) = vault.device().await? {
            return Ok(Arc::new(key));
        }
        let key = draw()?;
        vault.put_device(&key).await?;
        Ok(key)
    }
}

fn draw() -> Result<Arc<DeviceKey>, Problem> {
    DeviceKey::draw().map(Arc::new).map_err(|_| Problem::Internal)
}
