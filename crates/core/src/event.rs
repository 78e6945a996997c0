//! What can happen: plain data, made by the shells. An event that does not belong changes nothing.

use std::collections::BTreeMap;

use crate::account::{Account, AccountId, NewSession, Stored};
use crate::attempt::{AttemptId, KeptAttempt, Pushed};
use crate::callback::Callback;
use crate::device_session::DeviceSession;
use crate::intent::Intent;
use crate::moment::Moment;
use crate::problem::Problem;
use crate::request::Draws;

/// Numbers one load, save or refresh, so that a late answer to an older one is known as such.
pub type Ticket = u64;

/// What the keychain holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeychainContents {
    /// Every account of this device.
    pub accounts: Vec<Account>,
    /// When the access token that came with each session stops working. An account that is not in
    /// it is refreshed at once.
    pub fresh_until: BTreeMap<AccountId, Moment>,
    /// The one to show.
    pub current: Option<AccountId>,
    /// A deep-link attempt that waits for its link.
    pub kept: Option<KeptAttempt>,
    /// Something could not be read, and the person should hear of it.
    pub error: Option<Problem>,
}

/// News of an attempt from the companion's attempt endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The page shows this number: the person compares.
    Confirm(String),
    /// The person continued; the browser is on its way back.
    Minted,
    /// Its code was redeemed: by a process that has ended, or by another one.
    Redeemed,
    /// It ended over there.
    Failed(Problem),
}

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The new session is where it belongs.
    Done {
        /// When to refresh again.
        refresh_at: Moment,
        /// Where it is kept now.
        stored: Stored,
    },
    /// Not now: offline, 429, 5xx. Ends nothing.
    Later(Problem),
    /// The companion said `invalid_grant`, or another process signed out; the problem says which
    /// end it was.
    Ended(Problem),
}

/// Everything that can happen to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The person wants something.
    Intended {
        /// What.
        intent: Intent,
        /// For the attempt that it may begin.
        draws: Draws,
    },
    /// The keychain may hold something else by now: another process wrote to it, or the person
    /// came back to the window.
    KeychainChanged,
    /// The keychain was read.
    Loaded {
        /// Of the [`Load`](crate::Effect::Load) it answers.
        ticket: Ticket,
        /// What it held, or why it could not be read.
        result: Result<KeychainContents, Problem>,
    },
    /// The receivers are open and the requests are pushed, or not.
    Prepared {
        /// Of this attempt.
        attempt: AttemptId,
        /// The URLs, or why not.
        result: Result<Pushed, Problem>,
    },
    /// The browser could not be started.
    BrowserFailed {
        /// Of this attempt.
        attempt: AttemptId,
    },
    /// News from the attempt endpoint.
    Progressed {
        /// Of this attempt.
        attempt: AttemptId,
        /// What happened there.
        progress: Progress,
    },
    /// A well-formed callback came through a receiver. Whether it is ours is decided here.
    CallbackReceived(Callback),
    /// The code was exchanged, or not.
    Exchanged {
        /// Of this attempt.
        attempt: AttemptId,
        /// The session, or why not.
        result: Result<Box<NewSession>, Problem>,
    },
    /// The session was written to the keychain, or not.
    Saved {
        /// Of the [`Save`](crate::Effect::Save) it answers.
        ticket: Ticket,
        /// Whether it is there.
        result: Result<(), Problem>,
    },
    /// A refresh ended.
    Refreshed {
        /// Of the [`Refresh`](crate::Effect::Refresh) it answers.
        ticket: Ticket,
        /// How.
        result: Refreshed,
    },
    /// A sign-out reached keychain, memory and companion.
    SignedOut {
        /// The account that was signed out.
        account: AccountId,
    },
    /// A sign-out did not reach everything: the keychain may still hold the session, or the
    /// companion was not told.
    SignOutUnfinished {
        /// The account that was signed out.
        account: AccountId,
        /// What was not done.
        problem: Problem,
    },
    /// The companion has listed where the person is signed in, or not.
    SessionsListed {
        /// Of the effect that it answers.
        ticket: Ticket,
        /// The sessions, or why there is no list.
        result: Result<Vec<DeviceSession>, Problem>,
    },
    /// The person was signed out on every device, or not.
    SignedOutEverywhere {
        /// Of the effect that it answers.
        ticket: Ticket,
        /// Whether it is done; if not, nothing has changed here.
        result: Result<(), Problem>,
    },
    /// Time has passed; deadlines are looked at.
    Tick,
}
