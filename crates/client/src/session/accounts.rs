//! The accounts that are signed in at this companion, one by one and all together, and that they
//! may have changed. Reads and ends sessions; begins none.

use keyport_core::{Account, Problem, Stored};
use tokio::sync::watch;

use super::{Sessions, SignedOut};

/// One account that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEntry {
    /// Who.
    pub account: Account,
    /// Where its session is kept.
    pub stored: Stored,
    /// Whether it is the one to use when none is named. At most one is.
    pub is_current: bool,
}

/// Every account that is signed in, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// The current one first.
    pub entries: Vec<AccountEntry>,
    /// Why there may be more accounts than these: the keychain holds something that cannot be read.
    pub error: Option<Problem>,
}

/// How the sign-out of one of several accounts ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSignedOut {
    /// Who.
    pub account: Account,
    /// As [`Sessions::sign_out`] gives it.
    pub result: Result<SignedOut, Problem>,
}

impl Sessions {
    /// Every account that is signed in at this companion, and where its session is kept. The
    /// current one is first.
    ///
    /// # Errors
    /// When the keychain cannot be read: that is not the same as no account.
    pub async fn accounts(&self) -> Result<Vec<AccountEntry>, Problem> {
        Ok(self.list_accounts().await?.entries)
    }

    /// As [`accounts`](Self::accounts), with what could not be read.
    ///
    /// # Errors
    /// As [`accounts`](Self::accounts).
    pub async fn list_accounts(&self) -> Result<Accounts, Problem> {
        let held = self.shared.memory.accounts().into_iter();
        let mut listed: Vec<_> = held.map(|account| (account, Stored::Memory)).collect();
        let contents = self.load().await?;
        // A session in memory was begun in this process; one in the keychain may be of another one.
        let mut current = listed.first().map(|(account, _)| account.id.clone());
        current = current.or(contents.current);
        for account in contents.accounts {
            if listed.iter().all(|(other, _)| other.id != account.id) {
                listed.push((account, Stored::Keychain));
            }
        }
        let at = listed.iter().position(|(account, _)| Some(&account.id) == current.as_ref());
        // Another companion's account may be the current one of the keychain.
        if let Some(before) = listed.get_mut(..=at.unwrap_or(0)) {
            before.rotate_right(1);
        }
        let entries = listed.into_iter().enumerate();
        let entries = entries.map(|(place, (account, stored))| AccountEntry {
            account,
            stored,
            is_current: place == 0,
        });
        Ok(Accounts { entries: entries.collect(), error: contents.error })
    }

    /// The account to use when none is named.
    ///
    /// # Errors
    /// As [`accounts`](Self::accounts).
    pub async fn current(&self) -> Result<Option<Account>, Problem> {
        if let Some(held) = self.shared.memory.accounts().into_iter().next() {
            return Ok(Some(held));
        }
        Ok(self.accounts().await?.into_iter().next().map(|entry| entry.account))
    }

    /// Ends every session with this companion, one after the other. One that could not be ended
    /// does not keep the others. Accounts of another companion stay signed in.
    ///
    /// # Errors
    /// As [`accounts`](Self::accounts): then nothing was ended.
    pub async fn sign_out_all(&self) -> Result<Vec<AccountSignedOut>, Problem> {
        let mut ended = Vec::new();
        for AccountEntry { account, .. } in self.accounts().await? {
            let result = self.sign_out(&account.id).await;
            ended.push(AccountSignedOut { account, result });
        }
        Ok(ended)
    }

    /// Changes whenever what [`load`](Self::load) gives may have changed, whoever changed it.
    /// Reads nothing and never asks the person to unlock. `None` where the keychain gives no
    /// signal: there the caller has to look again when it has a reason to.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn changes(&self) -> Option<watch::Receiver<()>> {
        self.shared.items.changes()
    }
}
