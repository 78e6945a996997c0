//! What a rotation decides at each answer: which token to present, whether the session goes on, and
//! whether to try again.

use super::{
    Access, KeptSession, LockScope, PAUSES, RefreshError, Rotation, RotationEffect, RotationGoal,
    RotationId, RotationResult, RotationStep, Rotations, Step, refresh_at,
};
use crate::account::{Stored, Tokens};
use crate::moment::Moment;
use crate::problem::Problem;
use crate::secret::RefreshToken;

impl Rotations {
    /// A session that this process alone holds needs no lock of other processes, and there may be
    /// no keychain.
    pub(super) fn take_lock(self, id: RotationId, rotation: Rotation) -> Step {
        let scope = self.scope_of(&rotation.account);
        let account = rotation.account.clone();
        let effect = RotationEffect::TakeLock { id, account, scope };
        self.wait(id, rotation, RotationStep::Lock(scope), vec![effect])
    }

    pub(super) fn lock_taken(self, id: RotationId, rotation: Rotation, scope: LockScope) -> Step {
        let account = rotation.account.clone();
        let Some(memory) = self.accounts.get(&account) else {
            return self.read_session(id, rotation, scope);
        };
        match (&memory.held, memory.may_be_kept_too, scope) {
            (Some(_), true, LockScope::Keychain) => {
                let effect = RotationEffect::RemoveItem { id, account };
                self.wait(id, rotation, RotationStep::StaleItemRemoved, vec![effect])
            }
            (Some(_), false, _) => self.rotate_held(id, rotation),
            (Some(_), true, LockScope::Process) | (None, ..) => {
                self.read_session(id, rotation, scope)
            }
        }
    }

    pub(super) fn read_session(self, id: RotationId, rotation: Rotation, scope: LockScope) -> Step {
        if scope == LockScope::Process {
            // What was held has gone meanwhile: what the keychain holds needs its lock.
            let (machine, more) = self.take_lock(id, rotation);
            return (machine, [vec![RotationEffect::ReleaseLock { id }], more].concat());
        }
        let effect = RotationEffect::ReadSession { id, account: rotation.account.clone() };
        self.wait(id, rotation, RotationStep::Session, vec![effect])
    }

    pub(super) fn session_read(
        mut self,
        id: RotationId,
        rotation: Rotation,
        session: Option<KeptSession>,
        now: Moment,
    ) -> Step {
        let account = rotation.account.clone();
        let memory = self.memory(&account);
        let Some(session) = session else {
            if memory.held.is_none() {
                // The delete of a save that was not answered has happened after all.
                memory.held = memory.unsettled.take();
            }
            if memory.held.is_some() {
                return self.rotate_held(id, rotation);
            }
            let (machine, done) = self.finish(id, Err(Problem::SessionEnded));
            let forget = RotationEffect::ForgetLostTokens { account };
            return (machine, [vec![forget], done].concat());
        };
        // Parent or child: with either the companion goes on.
        memory.unsettled = None;
        if session.account.issuer != self.issuer {
            return self.finish(id, Err(Problem::ServiceRefused));
        }
        match &rotation.goal {
            RotationGoal::AccessToken => {
                let effect = RotationEffect::ReadAccess { id, session: Box::new(session.clone()) };
                self.wait(id, rotation, RotationStep::Access(session), vec![effect])
            }
            RotationGoal::Rotation { known: Some(known) }
                if *known != session.refresh && refresh_at(session.fresh_until) > now =>
            {
                self.finish(id, Ok((session.fresh_until, Stored::Keychain)))
            }
            RotationGoal::Rotation { .. } => self.refresh(id, rotation, session, Stored::Keychain),
        }
    }

    pub(super) fn rotate_held(self, id: RotationId, rotation: Rotation) -> Step {
        let held = self.accounts.get(&rotation.account).and_then(|memory| memory.held.clone());
        match held {
            Some(session) => self.refresh(id, rotation, session, Stored::Memory),
            None => self.read_session(id, rotation, LockScope::Process),
        }
    }

    pub(super) fn refresh(
        self,
        id: RotationId,
        rotation: Rotation,
        session: KeptSession,
        from: Stored,
    ) -> Step {
        let effect = RotationEffect::Refresh { id, session: Box::new(session.clone()), from };
        self.wait(id, rotation, RotationStep::Refresh { presented: session, from }, vec![effect])
    }

    pub(super) fn refresh_answered(
        mut self,
        id: RotationId,
        rotation: Rotation,
        (presented, from): (KeptSession, Stored),
        (result, key): (Result<Tokens, RefreshError>, Option<String>),
        now: Moment,
    ) -> Step {
        let tokens = match result {
            Ok(tokens) => tokens,
            Err(RefreshError::GrantInvalid(why)) => {
                return self.refused(id, rotation, (presented, from, why), now);
            }
            Err(RefreshError::NotNow(Problem::Offline)) => {
                return self.again(id, rotation, Problem::Offline, now);
            }
            Err(RefreshError::NotNow(problem) | RefreshError::KeyMissing(problem)) => {
                return self.finish(id, Err(problem));
            }
        };
        let access = Access { token: tokens.access, deadline: tokens.access_deadline };
        let child = KeptSession {
            refresh: tokens.refresh,
            fresh_until: tokens.access_deadline,
            key: key.or_else(|| presented.key.clone()),
            session: tokens.session.or_else(|| presented.session.clone()),
            account: presented.account.clone(),
        };
        let memory = self.memory(&rotation.account);
        match (from, &memory.held) {
            (Stored::Memory, Some(held)) if held.refresh == presented.refresh => {
                let until = child.fresh_until;
                (memory.held, memory.access) = (Some(child), Some(access));
                self.finish(id, Ok((until, Stored::Memory)))
            }
            // Signed out, or replaced by a newer session: neither the parent nor the child is held.
            (Stored::Memory, _) => {
                let revoke = RotationEffect::Revoke { token: child.refresh };
                let (machine, more) = self.again(id, rotation, Problem::ServiceUnavailable, now);
                (machine, [vec![revoke], more].concat())
            }
            // The newer session is used here. The parent stays in the keychain, and gives this
            // child again.
            (Stored::Keychain, Some(held)) if held.refresh != presented.refresh => {
                self.again(id, rotation, Problem::ServiceUnavailable, now)
            }
            (Stored::Keychain, _) => {
                let effect = RotationEffect::SaveChild { id, child: Box::new(child.clone()) };
                let step = RotationStep::Save { parent: presented.refresh, child, access };
                self.wait(id, rotation, step, vec![effect])
            }
        }
    }

