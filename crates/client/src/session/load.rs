//! What the keychain holds when a client starts. One item that cannot be read is set aside and costs only itself; a keychain
//! that does not answer says nothing about who is signed in.

use keyport_core::event::Vault as Contents;
use keyport_core::{Account, KeptAttempt, Problem};

use super::Sessions;
use crate::keychain::{Item, KeychainTrouble};

impl Sessions {
    /// Reads everything of this companion. Accounts of another one stay where they are: their tokens are not for this one.
    ///
    /// # Errors
    /// When the keychain does not answer.
    pub async fn load(&self) -> Result<Contents, Problem> {
        let vault = &self.shared.vault;
        let mut corrupt = false;
        let index = vault.index().await;
        let index = self.unless_corrupt(&Item::Index, index, &mut corrupt).await?;
        let index = index.unwrap_or_default();
        let mut accounts = Vec::new();
        for id in &index.accounts {
            let session = vault.session(id).await;
            let item = Item::Account(id.clone());
            let session = self.unless_corrupt(&item, session, &mut corrupt).await?.flatten();
            accounts.extend(session.map(|session| session.account).filter(|a| self.is_ours(a)));
        }
        let kept = vault.attempt().await;
        let kept = self.unless_corrupt(&Item::Attempt, kept, &mut corrupt).await?.flatten();
        if let Some(kept) = &kept
            && kept.issuer != self.issuer()
            && kept.deadline <= self.shared.clock.now()
            && let Err(problem) = self.forget_attempt(&kept.id).await
        {
            tracing::warn!(problem = problem.code(), "an attempt that is over is still kept");
        }
        Ok(Contents {
            accounts,
            current: index.current,
            kept: kept.filter(|kept: &KeptAttempt| kept.issuer == self.issuer()),
            trouble: corrupt.then_some(Problem::KeychainCorrupt),
        })
    }

    pub(super) fn is_ours(&self, account: &Account) -> bool {
        account.issuer == self.issuer()
    }

    fn issuer(&self) -> &str {
        self.shared.companion.issuer().as_str()
    }

    async fn unless_corrupt<T>(
        &self,
        item: &Item,
        read: Result<T, KeychainTrouble>,
        corrupt: &mut bool,
    ) -> Result<Option<T>, Problem> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(KeychainTrouble::Corrupt) => {
                *corrupt = true;
                // Reading needs no lock: where it is not free, whoever writes next sets it aside.
                if let Ok(turn) = self.turns.take_if_free().await {
                    self.shared.vault.set_aside_if_corrupt(&turn, item).await?;
                }
                Ok(None)
            }
            Err(trouble) => Err(trouble.into()),
        }
    }
}
