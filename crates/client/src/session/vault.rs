//! The keychain, item by item and typed: what is where, and what happens when one cannot be read. Takes no turns (see
//! [`super::turn`]): whatever writes wants to see the caller's.

use std::sync::Arc;

use keyport_core::{AccountId, KeptAttempt, Problem};

use super::items::{Index, Kept, KeptSession};
use super::turn::Turn;
use crate::http::DeviceKey;
use crate::keychain::{Item, Keychain, KeychainTrouble};

type Result<T> = std::result::Result<T, KeychainTrouble>;

pub(super) struct Vault {
    keychain: Arc<dyn Keychain>,
}

impl Vault {
    pub(super) fn of(keychain: Arc<dyn Keychain>) -> Self {
        Self { keychain }
    }

    pub(super) async fn probe(&self) -> std::result::Result<(), Problem> {
        Ok(self.keychain.probe().await?)
    }

    pub(super) async fn session(&self, account: &AccountId) -> Result<Option<KeptSession>> {
        self.read(&Item::Account(account.clone())).await
    }

    pub(super) async fn index(&self) -> Result<Index> {
        Ok(self.read(&Item::Index).await?.unwrap_or_default())
    }

    pub(super) async fn attempt(&self) -> Result<Option<KeptAttempt>> {
        self.read(&Item::Attempt).await
    }

    pub(super) async fn device(&self) -> Result<Option<DeviceKey>> {
        self.read(&Item::Device).await
    }

    pub(super) async fn put_device(&self, _turn: &Turn, key: &DeviceKey) -> Result<()> {
        self.write(&Item::Device, key).await
    }

    pub(super) async fn put_attempt(&self, _turn: &Turn, kept: &KeptAttempt) -> Result<()> {
        self.write(&Item::Attempt, kept).await
    }

    pub(super) async fn delete_attempt(&self, _turn: &Turn) -> Result<()> {
        self.keychain.delete(&Item::Attempt).await
    }

    /// Puts the session in the place of an older one of its account.
    pub(super) async fn replace(&self, _turn: &Turn, session: &KeptSession) -> Result<()> {
        self.write(&Item::Account(session.account.id.clone()), session).await
    }

    /// Adds the session and makes its account the current one. The index first: an index without its item is read as signed
    /// out, an item without its index would never be found again.
    pub(super) async fn add(&self, turn: &Turn, session: &KeptSession) -> Result<()> {
        let account = &session.account.id;
        let mut index = self.index_or_set_aside(turn).await?;
        if !index.accounts.contains(account) {
            index.accounts.push(account.clone());
        }
        index.current = Some(account.clone());
        self.write(&Item::Index, &index).await?;
        self.replace(turn, session).await
    }

    /// Takes the account out: the secret first, its name after.
    pub(super) async fn remove(&self, turn: &Turn, account: &AccountId) -> Result<()> {
        self.delete_session(turn, account).await?;
        let mut index = self.index_or_set_aside(turn).await?;
        if !index.accounts.contains(account) {
            return Ok(());
        }
        index.accounts.retain(|other| other != account);
        if index.current.as_ref() == Some(account) {
            index.current = index.accounts.first().cloned();
        }
        self.write(&Item::Index, &index).await
    }

    pub(super) async fn delete_session(&self, _turn: &Turn, account: &AccountId) -> Result<()> {
        self.keychain.delete(&Item::Account(account.clone())).await
    }

    /// Moves the item away if it still cannot be read. Another process may have written it anew before the turn began.
    pub(super) async fn set_aside_if_corrupt(&self, _turn: &Turn, item: &Item) -> Result<()> {
        let readable = match item {
            Item::Device => self.device().await.map(drop),
            Item::Index => self.index().await.map(drop),
            Item::Attempt => self.attempt().await.map(drop),
            Item::Account(account) => self.session(account).await.map(drop),
        };
        match readable {
            Err(KeychainTrouble::Corrupt) => {
                tracing::warn!(
                    item = item.name(),
                    "a keychain item cannot be read and is set aside"
                );
                self.keychain.set_aside(item).await
            }
            other => other,
        }
    }

    async fn index_or_set_aside(&self, turn: &Turn) -> Result<Index> {
        match self.index().await {
            Err(KeychainTrouble::Corrupt) => {
                self.set_aside_if_corrupt(turn, &Item::Index).await?;
                self.index().await
            }
            other => other,
        }
    }

    async fn read<T: Kept>(&self, item: &Item) -> Result<Option<T>> {
        self.keychain.read(item).await?.map(|bytes| T::of_bytes(&bytes)).transpose()
    }

    async fn write(&self, item: &Item, kept: &impl Kept) -> Result<()> {
        self.keychain.write(item, &kept.to_bytes()?).await
    }
}
