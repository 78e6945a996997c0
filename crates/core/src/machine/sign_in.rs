//! One attempt from the click to the session. A new click replaces the attempt; a late result of
//! another attempt changes nothing, and a late success is revoked.

use super::{
    EXCHANGE_LIFETIME, LONGEST_WAIT, LastRequest, Machine, PREPARE_LIFETIME, SignInState, Step,
    WaitingAttempt,
};
use crate::attempt::{AttemptId, AttemptSeed, Pushed};
use crate::callback::{AuthorizationResponse, Callback};
use crate::effect::{Effect, Outcome};
use crate::event::Progress;
use crate::moment::Moment;
use crate::problem::Problem;
use crate::request::Draws;

impl Machine {
    /// Begins an attempt for `request`, in place of the one under way.
    pub(super) fn begin(mut self, request: LastRequest, draws: Draws, now: Moment) -> Step {
        let mut effects = match &self.sign_in {
            // The code is used: what comes back decides, a click meanwhile does not.
            SignInState::Starting { .. }
            | SignInState::Exchanging { .. }
            | SignInState::Saving { .. } => return self.stay(),
            // The same event twice is one intent.
            SignInState::Preparing { seed, .. } if seed.id == draws.attempt => return self.stay(),
            SignInState::Preparing { seed, .. } => given_up(seed.id.clone()),
            SignInState::AwaitingCallback(waiting) => given_up(waiting.id.clone()),
            SignInState::Idle { .. } => Vec::new(),
        };
        self.held = None;
        self.kept_is_replaced = self.unread;
        self.not_signed_out.clear();
        self.last_request = request;
        let seed = self.last_request.next_attempt(draws, self.order.usual());
        effects.push(Effect::Prepare(seed.clone()));
        self.sign_in = SignInState::Preparing { seed, deadline: now.after(PREPARE_LIFETIME) };
        (self, effects)
    }

    pub(crate) fn prepared(
        mut self,
        attempt: &AttemptId,
        result: Result<Pushed, Problem>,
        now: Moment,
    ) -> Step {
        let SignInState::Preparing { seed, .. } = &self.sign_in else {
            return self.stay();
        };
        if seed.id != *attempt {
            return self.stay();
        }
        let seed = seed.clone();
        match result {
            Err(problem) => {
                let close = Effect::CloseReceivers { attempt: seed.id.clone() };
                (self.idle(Some((problem, Some(seed.id)))), vec![close])
            }
            Ok(pushed) => {
                let waiting = WaitingAttempt {
                    id: seed.id,
                    receivers: seed.receivers,
                    urls: pushed.urls,
                    issuer: pushed.issuer,
                    store: seed.store,
                    deadline: pushed.deadline.min(now.after(LONGEST_WAIT)),
                    number: None,
                    minted: false,
                    browser_failed: false,
                };
                let mut effects: Vec<Effect> =
                    waiting.kept().map(Effect::Keep).into_iter().collect();
                effects.extend(waiting.open_browser());
                effects.push(Effect::Watch { attempt: waiting.id.clone() });
                self.sign_in = SignInState::AwaitingCallback(waiting);
                (self, effects)
            }
        }
    }

    pub(super) fn open_again(mut self) -> Step {
        let SignInState::AwaitingCallback(waiting) = &mut self.sign_in else {
            return self.stay();
        };
        waiting.browser_failed = false;
        let effects = waiting.open_browser().into_iter().collect();
        (self, effects)
    }

    pub(super) fn copy_link(self) -> Step {
        let SignInState::AwaitingCallback(waiting) = &self.sign_in else {
            return self.stay();
        };
        let effects = waiting.urls.first().map(|url| Effect::CopyLink { url: url.clone() });
        (self, effects.into_iter().collect())
    }

    pub(super) fn cancel(mut self) -> Step {
        match &mut self.sign_in {
            SignInState::Starting { wanted, .. } => {
                *wanted = None;
                self.stay()
            }
            SignInState::Preparing { seed: AttemptSeed { id, .. }, .. }
            | SignInState::AwaitingCallback(WaitingAttempt { id, .. }) => {
                let effects = given_up(id.clone());
                (self.idle(None), effects)
            }
            // The code is out: if a session comes of it, it comes too late and is revoked.
            SignInState::Exchanging { id, .. } => {
                let outcome = Outcome::Failed(Problem::Cancelled);
                let report = Effect::Report { attempt: id.clone(), outcome };
                (self.idle(None), vec![report])
            }
            SignInState::Saving { .. } | SignInState::Idle { .. } => self.stay(),
        }
    }

    /// After a sign-out that was refused, the keychain says who is still signed in.
    pub(super) fn dismiss(mut self) -> Step {
        if self.shows_not_signed_out() {
            self.not_signed_out.clear();
            return self.idle(None).keychain_changed();
        }
        if let SignInState::Idle { problem } = &mut self.sign_in {
            *problem = None;
        }
        self.stay()
    }

