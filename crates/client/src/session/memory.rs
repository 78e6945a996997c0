//! What this process alone knows: sessions that are not in the keychain, access tokens, and which
//! device key a session is bound to. Gone when it ends, and wiped.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyport_core::secret::{AccessToken, RefreshToken};
use keyport_core::{Account, AccountId, Moment};

use super::access::name_of;
use super::items::KeptSession;
use crate::http::DeviceKey;

/// An access token and when it stops working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Bound to the device key.
    pub token: AccessToken,
    /// When it stops working.
    pub deadline: Moment,
}

#[derive(Default)]
pub(super) struct Memory(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Sessions that live here.
    held: BTreeMap<AccountId, KeptSession>,
    /// Children that could neither be saved nor take their parent's place here: what the keychain
    /// holds is not known.
    unsettled: BTreeMap<AccountId, KeptSession>,
    /// Sessions that were not surely saved: the keychain may hold a token that has since been
    /// rotated here.
    unsure: BTreeSet<AccountId>,
    access: BTreeMap<AccountId, Access>,
    /// The keys of sessions that are held here; the keychain's own sessions are bound to the
    /// keychain's own key.
    keys: BTreeMap<AccountId, Arc<DeviceKey>>,
    /// The keys of the last exchanged sessions, which may yet be saved, held or revoked, by the
    /// name of the refresh token: the token itself may be over long before the next exchange.
    exchanged: VecDeque<(String, Arc<DeviceKey>)>,
}

/// A sign-in exchanges one code; a late one of the attempt before may stand beside it.
const EXCHANGED: usize = 4;

impl Memory {
    /// Notes which key a new session is bound to.
    pub(super) fn exchanged(&self, token: &RefreshToken, key: Arc<DeviceKey>) {
        let mut known = self.known();
        known.exchanged.truncate(EXCHANGED - 1);
        known.exchanged.push_front((name_of(token), key));
    }

    /// The key that a session was exchanged with a moment ago.
    pub(super) fn key_of_exchanged(&self, token: &RefreshToken) -> Option<Arc<DeviceKey>> {
        let (known, name) = (self.known(), name_of(token));
        known.exchanged.iter().find(|(other, _)| *other == name).map(|(_, key)| key.clone())
    }

    /// Puts `child` in the place of its parent. False if that is gone, signed out or replaced by a
    /// newer session: then the child belongs to no session.
    pub(super) fn rotate(&self, parent: &RefreshToken, child: KeptSession) -> bool {
        let mut known = self.known();
        match known.held.get_mut(&child.account.id) {
            Some(held) if held.refresh == *parent => {
                *held = child;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Whether a newer session than the one with this token is held.
    pub(super) fn holds_newer(&self, account: &AccountId, than: &RefreshToken) -> bool {
        self.held(account).is_some_and(|held| held.refresh != *than)
    }

    /// The session is being saved and, until that is answered, may be in the keychain.
    pub(super) fn is_unsure_of(&self, account: &AccountId, unsure: bool) {
        let mut known = self.known();
        if unsure {
            known.unsure.insert(account.clone());
        } else {
            known.unsure.remove(account);
        }
    }

    pub(super) fn may_be_kept_too(&self, account: &AccountId) -> bool {
        self.known().unsure.contains(account)
    }

    /// Holds a session; gives the one that it replaces.
    pub(super) fn hold(&self, session: KeptSession) -> Option<KeptSession> {
        let mut known = self.known();
        let account = session.account.id.clone();
        let name = name_of(&session.refresh);
        if let Some((_, key)) = known.exchanged.iter().find(|(other, _)| *other == name) {
            let key = key.clone();
            known.keys.insert(account.clone(), key);
        }
        let unsettled = known.unsettled.remove(&account);
        known.held.insert(account, session).or(unsettled)
    }

    pub(super) fn held(&self, account: &AccountId) -> Option<KeptSession> {
        self.known().held.get(account).cloned()
    }

    pub(super) fn accounts(&self) -> Vec<Account> {
        self.known().held.values().map(|session| session.account.clone()).collect()
    }

    pub(super) fn leave_unsettled(&self, session: KeptSession) {
        self.known().unsettled.insert(session.account.id.clone(), session);
    }

    pub(super) fn settle(&self, account: &AccountId) -> Option<KeptSession> {
        self.known().unsettled.remove(account)
    }

    pub(super) fn remember_access(&self, account: &AccountId, access: Access) {
        self.known().access.insert(account.clone(), access);
    }

    pub(super) fn access(&self, account: &AccountId) -> Option<Access> {
        self.known().access.get(account).cloned()
    }

    pub(super) fn key_of(&self, account: &AccountId) -> Option<Arc<DeviceKey>> {
        self.known().keys.get(account).cloned()
    }

    /// A newer session is on its way to the keychain; gives the one that was held.
    pub(super) fn let_go(&self, account: &AccountId) -> Option<KeptSession> {
        let mut known = self.known();
        known.keys.remove(account);
        let unsettled = known.unsettled.remove(account);
        known.held.remove(account).or(unsettled)
    }

    /// The session is over.
    pub(super) fn forget(&self, account: &AccountId) -> Option<KeptSession> {
        let mut known = self.known();
        known.access.remove(account);
        known.keys.remove(account);
        let unsettled = known.unsettled.remove(account);
        known.held.remove(account).or(unsettled)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change is one insertion or removal, so the maps are whole even after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
