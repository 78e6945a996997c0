//! Where the person of an account is signed in, and ending that: the companion lists and ends it.

use std::sync::Arc;

use keyport_core::secret::AccessToken;
use keyport_core::{AccountId, DeviceSession, Problem, Refreshed};

use super::{Sessions, SignedOut};
use crate::http::{DeviceKey, Resource};

impl Sessions {
    /// Every living session of the account's person, this one first.
    ///
    /// # Errors
    /// Why they cannot be listed; one that [ends the session](Problem::ends_session) if the
    /// account's own is over.
    pub async fn device_sessions(
        &self,
        account: &AccountId,
    ) -> Result<Vec<DeviceSession>, Problem> {
        let companion = &self.shared.companion;
        let list = |key: Arc<DeviceKey>, token: AccessToken| async move {
            companion.sessions(&key, &token).await
        };
        self.with_access(account, list).await
    }

    /// Ends one of [`device_sessions`](Self::device_sessions) that is not this one. One that is
    /// over is as good as ended.
    ///
    /// # Errors
    /// As [`device_sessions`](Self::device_sessions).
    pub async fn end_device_session(
        &self,
        account: &AccountId,
        session: &str,
    ) -> Result<(), Problem> {
        self.end(account, Some(session)).await
    }

    /// Signs the account's person out on every device, then here.
    ///
    /// # Errors
    /// When the companion did not do it: then nothing has changed here either. As
    /// [`sign_out`](Self::sign_out) when the keychain may still hold this session, which is over.
    pub async fn sign_out_everywhere(&self, account: &AccountId) -> Result<SignedOut, Problem> {
        self.end(account, None).await?;
        self.sign_out(account).await
    }

    async fn end(&self, account: &AccountId, session: Option<&str>) -> Result<(), Problem> {
        let companion = &self.shared.companion;
        let end = |key: Arc<DeviceKey>, token: AccessToken| async move {
            companion.end_sessions(session, &key, &token).await
        };
        self.with_access(account, end).await
    }

    /// Asks with an access token. One that is refused was taken back before its time: the refresh
    /// says whether the session is over, and gives another one if it is not.
    async fn with_access<T, A>(
        &self,
        account: &AccountId,
        ask: impl Fn(Arc<DeviceKey>, AccessToken) -> A,
    ) -> Result<T, Problem>
    where
        A: Future<Output = Result<Resource<T>, Problem>>,
    {
        for _ in 0..2 {
            let access = self.access_token(account).await?;
            let key = self.key_of(account).await?;
            if let Resource::Answered(answer) = ask(key, access.token).await? {
                return Ok(answer);
            }
            match self.refresh(account).await {
                Refreshed::Done { .. } => {}
                Refreshed::Later(problem) | Refreshed::Ended(problem) => return Err(problem),
            }
        }
        Err(Problem::ServiceRefused)
    }
}
