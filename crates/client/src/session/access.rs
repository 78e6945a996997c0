//! The access token of a session in the keychain, kept beside it until it is due: so that processes
//! that live for a moment do not renew the session each. Reading it takes no lock.

use std::time::Duration;

use keyport_core::rotation::{Access, refresh_at};
use keyport_core::secret::{AccessToken, RefreshToken};
use keyport_core::{AccountId, Moment};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Shared;
use super::items::{Borrowed, Kept, KeptSession, json, read};
use super::lock::SessionLock;
use crate::keychain::{KeychainError, SecretBytes};

/// Two processes read the clock of one device this far apart at most, unless it was set.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

/// The access token of one session, until it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptAccess {
    token: AccessToken,
    deadline: Moment,
    issued_at: Moment,
    /// Names the refresh token that it came with, without telling it.
    came_with: String,
}

impl KeptAccess {
    /// `session` is the one that the token came with.
    pub(super) fn of(access: &Access, session: &KeptSession, issued_at: Moment) -> Self {
        Self {
            token: access.token.clone(),
            deadline: access.deadline,
            issued_at,
            came_with: name_of(&session.refresh),
        }
    }

    /// The token if it came with what `session` holds now, and was not issued in the future: a
    /// clock that was set back says nothing about how long the token works.
    pub(super) fn of_session(self, session: &KeptSession, now: Moment) -> Option<Access> {
        let is_of_it = self.came_with == name_of(&session.refresh);
        let is_plausible = self.issued_at <= now.after(CLOCKS_DIFFER);
        (is_of_it && is_plausible).then_some(Access { token: self.token, deadline: self.deadline })
    }
}

/// The first 128 bits of SHA-256: a refresh token holds more randomness than can be guessed.
pub(super) fn name_of(refresh: &RefreshToken) -> String {
    let digest = Sha256::digest(refresh.expose());
    base16ct::lower::encode_string(&digest[..16])
}

#[derive(Serialize, Deserialize)]
struct AccessRecord<'a> {
    #[serde(borrow)]
    access_token: Borrowed<'a>,
    deadline: Moment,
    issued_at: Moment,
    came_with: String,
}

impl Kept for KeptAccess {
    fn to_bytes(&self) -> Result<SecretBytes, KeychainError> {
        json(&AccessRecord {
            access_token: self.token.expose(),
            deadline: self.deadline,
            issued_at: self.issued_at,
            came_with: self.came_with.clone(),
        })
    }

    fn of_bytes(bytes: &SecretBytes) -> Result<Self, KeychainError> {
        let record: AccessRecord<'_> = read(bytes)?;
        Ok(Self {
            token: AccessToken::new(record.access_token),
            deadline: record.deadline,
            issued_at: record.issued_at,
            came_with: record.came_with,
        })
    }
}

impl Shared {
    /// The kept access token, if it came with what the keychain holds now and has some life left.
    /// Anything that cannot be read is as good as none.
    pub(super) async fn kept_access(&self, account: &AccountId) -> Option<Access> {
        if self.memory.held(account).is_some() {
            return None;
        }
        let session = self.items.session(account).await.ok()??;
        self.access_of(&session).await
    }

    /// As [`kept_access`](Self::kept_access), for a session that was read before.
    pub(super) async fn access_of(&self, session: &KeptSession) -> Option<Access> {
        if session.account.issuer != self.companion.issuer().as_str() {
            return None;
        }
        let now = self.clock.now();
        let kept = self.items.access(&session.account.id).await.ok()??;
        let access = kept.of_session(session, now)?;
        // Without the device key nothing can be done with it.
        let is_usable =
            refresh_at(access.deadline) > now && self.key_of_kept(session).await.is_ok();
        is_usable.then_some(access)
    }

    /// Keeps the access token that came with `session`, which the keychain holds already: the other
    /// way round a crash would leave the token of a session that is not there. Where it cannot be
    /// kept, each process renews the session for itself.
    pub(super) async fn keep_access(
        &self,
        lock: &SessionLock,
        session: &KeptSession,
        access: &Access,
    ) {
        let kept = KeptAccess::of(access, session, self.clock.now());
        match self.items.put_access(lock, &session.account.id, &kept).await {
            Ok(()) => {}
            Err(KeychainError::TooLarge) => {
                tracing::debug!("the access token is too large for a keychain item");
            }
            Err(error) => tracing::warn!(cause = %error, "an access token is not kept"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::items::tests::session;
    use super::*;
    use crate::keychain::LARGEST;

    fn access(token: &str) -> Access {
        Access { token: AccessToken::new(token), deadline: Moment(300_000) }
    }

    #[test]
    fn kept_tokens_come_back_and_unparsable_ones_are_corrupt() {
        let kept = KeptAccess::of(&access("at"), &session(), Moment(3));
        assert_eq!(KeptAccess::of_bytes(&kept.to_bytes().unwrap()), Ok(kept));
        for bytes in ["", "{}", "null", "[1]"] {
            let bytes = SecretBytes::new(bytes.as_bytes());
            assert_eq!(KeptAccess::of_bytes(&bytes), Err(KeychainError::Corrupt));
        }
    }

    #[test]
    fn an_access_token_belongs_to_one_refresh_token() {
        let kept = || KeptAccess::of(&access("at"), &session(), Moment(10_000));
        let given = |session: &KeptSession, now| kept().of_session(session, Moment(now));
        assert_eq!(given(&session(), 10_000), Some(access("at")));
        assert_eq!(given(&session(), 9_000), Some(access("at")), "two clocks, one device");
        assert_eq!(given(&session(), 8_999), None, "the clock was set back");
        let rotated = KeptSession { refresh: RefreshToken::new("kpr_child"), ..session() };
        assert_eq!(given(&rotated, 10_000), None);
        assert!(!format!("{:?}", kept()).contains("at\""));
    }

    #[test]
    fn an_access_token_that_does_not_fit_is_not_kept() {
        let kept = |length| KeptAccess::of(&access(&"a".repeat(length)), &session(), Moment(1));
        assert!(kept(800).to_bytes().is_ok());
        assert_eq!(kept(LARGEST).to_bytes(), Err(KeychainError::TooLarge));
    }
}
