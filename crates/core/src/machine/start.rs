//! Starting: the keychain is being read. A click and one callback are held until it is.

use super::{
    Freshness, Front, LOAD_LIFETIME, LONGEST_WAIT, Machine, RETRY_LIFETIME, Signed, Step, Waiting,
};
use crate::account::Stored;
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
        self.front = Front::Starting { ticket, deadline, wanted: None, held };
        (self, vec![Effect::Load { ticket }])
    }

    fn restored(mut self, vault: Vault, now: Moment) -> Step {
        for account in vault.accounts {
            let signed = Signed {
                stored: Stored::Keychain,
                not_saved: None,
                // Whether the companion still knows the session is found out at once, on the first tick.
                freshness: Freshness::Fresh { refresh_at: now },
                unreachable: None,
                retry: RETRY_LIFETIME,
                given_up: None,
                account,
            };
            self.accounts.insert(signed.account.id.clone(), signed);
        }
        self.current = vault
            .current
            .filter(|id| self.accounts.contains_key(id))
            .or_else(|| self.accounts.keys().next().cloned());
        match vault.kept {
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
                self.idle(vault.trouble.map(|p| (p, None))),
                vec![Effect::CloseDoors { attempt: kept.id }],
            ),
            None => (self.idle(vault.trouble.map(|p| (p, None))), Vec::new()),
        }
    }
}
