//! Sessions after sign-in: refresh, sign-out, and the rule that only a terminal answer ends one.

use super::{Freshness, Front, Machine, REFRESH_LIFETIME, RETRY_LIFETIME, Signed, Step};
use crate::account::{AccountId, NewSession, Stored};
use crate::attempt::AttemptId;
use crate::effect::{Effect, Outcome};
use crate::event::{Refreshed, Ticket};
use crate::moment::{Lifetime, Moment};
use crate::problem::Problem;

/// A session is refreshed this long before its access token ends.
const EARLY: Lifetime = Lifetime::seconds(30);

impl Machine {
    /// Takes a new session in; it becomes the one that is shown.
    pub(crate) fn admit(
        &mut self,
        session: &NewSession,
        stored: Stored,
        not_saved: Option<Problem>,
        given_up: Option<Ticket>,
    ) {
        let id = session.account.id.clone();
        let refresh_at = Moment(session.tokens.access_deadline.0.saturating_sub(EARLY.0));
        let signed = Signed {
            account: session.account.clone(),
            stored,
            not_saved,
            freshness: Freshness::Fresh { refresh_at },
            unreachable: None,
            given_up,
        };
        self.accounts.insert(id.clone(), signed);
        self.current = Some(id);
    }

    /// A save that was given up has an answer after all. The session lives in memory and rotates there, so what the keychain
    /// now holds would be an old token: it goes.
    pub(crate) fn saved_late(mut self, answered: Ticket, result: Result<(), Problem>) -> Step {
        let late = self.accounts.values_mut().find(|signed| signed.given_up == Some(answered));
        let Some(signed) = late else {
            return self.stay();
        };
        signed.given_up = None;
        let account = signed.account.id.clone();
        let effects = if result.is_ok() { vec![Effect::Erase { account }] } else { Vec::new() };
        (self, effects)
    }

    pub(crate) fn tick_sessions(mut self, now: Moment) -> Step {
        let mut effects = Vec::new();
        // While the keychain is read or written, nothing else may be done to it.
        if matches!(self.front, Front::Starting { .. } | Front::Saving { .. }) {
            return (self, effects);
        }
        for id in self.accounts.keys().cloned().collect::<Vec<_>>() {
            let ticket = self.next_ticket;
            let Some(signed) = self.accounts.get_mut(&id) else {
                continue;
            };
            match signed.freshness {
                Freshness::Fresh { refresh_at } if refresh_at <= now => {
                    let deadline = now.after(REFRESH_LIFETIME);
                    signed.freshness = Freshness::Refreshing { ticket, deadline };
                    effects.push(Effect::Refresh { ticket, account: id });
                    self.take_ticket();
                }
                Freshness::Refreshing { deadline, .. } if deadline <= now => {
                    signed.unreachable = Some(Problem::ServiceUnavailable);
                    let refresh_at = now.after(RETRY_LIFETIME);
                    signed.freshness = Freshness::Fresh { refresh_at };
                }
                Freshness::Fresh { .. } | Freshness::Refreshing { .. } => {}
            }
        }
        (self, effects)
    }

    pub(crate) fn refreshed(mut self, answered: Ticket, result: &Refreshed, now: Moment) -> Step {
        let asked = |signed: &&mut Signed| matches!(signed.freshness, Freshness::Refreshing { ticket, .. } if ticket == answered);
        let Some(signed) = self.accounts.values_mut().find(asked) else {
            return self.stay();
        };
        match result {
            Refreshed::Done { refresh_at, stored } => {
                signed.freshness = Freshness::Fresh { refresh_at: *refresh_at };
                signed.unreachable = None;
                if *stored == Stored::Keychain {
                    signed.not_saved = None;
                }
                signed.stored = *stored;
                self.stay()
            }
            Refreshed::Later(problem) => {
                signed.unreachable = Some(*problem);
                signed.freshness = Freshness::Fresh { refresh_at: now.after(RETRY_LIFETIME) };
                self.stay()
            }
            Refreshed::Ended => {
                let id = signed.account.id.clone();
                self.drop_account(&id);
                if let Front::Idle { problem } = &mut self.front {
                    *problem = Some((Problem::SessionEnded, None));
                }
                // The client has erased it under its lock, where nobody else's newer session can be hit.
                self.stay()
            }
        }
    }

    pub(crate) fn sign_out_wanted(self) -> Step {
        let attempt = match &self.front {
            Front::Idle { .. } => return self.sign_out_shown(),
            // Nobody is shown as signed in yet: what is under way is given up.
            Front::Starting { .. }
            | Front::Preparing { .. }
            | Front::AwaitingCallback(_)
            | Front::Exchanging { .. } => return self.cancel_wanted(),
            Front::Saving { id, session, .. } => (id.clone(), session.clone()),
        };
        self.sign_out_unsaved(attempt)
    }

    fn sign_out_unsaved(self, (attempt, session): (AttemptId, Box<NewSession>)) -> Step {
        let effects = vec![
            Effect::Revoke { token: session.tokens.refresh.clone() },
            Effect::Erase { account: session.account.id.clone() },
            Effect::Report { attempt, outcome: Outcome::Failed(Problem::Cancelled) },
        ];
        (self.idle(None), effects)
    }

    fn sign_out_shown(mut self) -> Step {
        let Some(account) = self.current.clone() else {
            return self.stay();
        };
        self.drop_account(&account);
        (self.idle(None), vec![Effect::SignOut { account }])
    }

    fn drop_account(&mut self, id: &AccountId) {
        self.accounts.remove(id);
        if self.current.as_ref() == Some(id) {
            self.current = self.accounts.keys().next().cloned();
        }
    }
}
