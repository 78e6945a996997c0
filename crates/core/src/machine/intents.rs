//! What each intent means in the state at hand. The last request to sign in is remembered here, so
//! that *try again* repeats it and *another way* takes a receiver that was not tried for it.

use std::collections::BTreeSet;

use super::{Machine, SignInState, Step};
use crate::attempt::{AttemptSeed, CallbackReceiver, Hints, SessionStore};
use crate::intent::Intent;
use crate::moment::Moment;
use crate::problem::{NextStep, Problem};
use crate::request::{Draws, SignInRequest};

/// The request to sign in that was made last, and how far it was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastRequest {
    request: SignInRequest,
    /// The receivers of its attempts. An attempt that an earlier process began counts.
    pub tried: BTreeSet<CallbackReceiver>,
}

impl LastRequest {
    /// The next attempt of this request.
    pub(super) fn next_attempt(&mut self, draws: Draws, usual: CallbackReceiver) -> AttemptSeed {
        if self.request.receivers.is_empty() {
            self.request.receivers.push(usual);
        }
        self.tried.extend(&self.request.receivers);
        AttemptSeed {
            id: draws.attempt.clone(),
            receivers: draws.of(&self.request.receivers),
            hints: self.request.hints.clone(),
            store: self.request.store,
        }
    }
}

impl Machine {
    pub(super) fn intended(self, intent: Intent, draws: Draws, now: Moment) -> Step {
        match intent {
            Intent::SignIn { email } => {
                let (hints, store) = (Hints::of_email(email), self.store);
                let request = SignInRequest { hints, receivers: Vec::new(), store };
                self.sign_in_wanted(request, draws, now)
            }
            Intent::SignInWith(request) => self.sign_in_wanted(request, draws, now),
            Intent::OpenAgain => self.open_again(),
            Intent::CopyLink => self.copy_link(),
            Intent::Cancel => self.cancel(),
            Intent::AnotherWay => self.try_another_way(draws, now),
            Intent::TryAgain if self.session_list.is_some() => self.show_sessions(),
            Intent::TryAgain => self.try_again(draws, now),
            Intent::ContinueWithoutSaving => self.continue_without_saving(draws, now),
            Intent::Dismiss => self.without_list().dismiss(),
            Intent::ShowAccount { account } => self.show_account(account),
            Intent::SignOut => self.sign_out(),
            Intent::SignOutOfAll => self.sign_out_of_all(),
            Intent::ShowSessions => self.show_sessions(),
            Intent::EndSession { session } => self.end_session(session),
            Intent::SignOutEverywhere => self.sign_out_everywhere(),
        }
    }

    /// Whether the system may ask to unlock the keychain before this intent is taken: a locked one
    /// is what the person sees, and what they want now needs it.
    #[must_use]
    pub fn unlocks_first(&self, intent: &Intent) -> bool {
        let SignInState::Idle {
            problem: Some((Problem::KeychainLocked | Problem::NotSignedOut, _)),
        } = self.sign_in
        else {
            return false;
        };
        let store = match intent {
            Intent::SignIn { .. } => self.store,
            Intent::SignInWith(request) => request.store,
            Intent::TryAgain if !self.can_repeat() => SessionStore::Keychain,
            Intent::TryAgain | Intent::AnotherWay => self.last_request.request.store,
            Intent::OpenAgain
            | Intent::CopyLink
            | Intent::Cancel
            | Intent::ContinueWithoutSaving
            | Intent::Dismiss
            | Intent::ShowAccount { .. }
            | Intent::SignOut
            | Intent::SignOutOfAll
            | Intent::ShowSessions
            | Intent::EndSession { .. }
            | Intent::SignOutEverywhere => return false,
        };
        store == SessionStore::Keychain
    }

    /// The next receiver that was not tried for the sign-in that waits or failed.
    pub(crate) fn another_way(&self) -> Option<CallbackReceiver> {
        let tried = &self.last_request.tried;
        if tried.is_empty() || !self.can_repeat() {
            return None;
        }
        self.order.iter().find(|receiver| !tried.contains(receiver))
    }

    /// A sign-in of its own, which every receiver may be tried for. While the keychain is read it
    /// is noted.
    pub(super) fn sign_in_wanted(
        mut self,
        request: SignInRequest,
        draws: Draws,
        now: Moment,
    ) -> Step {
        if let SignInState::Starting { wanted, .. } = &mut self.sign_in {
            *wanted = Some((request, draws));
            return self.stay();
        }
        self.begin(LastRequest { request, tried: BTreeSet::new() }, draws, now)
    }

    fn try_another_way(self, draws: Draws, now: Moment) -> Step {
        let Some(receiver) = self.another_way() else {
            return self.stay();
        };
        let mut last = self.last_request.clone();
        last.request.receivers = vec![receiver];
        self.begin(last, draws, now)
    }

    fn try_again(self, draws: Draws, now: Moment) -> Step {
        if self.can_repeat() {
            let last = self.last_request.clone();
            return self.begin(last, draws, now);
        }
        match &self.sign_in {
            _ if self.shows_not_signed_out() => self.sign_out_again(),
            _ if self.asks_to_load_again() => self.load_again(now),
            // Read in part: who is signed in stays in view while it is read again.
            SignInState::Idle { problem: Some((problem, None)) }
                if problem.next_step() == NextStep::KeychainAgain =>
            {
                self.idle(None).keychain_changed()
            }
            _ => self.stay(),
        }
    }

    /// From here on sessions are kept in memory, until this process ends. A sign-in that the
    /// keychain stopped goes on.
    fn continue_without_saving(mut self, draws: Draws, now: Moment) -> Step {
        let SignInState::Idle { problem: Some((problem, attempt)) } = &self.sign_in else {
            return self.stay();
        };
        if problem.next_step() != NextStep::KeychainAgain {
            return self.stay();
        }
        let stopped_a_sign_in = attempt.is_some();
        self.store = SessionStore::Memory;
        self.last_request.request.store = SessionStore::Memory;
        if stopped_a_sign_in { self.try_again(draws, now) } else { self.dismiss() }
    }

    /// Whether a sign-in waits or failed, so that it can be done once more. A problem without an
    /// attempt is about something else.
    fn can_repeat(&self) -> bool {
        match &self.sign_in {
            SignInState::Idle { problem } => matches!(problem, Some((_, Some(_)))),
            SignInState::Preparing { .. } | SignInState::AwaitingCallback(_) => true,
            SignInState::Starting { .. }
            | SignInState::Exchanging { .. }
            | SignInState::Saving { .. } => false,
        }
    }
}
