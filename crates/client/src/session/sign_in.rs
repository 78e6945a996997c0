//! From the code to the kept session, under one lock. The companion ends the older session of a
//! person and a device key when it redeems a code (`docs/protocol.md` "Token"), so redeeming is as
//! much a write to what is kept as saving is: with a lock for each of the two, another sign-in
//! could redeem in between and save before, and the session that is kept would be the one that was
//! ended.

use std::sync::Arc;

use keyport_core::rotation::Access;
use keyport_core::secret::{AuthorizationCode, CodeVerifier, RefreshToken};
use keyport_core::{AccountId, AttemptId, NewSession, Problem, SessionStore};
use tokio::time::timeout;
use url::Url;

use super::items::KeptSession;
use super::lock::{SessionLock, answered};
use super::{Sessions, Shared};
use crate::http::{DeviceKey, HttpError, REVOKE, Unkept};

/// The right to save one new session: the lock under which its code was redeemed, or why there was
/// none. Dropping it lets the next one in, and revokes a session that was not taken.
#[must_use = "other programs wait until it is dropped"]
pub struct SaveLock {
    lock: Result<SessionLock, Problem>,
    unkept: Unkept,
}

impl SaveLock {
    /// From here on the caller saves, holds or revokes the session.
    pub(crate) fn session_is_taken(&mut self) {
        self.unkept.keep();
    }
}

/// What to do with a code whose session could not be kept, because the lock is not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutLock {
    /// Redeem it: the session lives in memory, and this process lives on.
    HoldInMemory,
    /// Leave it: this process ends after its sign-in, and the earlier session lives on.
    Refuse,
}

/// A session that is kept, under the lock under which it was saved.
#[must_use = "what follows a save is to be done"]
pub(crate) struct SavedSession {
    lock: SessionLock,
    shared: Arc<Shared>,
    kept: KeptSession,
    access: Access,
    replaced: Option<RefreshToken>,
}

impl SavedSession {
    /// What can follow, under the same lock: the access token is kept, those of lost sessions are
    /// forgotten. A session that was replaced and that the companion does not end of itself is
    /// revoked: one try of at most 3 s, for which no other program waits.
    pub(crate) async fn finish(self) {
        let Self { lock, shared, kept, access, replaced } = self;
        shared.keep_access(&lock, &kept, &access).await;
        shared.items.forget_lost_tokens(&lock, None).await;
        drop(lock);
        if let Some(token) = replaced
            && !matches!(timeout(REVOKE, shared.companion.revoke(&token)).await, Ok(Ok(())))
        {
            tracing::info!("a session that was replaced could not be revoked");
        }
    }
}

impl Sessions {
    /// Redeems a code for a session that is not kept anywhere yet. With
    /// [`SessionStore::Keychain`] that waits for the lock first, 25 s at most, and
    /// [`save`](Self::save) then waits for nothing.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn redeem_code(
        &self,
        (key, redirect_uri): (Arc<DeviceKey>, Url),
        (code, verifier): (&AuthorizationCode, &CodeVerifier),
        store: SessionStore,
        without_lock: WithoutLock,
    ) -> Result<(NewSession, SaveLock), Problem> {
        let lock = match store {
            SessionStore::Keychain => self.locks.take().await,
            SessionStore::Memory => Err(Problem::Internal),
        };
        if let (SessionStore::Keychain, Err(problem), WithoutLock::Refuse) =
            (store, &lock, without_lock)
        {
            return Err(*problem);
        }
        let companion = &self.shared.companion;
        let refused = |error: HttpError| error.as_problem(Problem::LinkExpired);
        let exchange = companion.exchange_code(&key, redirect_uri, code, verifier);
        let issued = answered(exchange).await.map_err(refused)?;
        let account = match companion.account_of(&key, &issued).await {
            Ok(account) => account,
            Err(error) => {
                tracing::warn!(%error, "nothing says whose session it is");
                issued.revoke().await;
                return Err(error.as_problem(Problem::UnexpectedAnswer));
            }
        };
        let (tokens, unkept) = issued.into_parts();
        self.shared.memory.exchanged(&tokens.refresh, key);
        Ok((NewSession { account, tokens }, SaveLock { lock, unkept }))
    }

    /// Forgets the kept attempt whose code was redeemed, under the same lock and before the session
    /// is kept: a process that is killed between the two waits for no link that was used.
    pub(crate) async fn forget_redeemed(&self, attempt: &AttemptId, lock: &SaveLock) {
        if let Ok(lock) = &lock.lock
            && let Err(error) = self.shared.items.forget_attempt(lock, attempt).await
        {
            tracing::warn!(cause = %error, "a kept attempt could not be forgotten");
        }
    }

    /// Writes a new session to the keychain; its account becomes the current one. Without a lock
    /// nothing is changed, in the keychain or in memory. Where it fails the session is still the
    /// caller's, to [`hold`](Self::hold) or to [`revoke`](Self::revoke).
    ///
    /// # Errors
    /// When it is not there, or not surely.
    pub async fn save(&self, session: &NewSession, lock: SaveLock) -> Result<(), Problem> {
        self.put(session, lock).await?.finish().await;
        Ok(())
    }

    /// As [`save`](Self::save), up to the moment when the session is kept: with a keychain that
    /// answers slowly, what follows takes as long again, and nothing of it decides about the
    /// session.
    pub(crate) async fn put(
        &self,
        session: &NewSession,
        mut lock: SaveLock,
    ) -> Result<SavedSession, Problem> {
        lock.session_is_taken();
        let lock = lock.lock?;
        let (kept, replaced) = self.shared.save(&lock, session).await?;
        let (shared, access) = (self.shared.clone(), access_of(session));
        Ok(SavedSession { lock, shared, kept, access, replaced })
    }

    /// Keeps a new session in memory. One of the same account that was held there is over.
    pub fn hold(&self, session: &NewSession) {
        for replaced in self.shared.memory.hold(kept_of(session), access_of(session)) {
            self.shared.companion.abandon(replaced);
        }
    }
}

