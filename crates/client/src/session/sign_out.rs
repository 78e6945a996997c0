//! The end of a session that the person asked for: here, then at the companion. What a keychain
//! that could not be asked may still hold is left [`unfinished`](super::unfinished).

use keyport_core::rotation::KeptSession;
use keyport_core::{AccountId, Problem};

use super::Sessions;
use super::left::LeftSession;
use super::lock::SessionLock;
use crate::http::REVOKE;

/// How far a sign-out reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// Nothing is left of the session.
    Everywhere,
    /// Nothing is left here. The companion was not told; it is told later, where the keychain kept
    /// the session ([`Sessions::end_left_sessions`]).
    HereOnly,
}

impl Sessions {
    /// Ends the session here, then at the companion. Offline, it is still over here: revoking is
    /// one try of at most 3 seconds, and what it does not reach is noted by its name.
    ///
    /// # Errors
    /// When the keychain may still hold it: then it ends as soon as the keychain is read again, by
    /// [`load`](Self::load) or [`accounts`](Self::accounts), if this process lives until then.
    pub async fn sign_out(&self, account: &AccountId) -> Result<SignedOut, Problem> {
        let (memory, asked) = (&self.shared.memory, self.shared.clock.now());
        let held = memory.forget(account);
        let was_held = !held.is_empty();
        let lock = self.locks.take().await;
        let read = self.shared.items.session(account).await;
        let is_absent = matches!(read, Ok(None));
        let kept = read.ok().flatten();
        let erased = match lock {
            Ok(lock) => self.take_out(&lock, account).await,
            // Read without the lock: a session that was never kept needs none to end.
            Err(_) if was_held && is_absent => Ok(()),
            Err(problem) => Err(problem),
        };
        if erased.is_err() {
            self.shared.unfinished.left().sign_outs.insert(account.clone(), asked);
        }
        // Once more: a refresh that was under way has left its access token meanwhile.
        memory.forget(account);
        let signed_out = self.revoke_all(held.into_iter().chain(kept)).await;
        match erased {
            // In a keychain that is not there nothing stands, if nothing was written to it.
            Err(Problem::KeychainAbsent) if was_held && !memory.may_be_kept_too(account) => {
                Ok(signed_out)
            }
            erased => erased.map(|()| signed_out),
        }
    }

    pub(super) async fn take_out(
        &self,
        lock: &SessionLock,
        account: &AccountId,
    ) -> Result<(), Problem> {
        self.shared.items.remove(lock, account).await?;
        self.shared.memory.settle_item(account);
        self.shared.unfinished.sign_out_is_over(account);
        Ok(())
    }

    async fn revoke_all(&self, sessions: impl Iterator<Item = KeptSession>) -> SignedOut {
        let (mut signed_out, mut left) = (SignedOut::Everywhere, Vec::new());
        for session in sessions {
            let revoking = self.revoke(&session.refresh);
            match tokio::time::timeout(REVOKE, revoking).await {
                Ok(Ok(())) => tracing::info!("session revoked"),
                Ok(Err(_)) | Err(_) => {
                    tracing::info!("signed out here; not revoked at the companion");
                    signed_out = SignedOut::HereOnly;
                    left.extend(LeftSession::of(&session, self.shared.clock.now()));
                }
            }
        }
        self.note_left(&left).await;
        signed_out
    }
}
