//! An attempt that waits for its callback, and whether a callback is the one.

use crate::attempt::{AttemptId, KeptAttempt, ReceiverSecrets, SessionStore};
use crate::callback::Callback;
use crate::moment::Moment;
use crate::secret::AuthorizationUrl;

/// An attempt that the companion has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitingAttempt {
    pub id: AttemptId,
    pub receivers: Vec<ReceiverSecrets>,
    /// Empty for an attempt that was taken up again after a restart: its URL was never written
    /// down.
    pub urls: Vec<AuthorizationUrl>,
    pub issuer: String,
    pub store: SessionStore,
    pub deadline: Moment,
    pub number: Option<String>,
    /// The person continued over there; the browser is on its way.
    pub minted: bool,
    pub browser_failed: bool,
}

impl WaitingAttempt {
    /// The receiver that this callback belongs to. Every receiver is compared, in constant time
    /// each.
    pub(crate) fn receiver_of(&self, callback: &Callback) -> Option<&ReceiverSecrets> {
        if callback.issuer.as_deref() != Some(self.issuer.as_str()) {
            return None;
        }
        self.receivers
            .iter()
            .filter(|d| d.receiver == callback.receiver)
            .find(|d| d.state == callback.state)
    }

    pub(crate) fn kept(&self) -> Option<KeptAttempt> {
        let receiver = self.receivers.iter().find(|d| d.receiver.survives_restart())?;
        Some(KeptAttempt {
            id: self.id.clone(),
            receiver: receiver.clone(),
            issuer: self.issuer.clone(),
            deadline: self.deadline,
            store: self.store,
        })
    }
}
