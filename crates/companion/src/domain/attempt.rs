//! The client's attempt as the companion sees it: an id pushed with the request of each callback
//! receiver, owned by the device key that pushed it. Another key asking about the same id asks
//! about a different attempt, one that has not begun.

use super::{
    AttemptId, CancelledBy, ConfirmationNumber, Grant, GrantStage, ProblemCode, Thumbprint,
    Timestamp,
};

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

impl Outcome {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Memory => "memory",
            Self::Failed(_) => "failed",
        }
    }

    /// As stored; `None` for a word that is not one of ours.
    #[must_use]
    pub fn from_stored(word: &str, problem: Option<ProblemCode>) -> Option<Self> {
        match word {
            "stored" => Some(Self::Stored),
            "memory" => Some(Self::Memory),
            "failed" => Some(Self::Failed(problem)),
            _ => None,
        }
    }

    /// The problem that the app has met.
    #[must_use]
    pub const fn problem(&self) -> Option<&ProblemCode> {
        match self {
            Self::Failed(problem) => problem.as_ref(),
            Self::Stored | Self::Memory => None,
        }
    }
}

/// What `GET` of the attempt endpoint answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Nothing came back from the provider yet, or the attempt is not known.
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

/// What the device has said of its attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// How it ended, if the device has said so.
    pub outcome: Option<Outcome>,
    /// When the client cancelled it.
    pub cancelled_at: Option<Timestamp>,
}

impl Attempt {
    /// What the device may report: a session that was not given cannot be kept, and a cancelled
    /// attempt stays cancelled. `grants`: those of the attempt, the newest first. `None` if the
    /// report changes nothing.
    #[must_use]
    pub fn report(self, grants: &[Grant], outcome: &Outcome) -> Option<Self> {
        let furthest = furthest(grants)?;
        let redeemed = matches!(furthest.stage, GrantStage::Exchanged { .. });
        let is_true = redeemed || matches!(outcome, Outcome::Failed(_));
        (is_true && self.cancelled_at.is_none())
            .then_some(Self { outcome: Some(outcome.clone()), ..self })
    }

    /// Cancels it, known or not: its upstream authorization may still come back from the provider.
    /// `None` if it is too late: the device keeps the session, or it was cancelled before.
    #[must_use]
    pub fn cancel(self, now: Timestamp) -> Option<Self> {
        let kept = matches!(self.outcome, Some(Outcome::Stored | Outcome::Memory));
        (!kept && self.cancelled_at.is_none()).then_some(Self { cancelled_at: Some(now), ..self })
    }
}

/// The grant that says how far an attempt is: the one that has come furthest, the newest of these.
/// One that has failed gives way to one that is under way. `grants`: the newest first.
pub fn furthest(grants: &[Grant]) -> Option<&Grant> {
    let rank = |grant: &&Grant| match grant.stage {
        GrantStage::Exchanged { .. } => 0,
        GrantStage::Minted { .. } => 1,
        GrantStage::Fulfilled { .. } => 2,
        GrantStage::Pending => 3,
        GrantStage::Cancelled { .. } => 4,
        GrantStage::Failed { .. } => 5,
    };
    grants.iter().min_by_key(rank)
}

impl AttemptState {
    /// How far an attempt is: what the device has said goes before what its grants say. `grants`:
    /// the newest first, as they read now ([`Grant::as_of`]).
    #[must_use]
    pub fn of(attempt: &Attempt, grants: &[Grant]) -> Self {
        let stage = furthest(grants).map(|grant| &grant.stage);
        Self::derive(stage, attempt.outcome.as_ref(), attempt.cancelled_at.is_some())
    }

    /// The state that follows from the grant that moved last and from what the device has said.
    fn derive(stage: Option<&GrantStage>, outcome: Option<&Outcome>, cancelled: bool) -> Self {
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
