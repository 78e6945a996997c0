//! Runs the effects of one rotation ([`keyport_core::rotation`]) until it is over: takes the lock,
//! reads and writes items, asks the companion. Decides nothing.

use std::collections::VecDeque;
use std::time::Duration;

use keyport_core::rotation::{
    KeptSession, LockScope, RefreshError, RotationEffect, RotationEvent, RotationGoal, RotationId,
    RotationResult,
};
use keyport_core::{AccountId, Problem, Stored, Tokens};

use super::lock::{ProcessLock, SessionLock, answered};
use super::memory::Memory;
use super::{Sessions, Shared};
use crate::http::HttpError;
use crate::keychain::{Item, KeychainError};

/// The lock that a rotation holds, if any.
enum RotationLock {
    None,
    Process(#[expect(dead_code, reason = "held")] ProcessLock),
    Keychain(SessionLock),
}

impl RotationLock {
    fn keychain(&self) -> Option<&SessionLock> {
        match self {
            Self::Keychain(lock) => Some(lock),
            Self::None | Self::Process(_) => None,
        }
    }
}

/// Takes a rotation out of the machine, also when its task is dropped.
struct UnderWay<'a>(&'a Memory, RotationId);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.take(RotationEvent::Abandoned { id: self.1 });
    }
}

impl Sessions {
    pub(super) async fn rotate(&self, account: &AccountId, goal: RotationGoal) -> RotationResult {
        let (id, effects) = self.shared.memory.begin(account, goal);
        let under_way = UnderWay(&self.shared.memory, id);
        // Before the lock is taken, which others wait for. What it fails with is met again there.
        let _ = self.shared.companion.find().await;
        let mut lock = RotationLock::None;
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            if let RotationEffect::Done { result, .. } = effect {
                if let Err(why) = result
                    && why.ends_session()
                {
                    tracing::info!(why = why.code(), "the session is over");
                }
                return result;
            }
            if let Some(event) = self.run_rotation(effect, &mut lock).await {
                effects.extend(under_way.0.take(event));
            }
        }
        Err(Problem::Internal)
    }

    async fn run_rotation(
        &self,
        effect: RotationEffect,
        lock: &mut RotationLock,
    ) -> Option<RotationEvent> {
        let shared = &self.shared;
        match effect {
            RotationEffect::Pause { id, pause } => {
                shared.wait(pause).await;
                Some(RotationEvent::PauseEnded { id })
            }
            RotationEffect::TakeLock { id, scope, .. } => {
                let result = self.take_lock(scope).await.map(|taken| *lock = taken);
                Some(RotationEvent::LockTaken { id, result })
            }
            RotationEffect::ReleaseLock { .. } => {
                *lock = RotationLock::None;
                None
            }
            RotationEffect::Refresh { id, session, from } => {
                let (result, key) = shared.present(&session, from).await;
                Some(RotationEvent::RefreshAnswered { id, result, key })
            }
            RotationEffect::ReadAccess { id, session } => {
                Some(RotationEvent::AccessRead { id, access: shared.access_of(&session).await })
            }
            RotationEffect::ReadSession { id, account } => Some(RotationEvent::SessionRead {
                id,
                result: shared.read_session(lock, &account).await,
            }),
            RotationEffect::SaveChild { id, child } => {
                Some(RotationEvent::ChildSaved { id, saved: shared.save_child(lock, &child).await })
            }
            RotationEffect::RemoveItem { id, account } => {
                let removed = shared.remove_item(lock, &account).await;
                Some(RotationEvent::ItemRemoved { id, removed })
            }
            RotationEffect::KeepAccess { session, access } => {
                if let Some(lock) = lock.keychain() {
                    shared.keep_access(lock, &session, &access).await;
                }
                None
            }
            RotationEffect::ForgetLostTokens { account } => {
                if let Some(lock) = lock.keychain() {
                    shared.items.forget_lost_tokens(lock, Some(&account)).await;
                }
                None
            }
            RotationEffect::ForgetKey { account } => {
                shared.memory.forget_key(&account);
                None
            }
            RotationEffect::Revoke { token } => {
                shared.companion.abandon(token);
                None
            }
            RotationEffect::Done { .. } => None,
        }
    }

    async fn take_lock(&self, scope: LockScope) -> Result<RotationLock, Problem> {
        match scope {
            LockScope::Process => self.locks.take_process_lock().await.map(RotationLock::Process),
            LockScope::Keychain => self.locks.take().await.map(RotationLock::Keychain),
        }
    }
}

impl Shared {
    async fn wait(&self, pause: Duration) {
        self.clock.until(self.clock.now().after(pause)).await;
    }

    /// Presents the token, signed with the key that its session is bound to.
    async fn present(
        &self,
        session: &KeptSession,
        from: Stored,
    ) -> (Result<Tokens, RefreshError>, Option<String>) {
        let held = match from {
            Stored::Memory => self.memory.key_of(&session.account.id),
            Stored::Keychain => None,
        };
        let key = match held {
            Some(key) => Ok(key),
            // Also for a child that the keychain did not take: its parent was bound to this key.
            None => self.key_of_kept(session).await,
        };
        let key = match key {
            Ok(key) => key,
            Err(problem) => return (Err(RefreshError::KeyMissing(problem)), None),
        };
        let result = answered(self.companion.refresh(&key, &session.refresh)).await;
        let result = result.map_err(|error| match error {
            HttpError::GrantInvalid { why } => {
                RefreshError::GrantInvalid(why.unwrap_or(Problem::SessionEnded))
            }
            HttpError::Problem(problem) => RefreshError::NotNow(problem),
        });
        (result, (from == Stored::Keychain).then(|| key.thumbprint()))
    }

    /// What the keychain holds now, whichever process wrote it.
    async fn read_session(
        &self,
        lock: &RotationLock,
        account: &AccountId,
    ) -> Result<Option<KeptSession>, Problem> {
        match (self.items.session(account).await, lock) {
            // Nothing can be done with it here or after a restart; only a new sign-in helps.
            (Err(KeychainError::Corrupt), RotationLock::Keychain(lock)) => {
                self.items.set_aside_if_corrupt(lock, &Item::Account(account.clone())).await?;
                Ok(self.items.session(account).await?)
            }
            (kept, _) => Ok(kept?),
        }
    }

    async fn remove_item(&self, lock: &RotationLock, account: &AccountId) -> bool {
        match lock.keychain() {
            Some(lock) => self.take_out_of_keychain(lock, account).await,
            None => false,
        }
    }

    async fn save_child(&self, lock: &RotationLock, child: &KeptSession) -> bool {
        let RotationLock::Keychain(lock) = lock else {
            return false;
        };
        match self.items.replace(lock, child).await {
            Ok(()) => true,
            Err(cause) => {
                tracing::warn!(%cause, "a refreshed session could not be saved; its parent stays");
                false
            }
        }
    }
}
