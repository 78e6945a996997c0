//! The machine: one sign-in under way at most, and every account of this device.
//!
//! [`Machine::step`] is total: no event panics, and one that does not belong changes nothing.
//! What the person wants is read in `intents`. Sign-in is in `sign_in` and `finish`, the session in
//! `session`. The table in `docs/architecture.md` is printed from here.

mod accounts;
mod finish;
mod intents;
mod session;
mod sessions;
mod sign_in;
mod start;
mod waiting;

use std::time::Duration;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use intents::LastRequest;
pub(crate) use sessions::SessionList;
pub(crate) use waiting::WaitingAttempt;

use crate::account::{Account, AccountId, NewSession, Stored};
use crate::attempt::{AttemptId, AttemptSeed, SessionStore};
use crate::callback::Callback;
use crate::effect::Effect;
use crate::event::{Event, Ticket};
use crate::moment::Moment;
use crate::problem::Problem;
use crate::request::{Draws, ReceiverOrder, SignInRequest};

/// Reading the keychain at start: several items of 3 s each.
pub const LOAD_LIFETIME: Duration = Duration::from_secs(12);
/// Keychain probe, receivers and pushed requests.
pub const PREPARE_LIFETIME: Duration = Duration::from_secs(30);
/// The code exchange: the client waits 25 s at most for the session lock, then 18 s
/// for the companion, whose codes live for 60 s.
pub const EXCHANGE_LIFETIME: Duration = Duration::from_secs(60);
/// Writing to the keychain, which may answer slowly; the lock for it was taken before.
pub const SAVE_LIFETIME: Duration = Duration::from_secs(15);
/// One refresh with its lock.
pub const REFRESH_LIFETIME: Duration = Duration::from_secs(60);
/// Between a refresh that could not be done and the next try; doubled with each further one.
pub const RETRY_LIFETIME: Duration = Duration::from_secs(30);
/// The longest pause between two such tries.
pub const LONGEST_RETRY: Duration = Duration::from_secs(300);
/// The longest that a browser is waited for, whatever the companion or a clock that was set back
/// says.
pub const LONGEST_WAIT: Duration = Duration::from_secs(900);

/// The sign-in side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignInState {
    /// The keychain is being read.
    Starting {
        ticket: Ticket,
        deadline: Moment,
        wanted: Option<(SignInRequest, Draws)>,
        held: Option<Callback>,
    },
    /// Nothing under way. A problem is shown until it is dismissed.
    Idle { problem: Option<(Problem, Option<AttemptId>)> },
    /// Receivers and pushed requests are being made.
    Preparing { seed: AttemptSeed, deadline: Moment },
    /// The browser has it.
    AwaitingCallback(WaitingAttempt),
    /// The code is being exchanged.
    Exchanging { id: AttemptId, store: SessionStore, deadline: Moment },
    /// The session is being written to the keychain.
    Saving { id: AttemptId, ticket: Ticket, session: Box<NewSession>, deadline: Moment },
}

/// How fresh an account's session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Good until then.
    Fresh { refresh_at: Moment },
    /// Being refreshed.
    Refreshing { ticket: Ticket, deadline: Moment },
}

/// One signed-in account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedInAccount {
    pub account: Account,
    pub stored: Stored,
    /// Why it is in memory, when the person did not choose that.
    pub not_saved: Option<Problem>,
    pub freshness: Freshness,
    /// Why the last refresh could not be done.
    pub unreachable: Option<Problem>,
    /// The pause after the next refresh that cannot be done.
    pub retry: Duration,
    /// The ticket of a save that was given up; if it succeeds after all, what it wrote is erased.
    pub given_up: Option<Ticket>,
}

/// The state of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Configuration: the receivers of this client.
    pub(crate) order: ReceiverOrder,
    /// What *try again* and *another way* are about.
    pub(crate) last_request: LastRequest,
    /// Where the session of a sign-in goes that does not say: the keychain, until the person
    /// continues without it.
    pub(crate) store: SessionStore,
    pub(crate) sign_in: SignInState,
    pub(crate) accounts: BTreeMap<AccountId, SignedInAccount>,
    pub(crate) current: Option<AccountId>,
    pub(crate) next_ticket: Ticket,
    /// Whether what the keychain holds is still unknown: it was never read, or could not be.
    pub(crate) unread: bool,
    /// Whether a sign-in was begun meanwhile: an attempt that the keychain turns out to keep was
    /// replaced by it.
    pub(crate) kept_is_replaced: bool,
    /// A callback that came while the keychain could not be read: it waits for the next reading.
    pub(crate) held: Option<Callback>,
    /// The reading of the keychain that follows what other processes do; an older one is stale.
    pub(crate) rereading: Option<Ticket>,
    /// Accounts whose sign-out is under way: a reading may still find them.
    pub(crate) leaving: BTreeSet<AccountId>,
    /// Whose sign-out the keychain refused: what *try again* is about while that is shown.
    pub(crate) not_signed_out: BTreeSet<AccountId>,
    /// The attempt whose session is in place: its answer once more is an echo, not a second
    /// session.
    pub(crate) completed: Option<AttemptId>,
    /// Where the person of the account that is shown is signed in, while that is looked at.
    pub(crate) session_list: Option<SessionList>,
}

/// The next machine, and what to do.
pub(crate) type Step = (Machine, Vec<Effect>);

