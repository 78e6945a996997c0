//! Rotation that survives a lost answer: one owner at a time, the keychain read again under each
//! lock, the child saved before it is used, and only `invalid_grant` ends a session. The companion
//! gives the same child for the same parent until the child is presented (`docs/protocol.md`
//! "Token"), so a request may be repeated but a child may not be used before its parent is gone.

use std::time::Duration;

use keyport_core::{AccountId, Lifetime, Moment, Problem, Refreshed, Stored};
use url::Url;

use super::memory::Access;
use super::rotation::{RotationOutcome, Wanted};
use super::{Proven, Sessions};

/// An access token with less than this left is not handed out, and a session is refreshed this long
/// before.
const EARLY: Lifetime = Lifetime::seconds(30);
/// Pauses before each try: the first, and two for lost answers.
const TRIES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(1)];

/// No further try begins after this long: a companion that does not answer is said, not waited for.
const LAST_TRY: Lifetime = Lifetime::seconds(8);

impl Sessions {
    /// Refreshes the account's session, unless another process has just done so.
    pub async fn refresh(&self, account: &AccountId) -> Refreshed {
        let known = self.shared.items.session(account).await.ok().flatten();
        let known = known.map(|session| session.refresh);
        match self.rotate(account, &Wanted::Rotation { known }).await {
            Ok((until, stored)) => Refreshed::Done { refresh_at: before(until), stored },
            Err(Problem::SessionEnded) => Refreshed::Ended,
            Err(problem) => Refreshed::Later(problem),
        }
    }

    /// An access token with some life left in it: from memory, from the keychain or by a refresh.
    /// Only the refresh takes the lock.
    ///
    /// # Errors
    /// [`Problem::SessionEnded`] if there is no session; anything else ends nothing.
    pub async fn access_token(&self, account: &AccountId) -> Result<Access, Problem> {
        if let Some(access) = self.usable_access(account) {
            return Ok(access);
        }
        if let Some(access) = self.shared.kept_access(account).await {
            self.shared.memory.remember_access(account, access.clone());
            return Ok(access);
        }
        self.rotate(account, &Wanted::Token).await?;
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
        self.shared.companion.learn_nonce(&key, &access.token, url).await;
        let proof = self.shared.companion.prove(&key, method, url, Some(&access.token))?;
        Ok(Proven { access, proof })
    }

    fn usable_access(&self, account: &AccountId) -> Option<Access> {
        let access = self.shared.memory.access(account)?;
        (before(access.deadline) > self.shared.clock.now()).then_some(access)
    }

    async fn rotate(
        &self,
        account: &AccountId,
        wanted: &Wanted,
    ) -> Result<(Moment, Stored), Problem> {
        let mut last = Problem::Offline;
        // Before the lock is taken, which others wait for. What it fails with is met again there.
        let last_try = self.shared.clock.now().after(LAST_TRY);
        let _ = self.shared.companion.find().await;
        for pause in TRIES {
            let pause = Lifetime(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            if pause.0 > 0 && self.shared.clock.now() > last_try {
                break;
            }
            self.shared.clock.until(self.shared.clock.now().after(pause)).await;
            let turned = self.rotate_once(account, wanted).await?;
            match turned {
                RotationOutcome::Fresh { until, stored } => return Ok((until, stored)),
                RotationOutcome::Again(problem) => last = problem,
                RotationOutcome::Later(problem) => return Err(problem),
                RotationOutcome::Ended => return Err(Problem::SessionEnded),
            }
        }
        Err(last)
    }

    async fn rotate_once(
        &self,
        account: &AccountId,
        wanted: &Wanted,
    ) -> Result<RotationOutcome, Problem> {
        let memory = &self.shared.memory;
        if memory.held(account).is_some() && !memory.may_be_kept_too(account) {
            let here = self.locks.take_process_lock().await?;
            if let Some(held) = memory.held(account) {
                return self.shared.rotate_held(&here, held).await;
            }
        }
        let lock = self.locks.take().await?;
        self.shared.rotate_with_lock(&lock, account, wanted).await
    }
}

/// When a token or session with this deadline is renewed.
pub(super) fn before(moment: Moment) -> Moment {
    Moment(moment.0.saturating_sub(EARLY.0))
}
