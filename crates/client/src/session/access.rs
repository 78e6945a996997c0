//! The access token of a session in the keychain, kept beside it until it is due: so that processes
//! that live for a moment do not renew the session each. Reading it takes no turn.

use keyport_core::AccountId;

use super::Shared;
use super::items::{KeptAccess, KeptSession};
use super::memory::Access;
use super::refresh::before;
use super::turn::Turn;
use crate::keychain::KeychainTrouble;

impl Shared {
    /// The kept access token, if it came with what the keychain holds now and has some life left.
    /// Anything that cannot be read is as good as none.
    pub(super) async fn kept_access(&self, account: &AccountId) -> Option<Access> {
        if self.memory.held(account).is_some() {
            return None;
        }
        let session = self.vault.session(account).await.ok()??;
        self.access_of(&session).await
    }

    /// As [`kept_access`](Self::kept_access), for a session that was read before.
    pub(super) async fn access_of(&self, session: &KeptSession) -> Option<Access> {
        if session.account.issuer != self.companion.issuer().as_str() {
            return None;
        }
        let now = self.clock.now();
        let kept = self.vault.access(&session.account.id).await.ok()??;
        let access = kept.of_session(session, now)?;
        // Without the device key nothing can be done with it.
        let is_usable = before(access.deadline) > now && self.key_of_kept(session).await.is_ok();
        is_usable.then_some(access)
    }

    /// Keeps the access token that came with `session`, which the keychain holds already: the other
    /// way round a crash would leave the token of a session that is not there. Where it cannot be
    /// kept, each process renews the session for itself.
    pub(super) async fn keep_access(&self, turn: &Turn, session: &KeptSession, access: &Access) {
        let kept = KeptAccess::of(access, session, self.clock.now());
        match self.vault.put_access(turn, &session.account.id, &kept).await {
            Ok(()) => {}
            Err(KeychainTrouble::TooLarge) => {
                tracing::debug!("the access token is too large for a keychain item");
            }
            Err(trouble) => tracing::warn!(cause = %trouble, "an access token is not kept"),
        }
    }
}
