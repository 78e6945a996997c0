//! Which page is due for a grant, and what its status is called. Pure; the vocabulary of the attempt endpoint.

use keyport_core::Problem;

use crate::domain::{CancelledBy, GrantStage, Outcome, ProblemCode, Timestamp};
use crate::storage::GrantView;

/// What the browser is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
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

impl Due {
    /// The page for this grant at this time.
    pub fn of(view: &GrantView, now: Timestamp) -> Self {
        match &view.outcome {
            Some(Outcome::Stored) => return Self::SignedIn { memory: false },
            Some(Outcome::Memory) => return Self::SignedIn { memory: true },
            Some(Outcome::Failed(code)) => return Self::Failed(problem(code.as_ref())),
            None => {}
        }
        let tells = view.grant.attempt.is_some();
        match &view.grant.stage {
            GrantStage::Pending => Self::Waiting,
            GrantStage::Fulfilled { device_known, confirmed, .. }
                if *device_known || *confirmed =>
            {
                Self::Go
            }
            GrantStage::Fulfilled { number, .. } => {
                Self::Confirm { number: tells.then(|| number.value()) }
            }
            GrantStage::Minted { deadline, .. } if now.has_reached(*deadline) => {
                Self::Failed(Problem::LinkExpired)
            }
            GrantStage::Minted { .. } => Self::Minted,
            GrantStage::Exchanged { .. } if tells => Self::Redeemed,
            GrantStage::Exchanged { .. } => Self::Return,
            GrantStage::Failed { problem: code } => Self::Failed(problem(Some(code))),
            GrantStage::Cancelled { by } => Self::Cancelled(problem_of_cancel(*by)),
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
    }
}

fn problem(code: Option<&ProblemCode>) -> Problem {
    match code.map(ProblemCode::as_str) {
        Some(ProblemCode::INTERRUPTED) => Problem::Interrupted,
        Some(code) => Problem::from_code(code).unwrap_or(Problem::Internal),
        None => Problem::Internal,
    }
}