impl Machine {
    /// A client with these receivers that has just started, and the effect that reads its keychain.
    #[must_use]
    pub fn start(order: ReceiverOrder, now: Moment) -> (Self, Vec<Effect>) {
        let machine = Self {
            order,
            last_request: LastRequest::default(),
            store: SessionStore::Keychain,
            sign_in: SignInState::Starting {
                ticket: 0,
                deadline: now.after(LOAD_LIFETIME),
                wanted: None,
                held: None,
            },
            accounts: BTreeMap::new(),
            current: None,
            next_ticket: 1,
            unread: true,
            kept_is_replaced: false,
            held: None,
            rereading: None,
            leaving: BTreeSet::new(),
            not_signed_out: BTreeSet::new(),
            completed: None,
            session_list: None,
        };
        (machine, vec![Effect::Load { ticket: 0 }])
    }

    /// Takes one event at `now`. Total: there is no event that panics.
    #[must_use]
    pub fn step(self, event: Event, now: Moment) -> (Self, Vec<Effect>) {
        let (machine, effects) = self.taken(event, now);
        (machine.without_hidden_list(), effects)
    }

    fn taken(self, event: Event, now: Moment) -> Step {
        match event {
            Event::Loaded { ticket, result } => self.loaded(ticket, result, now),
            Event::Intended { intent, draws } => self.intended(intent, draws, now),
            Event::KeychainChanged => self.keychain_changed(),
            Event::SignedOut { account } => self.signed_out(&account),
            Event::SignOutUnfinished { account, problem } => {
                self.sign_out_unfinished(&account, problem)
            }
            Event::Prepared { attempt, result } => self.prepared(&attempt, result, now),
            Event::BrowserFailed { attempt } => self.browser_failed(&attempt),
            Event::Progressed { attempt, progress } => self.progressed(&attempt, progress),
            Event::CallbackReceived(callback) => self.callback_received(callback, now),
            Event::Exchanged { attempt, result } => self.exchanged(&attempt, result, now),
            Event::Saved { ticket, result } => self.saved(ticket, result, now),
            Event::Refreshed { ticket, result } => self.refreshed(ticket, &result, now),
            Event::SessionsListed { ticket, result } => self.sessions_listed(ticket, result),
            Event::SignedOutEverywhere { ticket, result } => {
                self.signed_out_everywhere(ticket, result)
            }
            Event::Tick => self.tick(now),
        }
    }

    /// When a [`Tick`](Event::Tick) is due; `None` when nothing waits.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let sign_in = match &self.sign_in {
            // The keychain is being read or written: the sessions wait for it.
            SignInState::Starting { deadline, .. } | SignInState::Saving { deadline, .. } => {
                return Some(*deadline);
            }
            SignInState::Preparing { deadline, .. } | SignInState::Exchanging { deadline, .. } => {
                Some(*deadline)
            }
            SignInState::AwaitingCallback(waiting) => Some(waiting.deadline),
            SignInState::Idle { .. } => None,
        };
        // Where a sign-in is under way, no refresh begins.
        let sessions = self.accounts.values().filter_map(|signed| match signed.freshness {
            Freshness::Fresh { refresh_at } => sign_in.is_none().then_some(refresh_at),
            Freshness::Refreshing { deadline, .. } => Some(deadline),
        });
        sign_in.into_iter().chain(sessions).min()
    }

    /// Whether an open receiver waits for this callback: its receiver, its `state`, our issuer.
    #[must_use]
    pub fn expects(&self, callback: &Callback) -> bool {
        match &self.sign_in {
            SignInState::AwaitingCallback(waiting) => waiting.receiver_of(callback).is_some(),
            SignInState::Starting { .. }
            | SignInState::Idle { .. }
            | SignInState::Preparing { .. }
            | SignInState::Exchanging { .. }
            | SignInState::Saving { .. } => false,
        }
    }

    /// Whether a callback that comes now is held until the keychain says whose it is.
    #[must_use]
    pub fn holds_callbacks(&self) -> bool {
        match &self.sign_in {
            SignInState::Starting { .. } => true,
            SignInState::Idle { .. } => self.unread,
            SignInState::Preparing { .. }
            | SignInState::AwaitingCallback(_)
            | SignInState::Exchanging { .. }
            | SignInState::Saving { .. } => false,
        }
    }

    /// The name of the state, as the table prints it.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match &self.sign_in {
            SignInState::Starting { .. } => "Starting",
            SignInState::Preparing { .. } => "Preparing",
            SignInState::AwaitingCallback(_) => "AwaitingCallback",
            SignInState::Exchanging { .. } => "Exchanging",
            SignInState::Saving { .. } => "Saving",
            SignInState::Idle { .. } => match self.shown() {
                None => "SignedOut",
                Some(SignedInAccount { freshness: Freshness::Refreshing { .. }, .. }) => {
                    "Refreshing"
                }
                Some(SignedInAccount { freshness: Freshness::Fresh { .. }, .. }) => "SignedIn",
            },
        }
    }

    /// The account that is shown, with where it is kept.
    #[must_use]
    pub fn signed_in(&self) -> Option<(&Account, Stored)> {
        self.shown().map(|signed| (&signed.account, signed.stored))
    }

    pub(crate) fn shown(&self) -> Option<&SignedInAccount> {
        self.current.as_ref().and_then(|id| self.accounts.get(id))
    }

    pub(crate) fn take_ticket(&mut self) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket = self.next_ticket.wrapping_add(1);
        ticket
    }

    pub(crate) fn stay(self) -> Step {
        (self, Vec::new())
    }

    pub(crate) fn idle(mut self, problem: Option<(Problem, Option<AttemptId>)>) -> Self {
        self.sign_in = SignInState::Idle { problem };
        self
    }

    fn tick(self, now: Moment) -> Step {
        let (machine, mut effects) = self.tick_sign_in(now);
        let (machine, more) = machine.tick_sessions(now);
        effects.extend(more);
        (machine, effects)
    }
}
