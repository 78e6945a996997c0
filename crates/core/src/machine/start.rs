//! Starting: the keychain is being read. A click and one callback are held until it is.

use super::sign_in::given_up;
use super::{LOAD_LIFETIME, LONGEST_WAIT, Machine, SignInState, Step, WaitingAttempt};
use crate::attempt::KeptAttempt;
use crate::effect::Effect;
use crate::event::{Event, KeychainContents, Ticket};
use crate::moment::Moment;
use crate::problem::{NextStep, Problem};

impl Machine {
    pub(crate) fn loaded(
        mut self,
        answered: Ticket,
        result: Result<KeychainContents, Problem>,
        now: Moment,
    ) -> Step {
        let (wanted, held) = match self.sign_in {
            SignInState::Starting { ticket, ref mut wanted, ref mut held, .. }
                if ticket == answered =>
            {
                (wanted.take(), held.take())
            }
            _ if self.rereading == Some(answered) => return self.reread(result, now),
            _ => return self.stay(),
        };
        let unread = result.is_err();
        let (mut machine, mut effects) = match result {
            Ok(contents) => self.restored(contents, now),
            Err(problem) => (self.idle(Some((problem, None))), Vec::new()),
        };
        let (machine, more) = match (wanted, held) {
            (None, Some(callback)) if unread => {
                machine.held = Some(callback);
                machine.stay()
            }
            (Some((request, draws)), _) => machine.sign_in_wanted(request, draws, now),
            (None, Some(callback)) => machine.step(Event::CallbackReceived(callback), now),
            (None, None) => machine.stay(),
        };
        effects.extend(more);
        (machine, effects)
    }

    /// Whether the keychain could not be read, so that *try again* is about reading it: it says
    /// nothing about who is signed in.
    pub(crate) fn asks_to_load_again(&self) -> bool {
        let SignInState::Idle { problem: Some((problem, None)) } = &self.sign_in else {
            return false;
        };
        problem.next_step() == NextStep::KeychainAgain && self.accounts.is_empty()
    }

    pub(super) fn load_again(mut self, now: Moment) -> Step {
        let ticket = self.take_ticket();
        let deadline = now.after(LOAD_LIFETIME);
        let held = self.held.take();
        self.rereading = None;
        self.sign_in = SignInState::Starting { ticket, deadline, wanted: None, held };
        (self, vec![Effect::Load { ticket }])
    }

    /// The first reading that the keychain answered.
    pub(super) fn restored(mut self, contents: KeychainContents, now: Moment) -> Step {
        self.unread = false;
        // An attempt that waits for another client's receiver is that client's.
        let is_ours = |kept: &KeptAttempt| self.order.iter().any(|r| r == kept.receiver.receiver);
        let (kept, error) = (contents.kept.clone().filter(is_ours), contents.error);
        self.take_accounts_of(contents, now);
        let is_replaced = std::mem::take(&mut self.kept_is_replaced);
        match kept {
            Some(kept) if is_replaced => {
                let effects = given_up(kept.id);
                (self.idle(error.map(|p| (p, None))), effects)
            }
            Some(kept) if kept.deadline > now => {
                let attempt = kept.id.clone();
                self.last_request.tried = [kept.receiver.receiver].into();
                self.sign_in = SignInState::AwaitingCallback(WaitingAttempt {
                    id: kept.id,
                    receivers: vec![kept.receiver],
                    urls: Vec::new(),
                    issuer: kept.issuer,
                    store: kept.store,
                    deadline: kept.deadline.min(now.after(LONGEST_WAIT)),
                    number: None,
                    minted: false,
                    browser_failed: false,
                });
                (self, vec![Effect::Watch { attempt }])
            }
            Some(kept) => (
                self.idle(error.map(|p| (p, None))),
                vec![Effect::CloseReceivers { attempt: kept.id }],
            ),
            None => (self.idle(error.map(|p| (p, None))), Vec::new()),
        }
    }
}
