//! Rotation that survives a lost answer: one owner at a time, the keychain read again in each turn, the child saved before it
//! is used, and only `invalid_grant` ends a session. The companion gives the same child for the same parent until the child is
//! presented (`docs/protocol.md` "Token"), so a request may be repeated but a child may not be used before its parent is gone.

use std::time::Duration;

use keyport_core::secret::RefreshToken;
use keyport_core::{AccountId, Lifetime, Moment, Problem, Refreshed, Stored};
use url::Url;

use super::items::KeptSession;
use super::memory::Access;
use super::{Proven, Sessions};
use crate::http::Trouble;
use crate::keychain::{Item, KeychainTrouble};

/// An access token with less than this left is not handed out, and a session is refreshed this long before.
const EARLY: Lifetime = Lifetime::seconds(30);
/// Pauses before each try: the first, and two for lost answers.
const TRIES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(1)];

/// How one turn ended.
enum Turned {
    Fresh {
        until: Moment,
        stored: Stored,
    },
    /// The answer was lost, or the keychain holds a newer session: the same again, in a new turn.
    Again(Problem),
    Later(Problem),
    Ended,
}

impl Sessions {
    /// Refreshes the account's session, unless another process has just done so.
    pub async fn refresh(&self, account: &AccountId) -> Refreshed {
        let known = self.shared.vault.session(account).await.ok().flatten();
        match self.rotate(account, known.map(|session| session.refresh)).await {
            Ok((until, stored)) => Refreshed::Done { refresh_at: before(until), stored },
            Err(Problem::SessionEnded) => Refreshed::Ended,
            Err(problem) => Refreshed::Later(problem),
        }
    }

    /// An access token with some life left in it, from memory or by a refresh.
    ///
    /// # Errors
    /// [`Problem::SessionEnded`] if there is no session; anything else ends nothing.
    pub async fn access_token(&self, account: &AccountId) -> Result<Access, Problem> {
        if let Some(access) = self.usable_access(account) {
            return Ok(access);
        }
        self.rotate(account, None).await?;
        self.usable_access(account).ok_or(Problem::UnexpectedAnswer)
    }

    /// An access token and a proof for one request with it.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token).
    pub async fn proof(
        &self,
        account: &AccountId,
        method: &str,
        url: &Url,
    ) -> Result<Proven, Problem> {
        let access = self.access_token(account).await?;
        let key = self.key_of(account).await?;
        let proof = self.shared.companion.prove(&key, method, url, Some(&access.token))?;
        Ok(Proven { access, proof })
    }

    fn usable_access(&self, account: &AccountId) -> Option<Access> {
        let access = self.shared.memory.access(account)?;
        (before(access.deadline) > self.shared.clock.now()).then_some(access)
    }