    /// Where the child could not be saved its parent stays: the companion gives the same child for
    /// it again, to this process or the next one. The access token is good either way.
    pub(super) fn child_saved(
        mut self,
        id: RotationId,
        rotation: Rotation,
        (parent, child, access): (RefreshToken, KeptSession, Access),
        saved: bool,
        now: Moment,
    ) -> Step {
        let until = child.fresh_until;
        let memory = self.memory(&rotation.account);
        let holds_newer = memory.held.as_ref().is_some_and(|held| held.refresh != parent);
        let mut effects = Vec::new();
        if saved {
            let session = Box::new(child);
            effects.push(RotationEffect::KeepAccess { session, access: access.clone() });
        } else {
            memory.unsettled = Some(child);
        }
        let (machine, more) = if holds_newer {
            self.again(id, rotation, Problem::ServiceUnavailable, now)
        } else {
            memory.access = Some(access);
            self.finish(id, Ok((until, Stored::Keychain)))
        };
        effects.extend(more);
        (machine, effects)
    }

    /// `invalid_grant`: a newer session that a new sign-in or another process has left is not to
    /// end with this token.
    pub(super) fn refused(
        mut self,
        id: RotationId,
        rotation: Rotation,
        (presented, from, why): (KeptSession, Stored, Problem),
        now: Moment,
    ) -> Step {
        let account = rotation.account.clone();
        let held = self.memory(&account).held.as_ref();
        if held.is_some_and(|held| held.refresh != presented.refresh) {
            return self.again(id, rotation, Problem::ServiceUnavailable, now);
        }
        self.memory(&account).forget();
        let forget = RotationEffect::ForgetKey { account: account.clone() };
        let read = RotationEffect::ReadSession { id, account };
        let step = RotationStep::SessionAfterRefusal { presented, from, why };
        self.wait(id, rotation, step, vec![forget, read])
    }

    pub(super) fn read_after_refusal(
        self,
        id: RotationId,
        rotation: Rotation,
        (presented, from, why): (KeptSession, Stored, Problem),
        read: Result<Option<KeptSession>, Problem>,
        now: Moment,
    ) -> Step {
        let held = self.accounts.get(&rotation.account).and_then(|memory| memory.held.as_ref());
        let kept = match (read, from) {
            (Ok(kept), _) => kept,
            // There may be no keychain at all.
            (Err(_), Stored::Memory) => None,
            (Err(problem), Stored::Keychain) => return self.finish(id, Err(problem)),
        };
        if held.is_some() || kept.is_some_and(|kept| kept.refresh != presented.refresh) {
            return self.again(id, rotation, Problem::ServiceUnavailable, now);
        }
        match from {
            Stored::Memory => self.finish(id, Err(why)),
            Stored::Keychain => {
                let effect = RotationEffect::RemoveItem { id, account: rotation.account.clone() };
                self.wait(id, rotation, RotationStep::EndedItemRemoved { why }, vec![effect])
            }
        }
    }

    /// A sign-in that came meanwhile has left a newer session in memory.
    pub(super) fn ended_item_removed(
        self,
        id: RotationId,
        rotation: Rotation,
        why: Problem,
        now: Moment,
    ) -> Step {
        if self.held(&rotation.account).is_some() {
            return self.again(id, rotation, Problem::ServiceUnavailable, now);
        }
        self.finish(id, Err(why))
    }

    /// The answer was lost, or there is a newer session: the same again, under a new lock.
    pub(super) fn again(
        self,
        id: RotationId,
        mut rotation: Rotation,
        last: Problem,
        now: Moment,
    ) -> Step {
        let pause = PAUSES.get(rotation.tries).copied();
        let Some(pause) = pause.filter(|_| now <= rotation.last_try) else {
            return self.finish(id, Err(last));
        };
        rotation.tries += 1;
        let effects = vec![RotationEffect::ReleaseLock { id }, RotationEffect::Pause { id, pause }];
        self.wait(id, rotation, RotationStep::Pause, effects)
    }

    pub(super) fn wait(
        mut self,
        id: RotationId,
        rotation: Rotation,
        step: RotationStep,
        effects: Vec<RotationEffect>,
    ) -> Step {
        self.under_way.insert(id, Rotation { step, ..rotation });
        (self, effects)
    }

    pub(super) fn finish(self, id: RotationId, result: RotationResult) -> Step {
        (self, vec![RotationEffect::ReleaseLock { id }, RotationEffect::Done { id, result }])
    }
}
