//! Which page is due for a grant, and what its status is called. Pure; the vocabulary of the
//! attempt endpoint.

use keyport_problems::Problem;

use crate::domain::{CancelledBy, GrantStage, Outcome, ProblemCode};
use crate::storage::GrantView;

/// What the browser is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandoffStatus {
    /// The exchange is in flight.
    Waiting,
    /// The person is asked, with this number if the app can show one.
    Confirm {
        /// See there.
        number: Option<u8>,
    },
    /// Straight on: a device this person knows, or *Continue* was pressed.
    Go,
    /// The code is out.
    Minted,
    /// The code was redeemed and the app has not said how it ended.
    Redeemed,
    /// The app never says how it ends.
    Return,
    /// The app keeps the session.
    SignedIn {
        /// In memory only.
        memory: bool,
    },
    /// It failed.
    Failed(Problem),
    /// It was cancelled.
    Cancelled(Problem),
}

impl HandoffStatus {
    /// The page for this grant.
    pub fn of(view: &GrantView) -> Self {
        if let Some(Outcome::Failed(code)) = &view.outcome {
            return Self::Failed(problem(code.as_ref()));
        }
        let tells = view.grant.attempt.is_some();
        match &view.grant.stage {
            GrantStage::Failed { problem: code } => Self::Failed(problem(Some(code))),
            GrantStage::Cancelled { by } => Self::Cancelled(problem_of_cancel(*by)),
            GrantStage::Exchanged { .. } => match view.outcome {
                Some(Outcome::Stored) => Self::SignedIn { memory: false },
                Some(Outcome::Memory) => Self::SignedIn { memory: true },
                _ if tells => Self::Redeemed,
                _ => Self::Return,
            },
            // The app has a session by another tab: this one, and who signed in here, never came to
            // be.
            _ if view.outcome.is_some() => Self::Failed(Problem::AlreadyUsed),
            GrantStage::Pending => Self::Waiting,
            GrantStage::Fulfilled { device_known, confirmed, .. }
                if *device_known || *confirmed =>
            {
                Self::Go
            }
            GrantStage::Fulfilled { number, .. } => {
                Self::Confirm { number: tells.then(|| number.value()) }
            }
            GrantStage::Minted { .. } => Self::Minted,
        }
    }

    /// `status` of the status endpoint.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Confirm { .. } => "confirm",
            Self::Go => "confirmed",
            Self::Minted => "minted",
            Self::Redeemed | Self::Return => "redeemed",
            Self::SignedIn { memory: false } => "stored",
            Self::SignedIn { memory: true } => "memory",
            Self::Failed(_) => "failed",
            Self::Cancelled(_) => "cancelled",
        }
    }

    /// The problem, if that is what is shown.
    pub const fn problem(&self) -> Option<Problem> {
        match self {
            Self::Failed(problem) | Self::Cancelled(problem) => Some(*problem),
            _ => None,
        }
    }
}

/// What a cancellation is called, by page and app alike.
pub const fn problem_of_cancel(by: CancelledBy) -> Problem {
    match by {
        CancelledBy::Person => Problem::NotMe,
        CancelledBy::Client => Problem::Cancelled,
        CancelledBy::WrongVerifier => Problem::Interrupted,
        CancelledBy::EndedAccess => Problem::AccessEnded,
    }
}

fn problem(code: Option<&ProblemCode>) -> Problem {
    match code.map(ProblemCode::as_str) {
        Some(ProblemCode::INTERRUPTED) => Problem::Interrupted,
        Some(code) => Problem::from_code(code).unwrap_or(Problem::Internal),
        None => Problem::Internal,
    }
}
