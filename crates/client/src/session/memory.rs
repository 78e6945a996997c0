//! What this process alone knows: the rotations with the sessions that they hold in memory
//! ([`keyport_core::rotation`]), and which device key a session is bound to. Gone when it ends, and
//! wiped. Decides nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyport_core::rotation::{
    Access, KeptSession, RotationEffect, RotationEvent, RotationGoal, RotationId, Rotations,
};
use keyport_core::secret::RefreshToken;
use keyport_core::{Account, AccountId};

use super::access::name_of;
use crate::http::DeviceKey;
use crate::platform::Clock;

pub(super) struct Memory {
    known: Mutex<Known>,
    clock: Arc<dyn Clock>,
}

struct Known {
    rotations: Rotations,
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
    /// For the sessions of the companion with this issuer.
    pub(super) fn of(issuer: String, clock: Arc<dyn Clock>) -> Self {
        let (keys, exchanged) = (BTreeMap::new(), VecDeque::new());
        let known = Known { rotations: Rotations::of(issuer), keys, exchanged };
        Self { known: Mutex::new(known), clock }
    }

    /// Begins a rotation.
    pub(super) fn begin(
        &self,
        account: &AccountId,
        goal: RotationGoal,
    ) -> (RotationId, Vec<RotationEffect>) {
        let mut known = self.known();
        let id = known.rotations.next_id();
        (id, self.step(&mut known, RotationEvent::Wanted { account: account.clone(), goal }))
    }

    /// Takes one event, and gives what is to be done for it.
    pub(super) fn take(&self, event: RotationEvent) -> Vec<RotationEffect> {
        self.step(&mut self.known(), event)
    }

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

    /// Holds a session; gives the tokens that it replaces, to be revoked.
    pub(super) fn hold(&self, session: KeptSession, access: Access) -> Vec<RefreshToken> {
        let mut known = self.known();
        let name = name_of(&session.refresh);
        if let Some((_, key)) = known.exchanged.iter().find(|(other, _)| *other == name) {
            let key = key.clone();
            known.keys.insert(session.account.id.clone(), key);
        }
        let held = RotationEvent::Held { session: Box::new(session), access };
        revoked(self.step(&mut known, held))
    }

    /// A newer session is on its way to the keychain; gives the tokens that it replaces here.
    pub(super) fn begin_save(&self, account: &AccountId) -> Vec<RefreshToken> {
        let mut known = self.known();
        known.keys.remove(account);
        revoked(self.step(&mut known, RotationEvent::SaveBegan { account: account.clone() }))
    }

    /// It is known again what the keychain holds of this account.
    pub(super) fn settle_item(&self, account: &AccountId) {
        self.take(RotationEvent::ItemSettled { account: account.clone() });
    }

    pub(super) fn may_be_kept_too(&self, account: &AccountId) -> bool {
        self.known().rotations.may_be_kept_too(account)
    }

    pub(super) fn held(&self, account: &AccountId) -> Option<KeptSession> {
        self.known().rotations.held(account).cloned()
    }

    pub(super) fn accounts(&self) -> Vec<Account> {
        self.known().rotations.held_accounts().cloned().collect()
    }

    pub(super) fn remember_access(&self, account: &AccountId, access: Access) {
        self.take(RotationEvent::AccessLearned { account: account.clone(), access });
    }

    /// The access token, if it has some life left.
    pub(super) fn usable_access(&self, account: &AccountId) -> Option<Access> {
        self.known().rotations.usable_access(account, self.clock.now()).cloned()
    }

    pub(super) fn key_of(&self, account: &AccountId) -> Option<Arc<DeviceKey>> {
        self.known().keys.get(account).cloned()
    }

    pub(super) fn forget_key(&self, account: &AccountId) {
        self.known().keys.remove(account);
    }

    /// The session is over; gives each that this process held a token of.
    pub(super) fn forget(&self, account: &AccountId) -> Vec<KeptSession> {
        let mut known = self.known();
        known.keys.remove(account);
        let sessions = known.rotations.known_sessions(account).cloned().collect();
        self.step(&mut known, RotationEvent::Forgotten { account: account.clone() });
        sessions
    }

    fn step(&self, known: &mut Known, event: RotationEvent) -> Vec<RotationEffect> {
        // The machine moves through its step; an empty one stands in for it meanwhile.
        let rotations = std::mem::replace(&mut known.rotations, Rotations::of(String::new()));
        let (rotations, effects) = rotations.step(event, self.clock.now());
        known.rotations = rotations;
        effects
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // A step does not panic, and every other change is one insertion or removal.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn revoked(effects: Vec<RotationEffect>) -> Vec<RefreshToken> {
    let tokens = effects.into_iter().map(|effect| match effect {
        RotationEffect::Revoke { token } => Some(token),
        _ => None,
    });
    tokens.flatten().collect()
}
