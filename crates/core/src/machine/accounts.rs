//! The accounts of this device: which one is shown, and what other processes do to them. A reading
//! of the keychain that follows a change takes accounts in and out; it never asks the person to
//! unlock, and one that fails says nothing about who is signed in.

use std::collections::BTreeSet;

use super::{Freshness, Machine, RETRY_LIFETIME, SignInState, SignedInAccount, Step};
use crate::account::{Account, AccountId, Stored};
use crate::effect::Effect;
use crate::event::{Event, KeychainContents};
use crate::moment::Moment;
use crate::problem::Problem;

impl Machine {
    /// Why the session of the account that is shown is in memory without the person's choice.
    #[must_use]
    pub fn not_saved(&self) -> Option<Problem> {
        self.shown().and_then(|signed| signed.not_saved)
    }

    /// Reads the keychain again, unless it is being read or written just now.
    pub(super) fn keychain_changed(mut self) -> Step {
        if matches!(self.sign_in, SignInState::Starting { .. } | SignInState::Saving { .. }) {
            return self.stay();
        }
        let ticket = self.take_ticket();
        self.rereading = Some(ticket);
        (self, vec![Effect::Load { ticket }])
    }

    pub(super) fn reread(mut self, result: Result<KeychainContents, Problem>, now: Moment) -> Step {
        self.rereading = None;
        let Ok(mut contents) = result else {
            return self.stay();
        };
        if self.shows_not_signed_out() {
            let is_listed = |account: &Account| self.not_signed_out.contains(&account.id);
            if contents.accounts.iter().any(is_listed) {
                contents.error = contents.error.or(Some(Problem::NotSignedOut));
            } else {
                // The client has finished it.
                self.not_signed_out.clear();
                self = self.idle(None);
            }
        }
        let is_first = self.unread;
        self.unread = false;
        let held = self.held.take();
        match &self.sign_in {
            // The keychain was opened by someone else: everything goes on as after a start.
            SignInState::Idle { problem: None | Some((_, None)) } if is_first => {
                let (machine, mut effects) = self.restored(contents, now);
                let Some(callback) = held else {
                    return (machine, effects);
                };
                let (machine, more) = machine.step(Event::CallbackReceived(callback), now);
                effects.extend(more);
                (machine, effects)
            }
            _ => {
                self.take_accounts_of(contents, now);
                self.stay()
            }
        }
    }

    /// Makes the accounts those that the keychain lists, and those in memory.
    pub(super) fn take_accounts_of(&mut self, contents: KeychainContents, now: Moment) {
        let ids: BTreeSet<_> = contents.accounts.iter().map(|account| account.id.clone()).collect();
        self.accounts.retain(|id, signed| signed.stored == Stored::Memory || ids.contains(id));
        for account in contents.accounts {
            if self.leaving.contains(&account.id) {
                continue;
            }
            match self.accounts.get_mut(&account.id) {
                Some(signed) if signed.stored == Stored::Keychain => signed.account = account,
                Some(_) => {}
                None => {
                    let until = contents.fresh_until.get(&account.id).copied();
                    let signed = SignedInAccount::restored(account, until, now);
                    self.accounts.insert(signed.account.id.clone(), signed);
                }
            }
        }
        let mut wanted = self.current.take().into_iter().chain(contents.current);
        self.current = wanted
            .find(|id| self.accounts.contains_key(id))
            .or_else(|| self.accounts.keys().next().cloned());
    }

    pub(super) fn show_account(mut self, account: AccountId) -> Step {
        let is_idle = matches!(self.sign_in, SignInState::Idle { .. });
        if !is_idle
            || self.current.as_ref() == Some(&account)
            || !self.accounts.contains_key(&account)
        {
            return self.stay();
        }
        self.current = Some(account.clone());
        (self.idle(None), vec![Effect::MakeCurrent { account }])
    }

    pub(super) fn sign_out_of_all(mut self) -> Step {
        if !matches!(self.sign_in, SignInState::Idle { .. }) || self.accounts.is_empty() {
            return self.stay();
        }
        self.rereading = None;
        self.current = None;
        let accounts: Vec<_> = std::mem::take(&mut self.accounts).into_keys().collect();
        self.leaving.extend(accounts.iter().cloned());
        let effects = accounts.into_iter().map(|account| Effect::SignOut { account }).collect();
        (self.idle(None), effects)
    }

    pub(super) fn signed_out(mut self, account: &AccountId) -> Step {
        self.leaving.remove(account);
        self.stay()
    }
}

impl SignedInAccount {
    /// An account as the keychain lists it, with the end of its access token.
    fn restored(account: Account, fresh_until: Option<Moment>, now: Moment) -> Self {
        Self {
            account,
            stored: Stored::Keychain,
            not_saved: None,
            // Whether the companion still knows the session is found out when it is due.
            freshness: Freshness::of_kept(fresh_until, now),
            unreachable: None,
            retry: RETRY_LIFETIME,
            given_up: None,
        }
    }
}
