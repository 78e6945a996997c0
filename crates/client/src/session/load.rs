//! What the keychain holds when a client starts. One item that cannot be read costs only itself: a
//! lost index is rebuilt from the items, a damaged item is set aside, one of a newer version is
//! left alone. A keychain that does not answer says nothing about who is signed in.

use std::collections::BTreeMap;

use keyport_core::KeychainContents;
use keyport_core::{Account, KeptAttempt, Problem};

use super::Sessions;
use super::items::{Index, Kept as _};
use crate::keychain::{Item, KeychainError};

impl Sessions {
    /// Reads everything of this companion. Accounts of another one stay where they are: their
    /// tokens are not for this one.
    ///
    /// # Errors
    /// When the keychain does not answer.
    pub async fn load(&self) -> Result<KeychainContents, Problem> {
        let items = &self.shared.items;
        let mut error = None;
        let left = self.finish().await;
        let index = self.load_index(&mut error).await?;
        let (mut accounts, mut fresh_until) = (Vec::new(), BTreeMap::new());
        let device = if index.accounts.is_empty() {
            None
        } else {
            self.shared.kept_device_key().await.ok().map(|key| key.thumbprint())
        };
        // One whose sign-out waits for the lock is not signed in here any more.
        for id in index.accounts.iter().filter(|id| !left.sign_outs.contains_key(id)) {
            let session = items.session(id).await;
            let item = Item::Account(id.clone());
            let session = self.if_readable(&item, session, &mut error).await?;
            if let Some(session) = session.filter(|session| self.is_ours(&session.account)) {
                // One whose device key is lost is not refreshed either, and that is told at once.
                if session.key.is_none() || session.key == device {
                    fresh_until.insert(session.account.id.clone(), session.fresh_until);
                }
                accounts.push(session.account);
            }
        }
        let kept = items.attempt().await;
        let kept = self.if_readable(&Item::Attempt, kept, &mut error).await?;
        if let Some(kept) = &kept
            && kept.issuer != self.issuer()
            && kept.deadline <= self.shared.clock.now()
            && let Err(problem) = self.forget_attempt(&kept.id).await
        {
            tracing::warn!(problem = problem.code(), "an attempt that is over is still kept");
        }
        Ok(KeychainContents {
            accounts,
            fresh_until,
            current: index.current,
            kept: kept.filter(|kept: &KeptAttempt| {
                kept.issuer == self.issuer() && !left.attempts.contains(&kept.id)
            }),
            error,
        })
    }

    pub(super) fn is_ours(&self, account: &Account) -> bool {
        account.issuer == self.issuer()
    }

    fn issuer(&self) -> &str {
        self.shared.companion.issuer().as_str()
    }

    /// The accounts are told from the items first, so that they are known even where the lock for
    /// writing the index anew cannot be taken.
    async fn load_index(&self, error: &mut Option<Problem>) -> Result<Index, Problem> {
        let items = &self.shared.items;
        let is_corrupt = match items.index().await {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => false,
            Err(KeychainError::Corrupt) => true,
            Err(KeychainError::Newer) => {
                error.get_or_insert(Problem::KeychainNewer);
                return Ok(items.index_of_items().await?.unwrap_or_default());
            }
            Err(failed) => return Err(failed.into()),
        };
        let told = items.index_of_items().await?;
        if is_corrupt && told.is_none() {
            error.get_or_insert(Problem::KeychainCorrupt);
        }
        let told = told.unwrap_or_default();
        // One that no item holds is not written.
        if !is_corrupt && (told.accounts.is_empty() || told.to_bytes().is_err()) {
            return Ok(told);
        }
        let written = async {
            let lock = self.locks.take_if_free().await?;
            Ok::<_, Problem>(items.restored_index(&lock).await?)
        };
        Ok(written.await.unwrap_or_else(|problem| {
            tracing::warn!(problem = problem.code(), "the keychain's index is not written anew");
            told
        }))
    }

    /// `None` for an item that is not there or cannot be read; then `error` says why, unless
    /// another item has said so before.
    async fn if_readable<T>(
        &self,
        item: &Item,
        read: Result<Option<T>, KeychainError>,
        error: &mut Option<Problem>,
    ) -> Result<Option<T>, Problem> {
        match read {
            Ok(read) => Ok(read),
            Err(KeychainError::Corrupt) => {
                error.get_or_insert(Problem::KeychainCorrupt);
                // Reading needs no lock: where it is not free, whoever writes next sets it aside.
                if let Ok(lock) = self.locks.take_if_free().await {
                    self.shared.items.set_aside_if_corrupt(&lock, item).await?;
                }
                Ok(None)
            }
            Err(KeychainError::Newer) => {
                error.get_or_insert(Problem::KeychainNewer);
                Ok(None)
            }
            Err(failed) => Err(failed.into()),
        }
    }
}
