//! What a screen shows: facts and codes, never a sentence and never a secret. The same for window
//! and terminal.

use serde::Serialize;

use crate::account::{Account, Stored};
use crate::attempt::{AttemptId, CallbackReceiver};
use crate::device_session::DeviceSession;
use crate::machine::{Machine, SessionList, SignInState, SignedInAccount, WaitingAttempt};
use crate::moment::Moment;
use crate::problem::{NextStep, Problem};

/// Which screen, with the facts that it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "screen", rename_all = "snake_case")]
pub enum Screen {
    /// The keychain is being read.
    Starting,
    /// Email, or "Sign in with SSO".
    SignedOut,
    /// Asking the companion; the browser opens next.
    Preparing,
    /// The browser has it.
    Waiting {
        /// Until the real deadline.
        seconds_left: u64,
        /// False after a restart: the link was never written down.
        can_open_again: bool,
        /// The browser did not start: copy the link.
        browser_failed: bool,
        /// The person continued on the page; the browser may be asking whether it may open the app.
        returning: bool,
        /// The way it will come back.
        receiver: CallbackReceiver,
    },
    /// Compare this number with the browser's.
    Confirm {
        /// Two digits.
        number: String,
        /// Until the real deadline.
        seconds_left: u64,
    },
    /// The browser has handed back.
    Finishing,
    /// Someone is signed in.
    SignedIn {
        /// Who.
        account: Box<Account>,
        /// Where the session is kept.
        stored: Stored,
        /// The code of the reason, when the person did not choose memory.
        not_saved: Option<&'static str>,
        /// The code of the reason, when the companion cannot be reached just now.
        unreachable: Option<&'static str>,
        /// The other accounts of this device.
        others: Vec<Account>,
    },
    /// Where the person of the account is signed in.
    Sessions {
        /// This one first, then those that were used last; `None` until the companion has said.
        sessions: Option<Vec<DeviceSession>>,
        /// Whether the companion is being asked.
        busy: bool,
        /// The code of the reason, when it could not be asked, or did not do what was wanted.
        problem: Option<&'static str>,
    },
    /// Something went wrong.
    Problem {
        /// A code of [`Problem`].
        code: &'static str,
        /// The way out that is offered first.
        next: NextStep,
        /// What to read to IT, when it belongs to an attempt.
        attempt: Option<String>,
        /// Someone is still signed in behind this screen.
        signed_in: bool,
    },
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// Which screen.
    #[serde(flatten)]
    pub screen: Screen,
    /// Whether there is a receiver that was not tried for this sign-in.
    pub another_way: bool,
}

impl Screen {
    /// Whether no sign-in is under way on this screen.
    #[must_use]
    pub const fn is_at_rest(&self) -> bool {
        match self {
            Self::SignedOut
            | Self::SignedIn { .. }
            | Self::Sessions { .. }
            | Self::Problem { .. } => true,
            Self::Starting
            | Self::Preparing
            | Self::Waiting { .. }
            | Self::Confirm { .. }
            | Self::Finishing => false,
        }
    }
}

impl View {
    /// Draws `machine` as it is at `now`.
    #[must_use]
    pub fn of(machine: &Machine, now: Moment) -> Self {
        let screen = match &machine.sign_in {
            SignInState::Starting { .. } => Screen::Starting,
            SignInState::Preparing { .. } => Screen::Preparing,
            SignInState::AwaitingCallback(waiting) => waiting_screen(waiting, now),
            SignInState::Exchanging { .. } | SignInState::Saving { .. } => Screen::Finishing,
            SignInState::Idle { problem: Some((problem, attempt)) } => {
                problem_screen(*problem, attempt.as_ref(), machine)
            }
            SignInState::Idle { problem: None } => match machine.shown() {
                Some(_) if machine.session_list.is_some() => sessions_screen(machine),
                Some(signed) => signed_in_screen(signed, machine),
                None => Screen::SignedOut,
            },
        };
        Self { screen, another_way: machine.another_way().is_some() }
    }
}

fn waiting_screen(waiting: &WaitingAttempt, now: Moment) -> Screen {
    let seconds_left = waiting.deadline.seconds_left(now);
    match &waiting.number {
        Some(number) if !waiting.minted => Screen::Confirm { number: number.clone(), seconds_left },
        Some(_) | None => Screen::Waiting {
            seconds_left,
            can_open_again: !waiting.urls.is_empty(),
            browser_failed: waiting.browser_failed,
            returning: waiting.minted,
            receiver: waiting
                .receivers
                .first()
                .map_or(CallbackReceiver::Link, |receiver| receiver.receiver),
        },
    }
}

fn problem_screen(problem: Problem, attempt: Option<&AttemptId>, machine: &Machine) -> Screen {
    let load_again = machine.asks_to_load_again();
    Screen::Problem {
        code: problem.code(),
        next: if load_again { NextStep::LoadAgain } else { problem.next_step() },
        attempt: attempt.map(AttemptId::short),
        signed_in: machine.current.is_some(),
    }
}

fn sessions_screen(machine: &Machine) -> Screen {
    let list = machine.session_list.as_ref();
    Screen::Sessions {
        sessions: list.and_then(|list| list.listed.clone()),
        busy: list.is_some_and(SessionList::is_busy),
        problem: list.and_then(|list| list.problem).map(Problem::code),
    }
}

fn signed_in_screen(signed: &SignedInAccount, machine: &Machine) -> Screen {
    let others = machine.accounts.values().filter(|other| other.account.id != signed.account.id);
    Screen::SignedIn {
        account: Box::new(signed.account.clone()),
        stored: signed.stored,
        not_saved: signed.not_saved.map(Problem::code),
        unreachable: signed.unreachable.map(Problem::code),
        others: others.map(|other| other.account.clone()).collect(),
    }
}
