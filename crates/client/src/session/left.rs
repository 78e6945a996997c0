//! Sessions that were signed out here while the companion could not be told: their names alone are
//! kept, no token, and the device key's proof ends them when the network is back. What cannot be
//! ended so ends with its own lifetime.

use std::time::Duration;

use keyport_core::{Moment, Problem};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::Sessions;
use super::items::{Kept, KeptSession, json, read};
use crate::http::{DeviceKey, REVOKE};
use crate::keychain::{KeychainError, SecretBytes};

/// The longest that a session lives at a companion (`docs/protocol.md` "Token"): one that was left
/// before that is over.
const LONGEST_SESSION: Duration = Duration::from_secs(180 * 24 * 3600);

/// One session that was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LeftSession {
    session: String,
    issuer: String,
    /// The thumbprint of its device key.
    key: String,
    since: Moment,
}

impl LeftSession {
    /// `None` for a session without a name, or that another key than the keychain's is bound to.
    pub(super) fn of(session: &KeptSession, now: Moment) -> Option<Self> {
        let (name, key) = (session.session.clone()?, session.key.clone()?);
        let issuer = session.account.issuer.clone();
        Some(Self { session: name, issuer, key, since: now })
    }

    fn is_over(&self, now: Moment) -> bool {
        self.since.after(LONGEST_SESSION) <= now
    }
}

/// All of them, the oldest first; one item holds five or so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftSessions(Vec<LeftSession>);

impl LeftSessions {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With `new` ones, without the oldest that the item does not hold.
    fn with(mut self, new: &[LeftSession]) -> Self {
        self.0.retain(|left| new.iter().all(|new| new.session != left.session));
        self.0.extend(new.iter().cloned());
        while !self.is_empty() && self.to_bytes().is_err() {
            self.0.remove(0);
        }
        self
    }

    fn without(mut self, ended: &[LeftSession]) -> Self {
        self.0.retain(|left| !ended.contains(left));
        self
    }
}

impl Kept for LeftSessions {
    fn to_bytes(&self) -> Result<SecretBytes, KeychainError> {
        json(&self.0)
    }

    fn of_bytes(bytes: &SecretBytes) -> Result<Self, KeychainError> {
        read(bytes).map(Self)
    }
}

impl Sessions {
    /// Ends at the companion what was signed out here while it could not be told. One try for each,
    /// as long as it answers; returns whether nothing is left.
    pub async fn end_left_sessions(&self) -> bool {
        let left = match self.shared.items.left_sessions().await {
            Ok(left) => left.unwrap_or_default(),
            // Nothing can be done with it.
            Err(KeychainError::Corrupt) => return self.change_left(|left| left).await.is_ok(),
            Err(_) => return false,
        };
        if left.is_empty() {
            return true;
        }
        let key = match self.shared.kept_device_key().await {
            Ok(key) => Some(key),
            Err(Problem::DeviceKeyLost) => None,
            Err(_) => return false,
        };
        let ours =
            left.0.iter().filter(|left| left.issuer == self.shared.companion.issuer().as_str());
        let (mut ended, mut is_answered) = (Vec::new(), true);
        for left in ours {
            is_answered = is_answered && self.end_left(left, key.as_deref()).await;
            if !is_answered {
                break;
            }
            ended.push(left.clone());
        }
        let forgotten = ended.is_empty() || self.forget_left(&ended).await.is_ok();
        is_answered && forgotten
    }

    /// Whether nothing is to be done for it any more.
    async fn end_left(&self, left: &LeftSession, key: Option<&DeviceKey>) -> bool {
        let key = key.filter(|key| key.thumbprint() == left.key);
        let Some(key) = key.filter(|_| !left.is_over(self.shared.clock.now())) else {
            return true;
        };
        let revoking = self.shared.companion.revoke_named(key, &left.session);
        let is_ended = matches!(timeout(REVOKE, revoking).await, Ok(Ok(())));
        tracing::info!(is_ended, "a session that was signed out here before");
        is_ended
    }

    async fn forget_left(&self, ended: &[LeftSession]) -> Result<(), Problem> {
        self.change_left(|left| left.without(ended)).await
    }

    /// Notes sessions that are gone here and live on at the companion. What cannot be noted ends
    /// with its own lifetime.
    pub(super) async fn note_left(&self, new: &[LeftSession]) {
        if new.is_empty() {
            return;
        }
        if let Err(problem) = self.change_left(|left| left.with(new)).await {
            tracing::warn!(problem = problem.code(), "a session that was left is not noted");
        }
    }

    async fn change_left(
        &self,
        change: impl FnOnce(LeftSessions) -> LeftSessions,
    ) -> Result<(), Problem> {
        let lock = self.locks.take().await?;
        let items = &self.shared.items;
        let left = match items.left_sessions().await {
            // Nothing can be done with it.
            Err(KeychainError::Corrupt) => LeftSessions::default(),
            left => left?.unwrap_or_default(),
        };
        Ok(items.put_left_sessions(&lock, &change(left)).await?)
    }
}

#[cfg(test)]
mod tests;
