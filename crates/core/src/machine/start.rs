//! Starting: the keychain is being read. A click and one callback are held until it is.

use super::{Front, LOAD_LIFETIME, LONGEST_WAIT, Machine, Step, Waiting};
use crate::effect::Effect;
use crate::event::{Event, Ticket, Vault};
use crate::moment::Moment;
use crate::problem::Problem;

impl Machine {
    pub(crate) fn loaded(
        mut self,
        answered: Ticket,
        result: Result<Vault, Problem>,
        now: Moment,
    ) -> Step {
        let (wanted, held) = match self.front {
            Front::Starting { ticket, ref mut wanted, ref mut held, .. } if ticket == answered => {
                (wanted.take(), held.take())
            }
            _ if self.rereading == Some(answered) => return self.reread(result, now),
            _ => return self.stay(),
        };
        let unread = result.is_err();
        let (mut machine, mut effects) = match result {
            Ok(vault) => self.restored(vault, now),
            Err(problem) => (self.idle(Some((problem, None))), Vec::new()),
        };
        let (machine, more) = match (wanted, held) {
            (None, Some(callback)) if unread => {
                machine.held = Some(callback);
                machine.stay()
            }
            (Some(seed), _) => machine.step(Event::SignInWanted(seed), now),
            (None, Some(callback)) => machine.step(Event::Called(callback), now),
            (None, None) => machine.stay(),
        };
        effects.extend(more);
        (machine, effects)
    }

    /// A keychain that could not be read says nothing about who is signed in: it is asked again.
    pub(crate) fn load_again_wanted(mut self, now: Moment) -> Step {
        let Front::Idle { problem: Some((problem, None)) } = &self.front else {
            return self.stay();
        };
        if !problem.is_of_keychain() || !self.accounts.is_empty() {
            return self.stay();
        }
        let ticket = self.take_ticket();
        let deadline = now.after(LOAD_LIFETIME);
        let held = self.held.take();
        self.rereading = None;
        self.front = Front::Starting { ticket, deadline, wanted: None, held };
        (self, vec![Effect::Load { ticket }])
    }

    /// The first reading that the keychain answered.
    pub(super) fn restored(mut self, vault: Vault, now: Moment) -> Step {
        self.unread = false;
        let (kept, trouble) = (vault.kept.clone(), vault.trouble);
        self.take_accounts_of(vault, now);
        match kept {
            Some(kept) if kept.deadline > now => {
                let attempt = kept.id.clone();
                self.front = Front::AwaitingCallback(Waiting {
                    id: kept.id,
                    doors: vec![kept.door],
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
                self.idle(trouble.map(|p| (p, None))),
                vec![Effect::CloseDoors { attempt: kept.id }],
            ),
            None => (self.idle(trouble.map(|p| (p, None))), Vec::new()),
        }
    }
}
