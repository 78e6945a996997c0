//! The keychain, item by item and typed: what is where, and what happens when one cannot be read.
//! Takes no lock (see [`super::lock`]): whatever writes takes the caller's as proof.

use std::collections::BTreeSet;
use std::sync::Arc;

use keyport_core::{AccountId, AttemptId, KeptAttempt, Problem};
use tokio::sync::watch;

use super::access::KeptAccess;
use super::items::{Kept, KeptSession};
use super::left::LeftSessions;
use super::lock::SessionLock;
use crate::http::DeviceKey;
use crate::keychain::{Item, Keychain, KeychainError};

pub(super) type Result<T> = std::result::Result<T, KeychainError>;

pub(super) struct ItemStore {
    pub(super) keychain: Arc<dyn Keychain>,
}

impl ItemStore {
    pub(super) fn of(keychain: Arc<dyn Keychain>) -> Self {
        Self { keychain }
    }

    /// Whether items can be written and read back, and whether those that a new session needs may
    /// be: whose session it will be is not known before, so any account counts.
    pub(super) async fn probe(&self) -> std::result::Result<(), Problem> {
        self.keychain.probe().await?;
        // What is wrong with an item otherwise is repaired when it is written.
        let index = match self.index().await {
            Err(KeychainError::Newer) => return Err(Problem::KeychainNewer),
            index => index.ok().flatten().unwrap_or_default(),
        };
        let listed = self.listed_accounts().await;
        // Whoever has an account already could sign in again; who it will be is not known before.
        if listed.is_none() && !index.takes_one_more() {
            return Err(KeychainError::TooLarge.into());
        }
        for account in listed.unwrap_or(index.accounts) {
            match self.session(&account).await {
                Err(KeychainError::Newer) => return Err(Problem::KeychainNewer),
                Ok(_) | Err(KeychainError::Corrupt) => {}
                // It would not answer for the others either, and each takes its time.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Every account that has an item; `None` where the keychain cannot be listed.
    async fn listed_accounts(&self) -> Option<Vec<AccountId>> {
        let names = self.keychain.list().await.ok().flatten()?;
        Some(names.iter().filter_map(|name| Item::account_of(name)).collect())
    }

    pub(super) fn changes(&self) -> Option<watch::Receiver<()>> {
        self.keychain.changes()
    }

    pub(super) async fn session(&self, account: &AccountId) -> Result<Option<KeptSession>> {
        self.read(&Item::Account(account.clone())).await
    }

    pub(super) async fn access(&self, account: &AccountId) -> Result<Option<KeptAccess>> {
        self.read(&Item::Access(account.clone())).await
    }

    /// Puts the access token in the place of the one before. One that cannot be read is in the way
    /// and worth nothing.
    pub(super) async fn put_access(
        &self,
        _lock: &SessionLock,
        account: &AccountId,
        access: &KeptAccess,
    ) -> Result<()> {
        let item = Item::Access(account.clone());
        match self.write(&item, access).await {
            Err(KeychainError::Corrupt) => {
                self.keychain.delete(&item).await?;
                self.write(&item, access).await
            }
            written => written,
        }
    }

    pub(super) async fn attempt(&self) -> Result<Option<KeptAttempt>> {
        self.read(&Item::Attempt).await
    }

    pub(super) async fn left_sessions(&self) -> Result<Option<LeftSessions>> {
        self.read(&Item::LeftSessions).await
    }

    /// Writes what is left; an item that holds nothing is deleted.
    pub(super) async fn put_left_sessions(
        &self,
        _lock: &SessionLock,
        left: &LeftSessions,
    ) -> Result<()> {
        match left.is_empty() {
            true => self.keychain.delete(&Item::LeftSessions).await,
            false => self.write(&Item::LeftSessions, left).await,
        }
    }

    pub(super) async fn device(&self) -> Result<Option<DeviceKey>> {
        self.read(&Item::Device).await
    }

    pub(super) async fn put_device(&self, _lock: &SessionLock, key: &DeviceKey) -> Result<()> {
        self.write(&Item::Device, key).await
    }

    pub(super) async fn put_attempt(&self, _lock: &SessionLock, kept: &KeptAttempt) -> Result<()> {
        self.write(&Item::Attempt, kept).await
    }

    /// Deletes the kept attempt if it is this one.
    pub(super) async fn forget_attempt(
        &self,
        _lock: &SessionLock,
        attempt: &AttemptId,
    ) -> Result<()> {
        match self.attempt().await? {
            Some(kept) if kept.id == *attempt => self.keychain.delete(&Item::Attempt).await,
            Some(_) | None => Ok(()),
        }
    }

    /// Puts the session in the place of an older one of its account.
    pub(super) async fn replace(&self, _lock: &SessionLock, session: &KeptSession) -> Result<()> {
        self.write(&Item::Account(session.account.id.clone()), session).await
    }

    /// Adds the session and makes its account the current one. The index first: an index without
    /// its item is read as signed out, an item without its index would never be found again.
    pub(super) async fn add(&self, lock: &SessionLock, session: &KeptSession) -> Result<()> {
        let account = &session.account.id;
        let mut index = self.restored_index(lock).await?;
        if !index.accounts.contains(account) {
            index.accounts.push(account.clone());
        }
        index.current = Some(account.clone());
        self.put_index(index, Some(account)).await?;
        self.replace(lock, session).await
    }

    /// Makes a listed account the current one.
    pub(super) async fn make_current(&self, lock: &SessionLock, account: &AccountId) -> Result<()> {
        let mut index = self.restored_index(lock).await?;
        if !index.accounts.contains(account) || index.current.as_ref() == Some(account) {
            return Ok(());
        }
        index.current = Some(account.clone());
        match self.fitting(index, None).await? {
            Some(index) => self.write(&Item::Index, &index).await,
            // Nothing else says which one is current.
            None => Err(KeychainError::TooLarge),
        }
    }

    /// Takes the account out: the secret first, its name after.
    pub(super) async fn remove(&self, lock: &SessionLock, account: &AccountId) -> Result<()> {
        self.delete_session(lock, account).await?;
        self.forget_lost_tokens(lock, None).await;
        let mut index = match self.restored_index(lock).await {
            // It is not for this version to change; an index without its item is signed out.
            Err(KeychainError::Newer) => return Ok(()),
            index => index?,
        };
        if !index.accounts.contains(account) {
            return Ok(());
        }
        index.accounts.retain(|other| other != account);
        if index.current.as_ref() == Some(account) {
            index.current = index.accounts.first().cloned();
        }
        self.put_index(index, None).await
    }

    /// With the access token that came with it.
    pub(super) async fn delete_session(
        &self,
        _lock: &SessionLock,
        account: &AccountId,
    ) -> Result<()> {
        self.keychain.delete(&Item::Account(account.clone())).await?;
        self.delete_access(account).await
    }

    async fn delete_access(&self, account: &AccountId) -> Result<()> {
        match self.keychain.delete(&Item::Access(account.clone())).await {
            // It came with a session of that version, and not with the one that was deleted.
            Err(KeychainError::Newer) => Ok(()),
            deleted => deleted,
        }
    }

    /// Deletes each access token whose session is not there any more, and that of `missed`, whose
    /// session is known to be gone where the keychain cannot be listed. What is left is looked at
    /// again with the next write.
    pub(super) async fn forget_lost_tokens(&self, _lock: &SessionLock, missed: Option<&AccountId>) {
        let names = self.keychain.list().await.ok().flatten().unwrap_or_default();
        let has_session = |id: &AccountId| names.contains(&Item::Account(id.clone()).name());
        let lost = names.iter().filter_map(|name| Item::access_of(name));
        let lost = lost.filter(|id| !has_session(id)).chain(missed.cloned());
        for account in lost.collect::<BTreeSet<_>>() {
            if let Err(error) = self.delete_access(&account).await {
                tracing::warn!(cause = %error, "the access token of a lost session is left");
            }
        }
    }

    /// Moves the item away if it still cannot be read. Another process may have written it anew
    /// before the lock was taken.
    pub(super) async fn set_aside_if_corrupt(
        &self,
        _lock: &SessionLock,
        item: &Item,
    ) -> Result<()> {
        let readable = match item {
            Item::Device => self.device().await.map(drop),
            Item::Index => self.index().await.map(drop),
            Item::Attempt => self.attempt().await.map(drop),
            Item::LeftSessions => self.left_sessions().await.map(drop),
            Item::Account(account) => self.session(account).await.map(drop),
            Item::Access(account) => self.access(account).await.map(drop),
        };
        match readable {
            Err(KeychainError::Corrupt) => {
                tracing::warn!(
                    item = item.name(),
                    "a keychain item cannot be read and is set aside"
                );
                self.keychain.set_aside(item).await?;
                match item {
                    // The token came with what cannot be read any more.
                    Item::Account(account) => self.delete_access(account).await,
                    _ => Ok(()),
                }
            }
            other => other,
        }
    }

    pub(super) async fn read<T: Kept>(&self, item: &Item) -> Result<Option<T>> {
        self.keychain.read(item).await?.map(|bytes| T::of_bytes(&bytes)).transpose()
    }

    pub(super) async fn write(&self, item: &Item, kept: &impl Kept) -> Result<()> {
        self.keychain.write(item, &kept.to_bytes()?).await
    }
}
