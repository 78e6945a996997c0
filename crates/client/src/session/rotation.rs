//! One rotation in one turn: the child is saved before it is used, and only `invalid_grant` ends a
//! session. Takes no turn; the caller's is the proof that it has one.

use keyport_core::secret::RefreshToken;
use keyport_core::{AccountId, Moment, Problem, Stored, Tokens};

use super::Shared;
use super::items::KeptSession;
use super::memory::Access;
use super::refresh::before;
use super::turn::{HereTurn, Turn, answered};
use crate::http::Trouble;
use crate::keychain::{Item, KeychainTrouble};

/// How one turn ended.
pub(super) enum Turned {
    Fresh {
        until: Moment,
        stored: Stored,
    },
    /// The answer was lost, or the keychain holds a newer session: the same again, in a new turn.
    Again(Problem),
    Later(Problem),
    Ended,
}

/// What a rotation is for.
pub(super) enum Wanted {
    /// An access token with some life left, whoever renewed the session.
    Token,
    /// A rotation, unless the keychain holds another token than this one in our turn: then another
    /// process was faster.
    Rotation { known: Option<RefreshToken> },
}

impl Shared {
    pub(super) async fn rotate_in_turn(
        &self,
        turn: &Turn,
        account: &AccountId,
        wanted: &Wanted,
    ) -> Result<Turned, Problem> {
        if let Some(held) = self.memory.held(account) {
            if self.memory.may_be_kept_too(account) {
                self.take_out_of_keychain(turn, account).await;
            }
            return self.rotate_held(turn.here(), held).await;
        }
        let Some(session) = self.kept_session(turn, account).await? else {
            return match self.memory.settle(account) {
                // The delete that was not answered has happened after all.
                Some(child) => {
                    // In its own place: what it may replace is its parent.
                    let _ = self.memory.hold(child.clone());
                    self.rotate_held(turn.here(), child).await
                }
                None => {
                    self.vault.forget_lost_tokens(turn, Some(account)).await;
                    Ok(Turned::Ended)
                }
            };
        };
        // Parent or child: with either the companion goes on.
        self.memory.settle(account);
        self.rotate_kept(turn, session, wanted).await
    }

    pub(super) async fn rotate_held(
        &self,
        _: &HereTurn,
        session: KeptSession,
    ) -> Result<Turned, Problem> {
        let account = session.account.id.clone();
        let key = match self.memory.key_of(&account) {
            Some(key) => key,
            // A child that the keychain did not take: its parent was bound to the keychain's key.
            None => self.key_of_kept(&session).await?,
        };
        let issued = match answered(self.companion.refresh(&key, &session.refresh)).await {
            Ok(issued) => issued,
            Err(Trouble::GrantInvalid) => return Ok(self.end_held(&session).await),
            Err(Trouble::Problem(problem)) => return Ok(Turned::not_now(problem)),
        };
        let (child, access) = session.child(issued);
        let until = child.fresh_until;
        if !self.memory.rotate(&session.refresh, child) {
            return Ok(Turned::Again(Problem::ServiceUnavailable));
        }
        self.memory.remember_access(&account, access);
        Ok(Turned::Fresh { until, stored: Stored::Memory })
    }

    async fn rotate_kept(
        &self,
        turn: &Turn,
        session: KeptSession,
        wanted: &Wanted,
    ) -> Result<Turned, Problem> {
        if session.account.issuer != self.companion.issuer().as_str() {
            return Ok(Turned::Later(Problem::ServiceRefused));
        }
        if self.is_done_by_another(&session, wanted).await {
            let until = session.fresh_until;
            return Ok(Turned::Fresh { until, stored: Stored::Keychain });
        }
        let key = self.key_of_kept(&session).await?;
        match answered(self.companion.refresh(&key, &session.refresh)).await {
            Ok(issued) => {
                let (mut child, access) = session.child(issued);
                child.key = Some(key.thumbprint());
                Ok(self.put_child_in_place(turn, &session.refresh, child, access).await)
            }
            Err(Trouble::GrantInvalid) => self.end_kept_unless_newer(turn, &session).await,
            Err(Trouble::Problem(problem)) => Ok(Turned::not_now(problem)),
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
        turn: &Turn,
        account: &AccountId,
    ) -> Result<Option<KeptSession>, Problem> {
        match self.vault.session(account).await {
            // Nothing can be done with it here or after a restart; only a new sign-in helps.
            Err(KeychainTrouble::Corrupt) => {
                self.vault.set_aside_if_corrupt(turn, &Item::Account(account.clone())).await?;
                Ok(self.vault.session(account).await?)
            }
            kept => Ok(kept?),
        }
    }

    /// Saves the child before it can be presented. Where that fails its parent stays: the companion
    /// gives the same child for it again, to this process or the next one, as long as the child was
    /// not presented. The access token is good either way.
    async fn put_child_in_place(
        &self,
        turn: &Turn,
        parent: &RefreshToken,
        child: KeptSession,
        access: Access,
    ) -> Turned {
        let memory = &self.memory;
        let (account, until) = (child.account.id.clone(), child.fresh_until);
        if memory.holds_newer(&account, parent) {
            return Turned::Again(Problem::ServiceUnavailable);
        }
        match self.vault.replace(turn, &child).await {
            Ok(()) => self.keep_access(turn, &child, &access).await,
            Err(cause) => {
                tracing::warn!(%cause, "a refreshed session could not be saved; its parent stays");
                memory.leave_unsettled(child);
            }
        }
        memory.remember_access(&account, access);
        Turned::Fresh { until, stored: Stored::Keychain }
    }

    /// The companion says that the presented token of a session in memory is over.
    async fn end_held(&self, presented: &KeptSession) -> Turned {
        let account = &presented.account.id;
        if self.memory.holds_newer(account, &presented.refresh) {
            return Turned::Again(Problem::ServiceUnavailable);
        }
        self.memory.forget(account);
        // There may be no keychain at all.
        let kept = self.vault.session(account).await.ok().flatten();
        if kept.is_some_and(|kept| kept.refresh != presented.refresh) {
            return Turned::Again(Problem::ServiceUnavailable);
        }
        tracing::info!("the companion ended the session");
        Turned::Ended
    }

    /// The companion says that the presented token of a kept session is over. A newer session that
    /// a new sign-in has left in memory or in the keychain is not to end with it.
    async fn end_kept_unless_newer(
        &self,
        turn: &Turn,
        presented: &KeptSession,
    ) -> Result<Turned, Problem> {
        let account = &presented.account.id;
        if self.memory.holds_newer(account, &presented.refresh) {
            return Ok(Turned::Again(Problem::ServiceUnavailable));
        }
        self.memory.forget(account);
        let kept = self.vault.session(account).await?;
        if kept.is_some_and(|kept| kept.refresh != presented.refresh) {
            return Ok(Turned::Again(Problem::ServiceUnavailable));
        }
        if let Err(trouble) = self.vault.remove(turn, account).await {
            tracing::warn!(cause = %trouble, "an ended session could not be erased");
        }
        tracing::info!("the companion ended the session");
        Ok(Turned::Ended)
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

impl Turned {
    fn not_now(problem: Problem) -> Self {
        match problem {
            Problem::Offline => Self::Again(problem),
            problem => Self::Later(problem),
        }
    }
}