impl Shared {
    /// Gives what is kept now, and the token of the session that it replaced if that is to be
    /// revoked.
    async fn save(
        &self,
        lock: &SessionLock,
        session: &NewSession,
    ) -> Result<(KeptSession, Option<RefreshToken>), Problem> {
        let (memory, items) = (&self.memory, &self.items);
        let mut kept = kept_of(session);
        if let Some(key) = memory.key_of_exchanged(&kept.refresh) {
            self.keep_device_key(lock, &key).await?;
            kept.key = Some(key.thumbprint());
        }
        // Before the write and not after: a save that takes too long is given up, and the session
        // is held meanwhile.
        for replaced in memory.begin_save(&kept.account.id) {
            // It may be bound to another device key; only of the same one does the companion end
            // it of itself.
            self.companion.abandon(replaced);
        }
        // What was to end is replaced now, or taken out with what could not be saved.
        self.unfinished.sign_out_is_over(&kept.account.id);
        let replaced = self.bound_to_another_key(&kept).await;
        if let Err(error) = items.add(lock, &kept).await {
            // What was asked may still happen, and would be an old token beside the one that lives
            // on in memory.
            if self.take_out_of_keychain(lock, &kept.account.id).await {
                memory.settle_item(&kept.account.id);
            }
            // Nothing can be done with it here any more, wherever it stands.
            replaced.into_iter().for_each(|token| self.companion.abandon(token));
            return Err(error.into());
        }
        memory.settle_item(&kept.account.id);
        self.remember_access(session);
        Ok((kept, replaced))
    }

    /// The session in whose place this one comes, if it is bound to another device key: only of the
    /// same one does the companion end it of itself, and the other is not kept any more.
    async fn bound_to_another_key(&self, new: &KeptSession) -> Option<RefreshToken> {
        let older = self.items.session(&new.account.id).await.ok().flatten()?;
        let is_ours = older.account.issuer == new.account.issuer;
        (is_ours && new.key.is_some() && older.key != new.key).then_some(older.refresh)
    }

    /// As far as the keychain answers; what is not done is tried again before the session is next
    /// rotated.
    pub(super) async fn take_out_of_keychain(
        &self,
        lock: &SessionLock,
        account: &AccountId,
    ) -> bool {
        match self.items.remove(lock, account).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(cause = %error, "the keychain may hold an old session");
                false
            }
        }
    }

    fn remember_access(&self, session: &NewSession) {
        self.memory.remember_access(&session.account.id, access_of(session));
    }
}

fn access_of(session: &NewSession) -> Access {
    Access { token: session.tokens.access.clone(), deadline: session.tokens.access_deadline }
}

fn kept_of(session: &NewSession) -> KeptSession {
    KeptSession {
        account: session.account.clone(),
        refresh: session.tokens.refresh.clone(),
        fresh_until: session.tokens.access_deadline,
        key: None,
        session: session.tokens.session.clone(),
    }
}