    pub(crate) fn browser_failed(mut self, attempt: &AttemptId) -> Step {
        if let SignInState::AwaitingCallback(waiting) = &mut self.sign_in
            && waiting.id == *attempt
        {
            waiting.browser_failed = true;
        }
        self.stay()
    }

    pub(crate) fn progressed(mut self, attempt: &AttemptId, progress: Progress) -> Step {
        let SignInState::AwaitingCallback(waiting) = &mut self.sign_in else {
            return self.stay();
        };
        if waiting.id != *attempt {
            return self.stay();
        }
        match progress {
            Progress::Confirm(number) => {
                waiting.number = Some(number);
                self.stay()
            }
            Progress::Minted => {
                waiting.minted = true;
                self.stay()
            }
            // No callback of it comes any more. What came of it is where it belongs, or gone.
            Progress::Redeemed => {
                let close = Effect::CloseReceivers { attempt: attempt.clone() };
                (self.idle(None), vec![close])
            }
            Progress::Failed(problem) => {
                let close = Effect::CloseReceivers { attempt: attempt.clone() };
                (self.idle(Some((problem, Some(attempt.clone())))), vec![close])
            }
        }
    }

    pub(crate) fn callback_received(mut self, callback: Callback, now: Moment) -> Step {
        let waiting = match &mut self.sign_in {
            // One is held until the keychain says whether it is awaited; a second one changes
            // nothing.
            SignInState::Starting { held, .. } => {
                held.get_or_insert(callback);
                return self.stay();
            }
            SignInState::AwaitingCallback(waiting) => waiting,
            // So it is while the keychain stays locked, however long that takes: the link may have
            // started the app, and the attempt that it belongs to is in there.
            SignInState::Idle { .. } if self.unread => {
                self.held.get_or_insert(callback);
                return self.stay();
            }
            SignInState::Idle { .. }
            | SignInState::Preparing { .. }
            | SignInState::Exchanging { .. }
            | SignInState::Saving { .. } => return self.stay(),
        };
        let Some(receiver) = waiting.receiver_of(&callback) else {
            return self.stay();
        };
        let (id, store, close) = (
            waiting.id.clone(),
            waiting.store,
            Effect::CloseReceivers { attempt: waiting.id.clone() },
        );
        match callback.response {
            AuthorizationResponse::Code(code) => {
                let exchange = Effect::ExchangeCode {
                    attempt: id.clone(),
                    receiver: receiver.receiver,
                    code,
                    verifier: receiver.verifier.clone(),
                };
                self.sign_in =
                    SignInState::Exchanging { id, store, deadline: now.after(EXCHANGE_LIFETIME) };
                (self, vec![Effect::Raise, exchange, close])
            }
            AuthorizationResponse::Error(_) => {
                (self.idle(Some((Problem::AccessDenied, Some(id)))), vec![Effect::Raise, close])
            }
        }
    }

    pub(crate) fn tick_sign_in(mut self, now: Moment) -> Step {
        let due = |deadline: Moment| deadline <= now;
        match &mut self.sign_in {
            SignInState::Starting { ticket, deadline, .. } if due(*deadline) => {
                let ticket = *ticket;
                self.loaded(ticket, Err(Problem::KeychainSlow), now)
            }
            SignInState::Preparing { seed, deadline } if due(*deadline) => {
                let (id, effects) = (seed.id.clone(), given_up(seed.id.clone()));
                (self.idle(Some((Problem::ServiceUnavailable, Some(id)))), effects)
            }
            SignInState::AwaitingCallback(waiting) if due(waiting.deadline) => {
                let (id, effects) = (waiting.id.clone(), given_up(waiting.id.clone()));
                (self.idle(Some((Problem::TimedOut, Some(id)))), effects)
            }
            SignInState::Exchanging { id, deadline, .. } if due(*deadline) => {
                let id = id.clone();
                let outcome = Outcome::Failed(Problem::TimedOut);
                let report = Effect::Report { attempt: id.clone(), outcome };
                (self.idle(Some((Problem::TimedOut, Some(id)))), vec![report])
            }
            SignInState::Saving { id, ticket, session, deadline } if due(*deadline) => {
                let (id, ticket, session) = (id.clone(), *ticket, session.clone());
                self.hold(&id, session, Some(Problem::KeychainSlow), Some(ticket), now)
            }
            SignInState::Starting { .. }
            | SignInState::Idle { .. }
            | SignInState::Preparing { .. }
            | SignInState::AwaitingCallback(_)
            | SignInState::Exchanging { .. }
            | SignInState::Saving { .. } => self.stay(),
        }
    }
}

impl WaitingAttempt {
    fn open_browser(&self) -> Option<Effect> {
        let url = self.urls.first()?.clone();
        Some(Effect::OpenBrowser { attempt: self.id.clone(), url })
    }
}

pub(super) fn given_up(attempt: AttemptId) -> Vec<Effect> {
    vec![Effect::CloseReceivers { attempt: attempt.clone() }, Effect::CancelAttempt { attempt }]
}
