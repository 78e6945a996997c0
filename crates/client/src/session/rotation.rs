//! One rotation under one lock: the child is saved before it is used, and only `invalid_grant` ends
//! a session. Takes no lock; the caller's is the proof that it is held.

use keyport_core::secret::RefreshToken;
use keyport_core::{AccountId, Moment, Problem, Stored, Tokens};

use super::Shared;
use super::items::KeptSession;
use super::lock::{ProcessLock, SessionLock, answered};
use super::memory::Access;
use super::refresh::before;
use crate::http::HttpError;
use crate::keychain::{Item, KeychainError};

/// How one rotation ended.
pub(super) enum RotationOutcome {
    Fresh {
        until: Moment,
        stored: Stored,
    },
    /// The answer was lost, or the keychain holds a newer session: the same again, under a new
    /// lock.
    Again(Problem),
    Later(Problem),
    Ended,
}

/// What a rotation is for.
pub(super) enum Wanted {
    /// An access token with some life left, whoever renewed the session.
    Token,
    /// A rotation, unless the keychain holds another token than this one under our lock: then
    /// another process was faster.
    Rotation { known: Option<RefreshToken> },
}

impl Shared {
    pub(super) async fn rotate_with_lock(
        &self,
        lock: &SessionLock,
        account: &AccountId,
        wanted: &Wanted,
    ) -> Result<RotationOutcome, Problem> {
        if let Some(held) = self.memory.held(account) {
            if self.memory.may_be_kept_too(account) {
                self.take_out_of_keychain(lock, account).await;
            }
            return self.rotate_held(lock.here(), held).await;
        }
        let Some(session) = self.kept_session(lock, account).await? else {
            return match self.memory.settle(account) {
                // The delete that was not answered has happened after all.
                Some(child) => {
                    // In its own place: what it may replace is its parent.
                    let _ = self.memory.hold(child.clone());
                    self.rotate_held(lock.here(), child).await
                }
                None => {
                    self.items.forget_lost_tokens(lock, Some(account)).await;
                    Ok(RotationOutcome::Ended)
                }
            };
        };
        // Parent or child: with either the companion goes on.
        self.memory.settle(account);
        self.rotate_kept(lock, session, wanted).await
    }

    pub(super) async fn rotate_held(
        &self,
        _: &ProcessLock,
        session: KeptSession,
    ) -> Result<RotationOutcome, Problem> {
        let account = session.account.id.clone();
        let key = match self.memory.key_of(&account) {
            Some(key) => key,
            // A child that the keychain did not take: its parent was bound to the keychain's key.
            None => self.key_of_kept(&session).await?,
        };
        let issued = match answered(self.companion.refresh(&key, &session.refresh)).await {
            Ok(issued) => issued,
            Err(HttpError::GrantInvalid) => return Ok(self.end_held(&session).await),
            Err(HttpError::Problem(problem)) => return Ok(RotationOutcome::not_now(problem)),
        };
        let (child, access) = session.child(issued);
        let until = child.fresh_until;
        if !self.memory.rotate(&session.refresh, child) {
            return Ok(RotationOutcome::Again(Problem::ServiceUnavailable));
        }
        self.memory.remember_access(&account, access);
        Ok(RotationOutcome::Fresh { until, stored: Stored::Memory })
    }

    async fn rotate_kept(
        &self,
        lock: &SessionLock,
        session: KeptSession,
        wanted: &Wanted,
    ) -> Result<RotationOutcome, Problem> {
        if session.account.issuer != self.companion.issuer().as_str() {
            return Ok(RotationOutcome::Later(Problem::ServiceRefused));
        }
        if self.is_done_by_another(&session, wanted).await {
            let until = session.fresh_until;
            return Ok(RotationOutcome::Fresh { until, stored: Stored::Keychain });
        }
        let key = self.key_of_kept(&session).await?;
        match answered(self.companion.refresh(&key, &session.refresh)).await {
            Ok(issued) => {
                let (mut child, access) = session.child(issued);
                child.key = Some(key.thumbprint());
                Ok(self.put_child_in_place(lock, &session.refresh, child, access).await)
            }
            Err(HttpError::GrantInvalid) => self.end_kept_unless_newer(lock, &session).await,
            Err(HttpError::Problem(problem)) => Ok(RotationOutcome::not_now(problem)),
        }
    }

