//! Rotation that survives a lost answer: one owner at a time, the keychain read again under each
//! lock, the child saved before it is used, and only `invalid_grant` ends a session. The companion
//! gives the same child for the same parent until the child is presented (`docs/protocol.md`
//! "Token"), so a request may be repeated but a child may not be used before its parent is gone.

use keyport_core::rotation::{Access, RotationGoal, refresh_at};
use keyport_core::{AccountId, Problem, Refreshed};
use url::Url;

use super::{Proven, Sessions};

impl Sessions {
    /// Refreshes the account's session, unless another process has just done so.
    pub async fn refresh(&self, account: &AccountId) -> Refreshed {
        let known = self.shared.items.session(account).await.ok().flatten();
        let known = known.map(|session| session.refresh);
        match self.rotate(account, RotationGoal::Rotation { known }).await {
            Ok((until, stored)) => Refreshed::Done { refresh_at: refresh_at(until), stored },
            Err(why) if why.ends_session() => Refreshed::Ended(why),
            Err(problem) => Refreshed::Later(problem),
        }
    }

    /// An access token with some life left in it: from memory, from the keychain or by a refresh.
    /// Only the refresh takes the lock.
    ///
    /// # Errors
    /// One that [ends the session](Problem::ends_session) if there is none any more; anything else
    /// ends nothing.
    pub async fn access_token(&self, account: &AccountId) -> Result<Access, Problem> {
        if let Some(access) = self.shared.memory.usable_access(account) {
            return Ok(access);
        }
        if let Some(access) = self.shared.kept_access(account).await {
            self.shared.memory.remember_access(account, access.clone());
            return Ok(access);
        }
        self.rotate(account, RotationGoal::AccessToken).await?;
        self.shared.memory.usable_access(account).ok_or(Problem::UnexpectedAnswer)
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
}
