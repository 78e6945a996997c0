//! What this process knows of one account's session beside the keychain, and how a sign-in and a
//! sign-out change it.

use super::{Access, KeptSession, LockScope, RotationEffect, Rotations, Step, refresh_at};
use crate::account::{Account, AccountId};
use crate::moment::Moment;

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AccountMemory {
    /// A session that lives here.
    pub held: Option<KeptSession>,
    /// A child that could neither be saved nor take its parent's place here: what the keychain
    /// holds is not known.
    pub unsettled: Option<KeptSession>,
    /// The session was not surely saved: the keychain may hold a token that has since been rotated
    /// here.
    pub may_be_kept_too: bool,
    pub access: Option<Access>,
}

impl AccountMemory {
    /// The session is over; what the keychain holds is as unknown as before.
    pub(super) fn forget(&mut self) {
        (self.held, self.unsettled, self.access) = (None, None, None);
    }
}

impl Rotations {
    /// The session that is held in memory alone.
    #[must_use]
    pub fn held(&self, account: &AccountId) -> Option<&KeptSession> {
        self.accounts.get(account)?.held.as_ref()
    }

    /// Every session of the account that this process holds a token of: in memory alone, or a child
    /// whose save was not answered.
    pub fn known_sessions(&self, account: &AccountId) -> impl Iterator<Item = &KeptSession> {
        let memory = self.accounts.get(account).into_iter();
        memory.flat_map(|memory| memory.held.iter().chain(&memory.unsettled))
    }

    /// Every account whose session is held in memory alone.
    pub fn held_accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().filter_map(|memory| Some(&memory.held.as_ref()?.account))
    }

    /// Whether the keychain may hold a session of this account that was not surely saved.
    #[must_use]
    pub fn may_be_kept_too(&self, account: &AccountId) -> bool {
        self.accounts.get(account).is_some_and(|memory| memory.may_be_kept_too)
    }

    /// The access token that is known here, if it has more life left than
    /// [`REFRESH_MARGIN`](super::REFRESH_MARGIN).
    #[must_use]
    pub fn usable_access(&self, account: &AccountId, now: Moment) -> Option<&Access> {
        let access = self.accounts.get(account)?.access.as_ref()?;
        (refresh_at(access.deadline) > now).then_some(access)
    }

    pub(super) fn memory(&mut self, account: &AccountId) -> &mut AccountMemory {
        self.accounts.entry(account.clone()).or_default()
    }

    pub(super) fn scope_of(&self, account: &AccountId) -> LockScope {
        match self.accounts.get(account) {
            Some(memory) if memory.held.is_some() && !memory.may_be_kept_too => LockScope::Process,
            Some(_) | None => LockScope::Keychain,
        }
    }

    pub(super) fn held_in_memory(mut self, session: KeptSession, access: Access) -> Step {
        let memory = self.memory(&session.account.id.clone());
        let revoked = replaced(memory);
        (memory.held, memory.access) = (Some(session), Some(access));
        (self, revoked)
    }

    /// Another device key may bind what was held, and only of the same one does the companion end
    /// the older session of itself.
    pub(super) fn save_began(mut self, account: &AccountId) -> Step {
        let memory = self.memory(account);
        let revoked = replaced(memory);
        memory.may_be_kept_too = true;
        (self, revoked)
    }
}

/// Takes out what a newer session replaces, to be revoked.
fn replaced(memory: &mut AccountMemory) -> Vec<RotationEffect> {
    let replaced = memory.held.take().into_iter().chain(memory.unsettled.take());
    replaced.map(|old| RotationEffect::Revoke { token: old.refresh }).collect()
}