    async fn is_done_by_another(&self, session: &KeptSession, wanted: &Wanted) -> bool {
        match wanted {
            Wanted::Token => match self.access_of(session).await {
                Some(access) => {
                    self.memory.remember_access(&session.account.id, access);
                    true
                }
                None => false,
            },
            Wanted::Rotation { known: Some(known) } => {
                *known != session.refresh && before(session.fresh_until) > self.clock.now()
            }
            Wanted::Rotation { known: None } => false,
        }
    }

    /// What the keychain holds now, whoever wrote it.
    async fn kept_session(
        &self,
        lock: &SessionLock,
        account: &AccountId,
    ) -> Result<Option<KeptSession>, Problem> {
        match self.items.session(account).await {
            // Nothing can be done with it here or after a restart; only a new sign-in helps.
            Err(KeychainError::Corrupt) => {
                self.items.set_aside_if_corrupt(lock, &Item::Account(account.clone())).await?;
                Ok(self.items.session(account).await?)
            }
            kept => Ok(kept?),
        }
    }

    /// Saves the child before it can be presented. Where that fails its parent stays: the companion
    /// gives the same child for it again, to this process or the next one, as long as the child was
    /// not presented. The access token is good either way.
    async fn put_child_in_place(
        &self,
        lock: &SessionLock,
        parent: &RefreshToken,
        child: KeptSession,
        access: Access,
    ) -> RotationOutcome {
        let memory = &self.memory;
        let (account, until) = (child.account.id.clone(), child.fresh_until);
        if memory.holds_newer(&account, parent) {
            return RotationOutcome::Again(Problem::ServiceUnavailable);
        }
        match self.items.replace(lock, &child).await {
            Ok(()) => self.keep_access(lock, &child, &access).await,
            Err(cause) => {
                tracing::warn!(%cause, "a refreshed session could not be saved; its parent stays");
                memory.leave_unsettled(child);
            }
        }
        memory.remember_access(&account, access);
        RotationOutcome::Fresh { until, stored: Stored::Keychain }
    }

    /// The companion says that the presented token of a session in memory is over.
    async fn end_held(&self, presented: &KeptSession) -> RotationOutcome {
        let account = &presented.account.id;
        if self.memory.holds_newer(account, &presented.refresh) {
            return RotationOutcome::Again(Problem::ServiceUnavailable);
        }
        self.memory.forget(account);
        // There may be no keychain at all.
        let kept = self.items.session(account).await.ok().flatten();
        if kept.is_some_and(|kept| kept.refresh != presented.refresh) {
            return RotationOutcome::Again(Problem::ServiceUnavailable);
        }
        tracing::info!("the companion ended the session");
        RotationOutcome::Ended
    }

    /// The companion says that the presented token of a kept session is over. A newer session that
    /// a new sign-in has left in memory or in the keychain is not to end with it.
    async fn end_kept_unless_newer(
        &self,
        lock: &SessionLock,
        presented: &KeptSession,
    ) -> Result<RotationOutcome, Problem> {
        let account = &presented.account.id;
        if self.memory.holds_newer(account, &presented.refresh) {
            return Ok(RotationOutcome::Again(Problem::ServiceUnavailable));
        }
        self.memory.forget(account);
        let kept = self.items.session(account).await?;
        if kept.is_some_and(|kept| kept.refresh != presented.refresh) {
            return Ok(RotationOutcome::Again(Problem::ServiceUnavailable));
        }
        if let Err(error) = self.items.remove(lock, account).await {
            tracing::warn!(cause = %error, "an ended session could not be erased");
        }
        tracing::info!("the companion ended the session");
        Ok(RotationOutcome::Ended)
    }
}

impl KeptSession {
    fn child(&self, issued: Tokens) -> (Self, Access) {
        let deadline = issued.access_deadline;
        let access = Access { token: issued.access, deadline };
        let child = Self {
            refresh: issued.refresh,
            fresh_until: deadline,
            account: self.account.clone(),
            key: self.key.clone(),
        };
        (child, access)
    }
}

impl RotationOutcome {
    fn not_now(problem: Problem) -> Self {
        match problem {
            Problem::Offline => Self::Again(problem),
            problem => Self::Later(problem),
        }
    }
}
