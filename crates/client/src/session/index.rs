//! The index of the accounts: read, rebuilt from the items, written as far as one item holds it.
//! The items are the truth; the index is what tells them where a keychain cannot be listed, and
//! which account is the current one.

use keyport_core::AccountId;

use super::item_store::{ItemStore, Result};
use super::items::{Index, Kept as _};
use super::lock::SessionLock;
use crate::keychain::{Item, KeychainError};

impl Index {
    /// Whether it still fits into an item with another account, whose id is as long as all are.
    pub(super) fn takes_one_more(&self) -> bool {
        let mut larger = self.clone();
        let new = AccountId("0".repeat(16));
        larger.accounts.push(new.clone());
        larger.current = Some(new);
        larger.to_bytes().is_ok()
    }
}

impl ItemStore {
    /// `None` if there is none.
    pub(super) async fn index(&self) -> Result<Option<Index>> {
        self.read(&Item::Index).await
    }

    /// The index as the items themselves tell it: every account that has one, and as the current
    /// one that which signed in last. `None` where the keychain cannot be listed.
    pub(super) async fn index_of_items(&self) -> Result<Option<Index>> {
        let Some(names) = self.keychain.list().await? else {
            return Ok(None);
        };
        let mut index = Index::default();
        let mut last = None;
        for account in names.iter().filter_map(|name| Item::account_of(name)) {
            // One that cannot be read is listed all the same: what is wrong with it is told then.
            if let Ok(Some(session)) = self.session(&account).await
                && last.is_none_or(|last| last < session.account.signed_in_at)
            {
                last = Some(session.account.signed_in_at);
                index.current = Some(account.clone());
            }
            index.accounts.push(account);
        }
        index.current = index.current.or_else(|| index.accounts.first().cloned());
        Ok(Some(index))
    }

    /// The index, rebuilt from the items and written if it is lost or cannot be read. Where it
    /// cannot be rebuilt, one that cannot be read is set aside.
    ///
    /// # Errors
    /// [`KeychainError::Newer`] for an index of a newer version, which stays as it is.
    pub(super) async fn restored_index(&self, lock: &SessionLock) -> Result<Index> {
        let is_corrupt = match self.index().await {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => false,
            Err(KeychainError::Corrupt) => true,
            Err(error) => return Err(error),
        };
        let rebuilt = self.index_of_items().await?;
        if is_corrupt {
            self.set_aside_if_corrupt(lock, &Item::Index).await?;
        }
        match rebuilt {
            Some(index) if is_corrupt || !index.accounts.is_empty() => {
                tracing::warn!(accounts = index.accounts.len(), "the keychain's index is rebuilt");
                self.put_index(index.clone(), None).await?;
                Ok(index)
            }
            Some(_) | None => Ok(Index::default()),
        }
    }

    /// Writes the index. One that no item holds is deleted where the items tell the accounts
    /// themselves: an index that names some of them would hide the others.
    ///
    /// # Errors
    /// [`KeychainError::TooLarge`] where the keychain cannot be listed; what was there stays.
    pub(super) async fn put_index(&self, index: Index, new: Option<&AccountId>) -> Result<()> {
        match self.fitting(index, new).await? {
            Some(index) => self.write(&Item::Index, &index).await,
            None => self.keychain.delete(&Item::Index).await,
        }
    }

    /// The index, if need be without the accounts that have no item; `new` is about to get one.
    /// `None` if it is too large even so.
    ///
    /// # Errors
    /// As [`put_index`](Self::put_index).
    pub(super) async fn fitting(
        &self,
        mut index: Index,
        new: Option<&AccountId>,
    ) -> Result<Option<Index>> {
        if index.to_bytes().is_ok() {
            return Ok(Some(index));
        }
        let names = self.keychain.list().await?.ok_or(KeychainError::TooLarge)?;
        let has_item = |id: &AccountId| {
            new == Some(id) || names.binary_search(&Item::Account(id.clone()).name()).is_ok()
        };
        index.accounts.retain(has_item);
        if !index.current.as_ref().is_some_and(has_item) {
            index.current = index.accounts.first().cloned();
        }
        Ok(index.to_bytes().is_ok().then_some(index))
    }
}