    /// `known` is what the keychain held before: if it holds another token in our turn, another process was faster.
    async fn rotate(
        &self,
        account: &AccountId,
        known: Option<RefreshToken>,
    ) -> Result<(Moment, Stored), Problem> {
        let mut last = Problem::Offline;
        for pause in TRIES {
            let pause = Lifetime(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            self.shared.clock.until(self.shared.clock.now().after(pause)).await;
            let turned = {
                let _turn = match self.shared.memory.held(account) {
                    Some(_) if !self.shared.memory.may_be_kept_too(account) => {
                        self.shared.turns.take_here().await
                    }
                    _ => self.shared.turns.take().await?,
                };
                self.rotate_in_turn(account, known.as_ref()).await?
            };
            match turned {
                Turned::Fresh { until, stored } => return Ok((until, stored)),
                Turned::Again(problem) => last = problem,
                Turned::Later(problem) => return Err(problem),
                Turned::Ended => return Err(Problem::SessionEnded),
            }
        }
        Err(last)
    }

    async fn rotate_in_turn(
        &self,
        account: &AccountId,
        known: Option<&RefreshToken>,
    ) -> Result<Turned, Problem> {
        let Some((session, stored)) = self.session_in_turn(account).await? else {
            return Ok(Turned::Ended);
        };
        if !self.is_ours(&session.account) {
            return Ok(Turned::Later(Problem::ServiceRefused));
        }
        let rotated_by_another = known.is_some_and(|known| *known != session.refresh);
        if rotated_by_another && before(session.fresh_until) > self.shared.clock.now() {
            return Ok(Turned::Fresh { until: session.fresh_until, stored });
        }
        let key = self.key_of(account).await?;
        match self.shared.companion.refresh(&key, &session.refresh).await {
            Ok(issued) => {
                let access =
                    Access { token: issued.tokens.access, deadline: issued.tokens.access_deadline };
                let child = KeptSession {
                    refresh: issued.tokens.refresh,
                    fresh_until: access.deadline,
                    account: session.account.clone(),
                };
                Ok(self.put_child_in_place(&session.refresh, child, stored, access).await)
            }
            Err(Trouble::GrantInvalid) => self.end_unless_newer(&session, stored).await,
            Err(Trouble::Problem(problem @ Problem::Offline)) => Ok(Turned::Again(problem)),
            Err(Trouble::Problem(problem)) => Ok(Turned::Later(problem)),
        }
    }

    /// What is the account's session now, whoever wrote it.
    async fn session_in_turn(
        &self,
        account: &AccountId,
    ) -> Result<Option<(KeptSession, Stored)>, Problem> {
        let memory = &self.shared.memory;
        if let Some(held) = memory.held(account) {
            if memory.may_be_kept_too(account) {
                self.take_out_of_keychain(account).await;
            }
            return Ok(Some((held, Stored::Memory)));
        }
        let kept = match self.shared.vault.session(account).await {
            // Nothing can be done with it here or after a restart; only a new sign-in helps.
            Err(KeychainTrouble::Corrupt) => {
                self.shared.vault.set_aside_if_corrupt(&Item::Account(account.clone())).await?;
                self.shared.vault.session(account).await?
            }
            kept => kept?,
        };
        match (kept, memory.settle(account)) {
            // Parent or child: with either the companion goes on.
            (Some(kept), _) => Ok(Some((kept, Stored::Keychain))),
            // The delete that was not answered has happened after all.
            (None, Some(child)) => {
                memory.hold(child.clone());
                Ok(Some((child, Stored::Memory)))
            }
            (None, None) => Ok(None),
        }
    }

    /// Saves the child before it can be used. Where that fails the parent is deleted, or another process would present it after
    /// the child and end the family; where even that fails the child is not used at all.
    async fn put_child_in_place(
        &self,
        parent: &RefreshToken,
        child: KeptSession,
        stored: Stored,
        access: Access,
    ) -> Turned {
        let memory = &self.shared.memory;
        let (account, until) = (child.account.id.clone(), child.fresh_until);
        if stored == Stored::Memory {
            if !memory.rotate(parent, child) {
                return Turned::Again(Problem::ServiceUnavailable);
            }
            memory.remember_access(&account, access);
            return Turned::Fresh { until, stored };
        }
        if memory.holds_newer(&account, parent) {
            return Turned::Again(Problem::ServiceUnavailable);
        }
        let Err(not_saved) = self.shared.vault.replace(&child).await else {
            memory.remember_access(&account, access);
            return Turned::Fresh { until, stored };
        };
        tracing::warn!(cause = %not_saved, "a refreshed session could not be saved");
        memory.remember_access(&account, access);
        match self.shared.vault.delete_session(&account).await {
            Ok(()) => {
                memory.hold(child);
                Turned::Fresh { until, stored: Stored::Memory }
            }
            Err(_) => {
                memory.leave_unsettled(child);
                Turned::Later(not_saved.into())
            }
        }
    }

    /// The companion says that the presented token is over. If the keychain holds another one by now, that one counts.
    async fn end_unless_newer(
        &self,
        presented: &KeptSession,
        stored: Stored,
    ) -> Result<Turned, Problem> {
        let account = &presented.account.id;
        if self.shared.memory.holds_newer(account, &presented.refresh) {
            // A new sign-in has ended this one, and is not to end with it.
            return Ok(Turned::Again(Problem::ServiceUnavailable));
        }
        self.shared.memory.forget(account);
        let now = match stored {
            Stored::Keychain => self.shared.vault.session(account).await?,
            // There may be no keychain at all.
            Stored::Memory => self.shared.vault.session(account).await.ok().flatten(),
        };
        if now.is_some_and(|now| now.refresh != presented.refresh) {
            return Ok(Turned::Again(Problem::ServiceUnavailable));
        }
        if stored == Stored::Keychain
            && let Err(trouble) = self.shared.vault.remove(account).await
        {
            tracing::warn!(cause = %trouble, "an ended session could not be erased");
        }
        tracing::info!("the companion ended the session");
        Ok(Turned::Ended)
    }
}

fn before(moment: Moment) -> Moment {
    Moment(moment.0.saturating_sub(EARLY.0))
}
