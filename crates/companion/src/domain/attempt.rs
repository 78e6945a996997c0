//! The client's attempt as the companion sees it: an id pushed with each door's request, owned by the device key that
//! pushed it. Another key asking about the same id asks about a different attempt, one that nobody has touched.

use super::{AttemptId, CancelledBy, ConfirmationNumber, GrantStage, ProblemCode, Thumbprint};

/// An attempt and the device key that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptKey {
    /// The id that the client drew.
    pub attempt: AttemptId,
    /// The device key whose proof came with it.
    pub jkt: Thumbprint,
}

/// How the attempt ended on the device, as the device says (`POST` of the attempt endpoint).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The session is in the OS keychain.
    Stored,
    /// The session is in memory only.
    Memory,
    /// The app met a problem of its own.
    Failed(Option<ProblemCode>),
}

/// What `GET` of the attempt endpoint answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Nothing came back from the provider yet, or nobody knows the attempt.
    Waiting,
    /// The page shows this number and waits for the person.
    Confirm(ConfirmationNumber),
    /// The browser is on its way back to the app.
    Minted,
    /// The code was exchanged for a session.
    Redeemed,
    /// The app keeps the session in the OS keychain.
    Stored,
    /// The app keeps the session in memory.
    Memory,
    /// It failed, upstream or in the app.
    Failed(Option<ProblemCode>),
    /// Cancelled, by the person on the page, by the app or by a wrong code verifier.
    Cancelled(CancelledBy),
}

impl AttemptState {
    /// The state that follows from the grant that moved last and from what the device has said.
    pub fn derive(stage: Option<&GrantStage>, outcome: Option<&Outcome>, cancelled: bool) -> Self {
        if cancelled {
            return Self::Cancelled(CancelledBy::Client);
        }
        match outcome {
            Some(Outcome::Stored) => return Self::Stored,
            Some(Outcome::Memory) => return Self::Memory,
            Some(Outcome::Failed(problem)) => return Self::Failed(problem.clone()),
            None => {}
        }
        match stage {
            None | Some(GrantStage::Pending) => Self::Waiting,
            // A known device is sent straight on: there is no number on the page to compare with.
            Some(GrantStage::Fulfilled { device_known: true, .. }) => Self::Waiting,
            Some(GrantStage::Fulfilled { number, .. }) => Self::Confirm(*number),
            Some(GrantStage::Minted { .. }) => Self::Minted,
            Some(GrantStage::Exchanged { .. }) => Self::Redeemed,
            Some(GrantStage::Failed { problem }) => Self::Failed(Some(problem.clone())),
            Some(GrantStage::Cancelled { by }) => Self::Cancelled(*by),
        }
    }
}
