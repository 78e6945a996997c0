//! Sessions after sign-in: refresh, sign-out, and the rule that only a terminal answer ends one.

use std::time::Duration;

use super::{
    Freshness, LONGEST_RETRY, Machine, REFRESH_LIFETIME, RETRY_LIFETIME, SignInState,
    SignedInAccount, Step,
};
use crate::account::{AccountId, NewSession, Stored};
use crate::attempt::AttemptId;
use crate::effect::{Effect, Outcome};
use crate::event::{Refreshed, Ticket};
use crate::moment::Moment;
use crate::problem::Problem;
use crate::rotation::refresh_at;

/// Never sooner after the last one, or a companion whose tokens end at once would be asked without
/// a pause.
const SOONEST: Duration = Duration::from_secs(30);
/// Never later, or a session would be given up to a lifetime that is not kept, or to a clock
/// that was wrong.
const LATEST: Duration = Duration::from_secs(3600);

impl Machine {
    /// Takes a new session in; it becomes the one that is shown.
    pub(crate) fn admit(
        &mut self,
        session: &NewSession,
        stored: Stored,
        not_saved: Option<Problem>,
        given_up: Option<Ticket>,
        now: Moment,
    ) {
        let id = session.account.id.clone();
        // What a reading under way found is older than this.
        self.rereading = None;
        self.leaving.remove(&id);
        self.not_signed_out.remove(&id);
        let signed = SignedInAccount {
            account: session.account.clone(),
            stored,
            not_saved,
            freshness: Freshness::until(refresh_at(session.tokens.access_deadline), now),
            unreachable: None,
            retry: RETRY_LIFETIME,
            given_up,
        };
        self.accounts.insert(id.clone(), signed);
        self.current = Some(id);
    }

    /// A save that was given up has an answer after all. The session lives in memory and rotates
    /// there, so what the keychain now holds would be an old token: it goes.
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
        if matches!(self.sign_in, SignInState::Starting { .. } | SignInState::Saving { .. }) {
            return (self, effects);
        }
        // A refresh takes the lock that a sign-in needs for its code, for as long as the companion
        // takes to answer: with several accounts, longer than a sign-in waits. It follows after.
        let may_begin = matches!(self.sign_in, SignInState::Idle { .. });
        for id in self.accounts.keys().cloned().collect::<Vec<_>>() {
            let ticket = self.next_ticket;
            let Some(signed) = self.accounts.get_mut(&id) else {
                continue;
            };
            match signed.freshness {
                Freshness::Fresh { refresh_at } if may_begin && refresh_at <= now => {
                    let deadline = now.after(REFRESH_LIFETIME);
                    signed.freshness = Freshness::Refreshing { ticket, deadline };
                    effects.push(Effect::Refresh { ticket, account: id });
                    self.take_ticket();
                }
                Freshness::Refreshing { deadline, .. } if deadline <= now => {
                    signed.try_later(Problem::ServiceUnavailable, now);
                }
                Freshness::Fresh { .. } | Freshness::Refreshing { .. } => {}
            }
        }
        (self, effects)
    }

    pub(crate) fn refreshed(mut self, answered: Ticket, result: &Refreshed, now: Moment) -> Step {
        let asked = |signed: &&mut SignedInAccount| match signed.freshness {
            Freshness::Refreshing { ticket, .. } => ticket == answered,
            _ => false,
        };
        let Some(signed) = self.accounts.values_mut().find(asked) else {
            return self.stay();
        };
        match result {
            Refreshed::Done { refresh_at, stored } => {
                signed.freshness = Freshness::until(*refresh_at, now);
                signed.unreachable = None;
                signed.retry = RETRY_LIFETIME;
                if *stored == Stored::Keychain {
                    signed.not_saved = None;
                }
                signed.stored = *stored;
                self.stay()
            }
            // No later try helps. What the keychain holds stays there: the key may come back.
            Refreshed::Later(Problem::DeviceKeyLost) => {
                let id = signed.account.id.clone();
                self.end_shown(&id, Problem::DeviceKeyLost)
            }
            Refreshed::Later(problem) => {
                signed.try_later(*problem, now);
                self.stay()
            }
            Refreshed::Ended(why) => {
                let id = signed.account.id.clone();
                // The client has erased it under its lock, where no newer session can be hit.
                self.end_shown(&id, *why)
            }
        }
    }

    pub(super) fn end_shown(mut self, account: &AccountId, why: Problem) -> Step {
        self.drop_account(account);
        if let SignInState::Idle { problem } = &mut self.sign_in {
            *problem = Some((why, None));
        }
        self.stay()
    }

    pub(super) fn sign_out(self) -> Step {
        let attempt = match &self.sign_in {
            SignInState::Idle { .. } => return self.sign_out_shown(),
            // No account is shown as signed in yet: what is under way is given up.
            SignInState::Starting { .. }
            | SignInState::Preparing { .. }
            | SignInState::AwaitingCallback(_)
            | SignInState::Exchanging { .. } => return self.cancel(),
            SignInState::Saving { id, session, .. } => (id.clone(), session.clone()),
        };
        self.sign_out_unsaved(attempt)
    }

    fn sign_out_unsaved(mut self, (attempt, session): (AttemptId, Box<NewSession>)) -> Step {
        // A session that the new one was to replace has gone the same way.
        self.drop_account(&session.account.id);
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
        self.leaving.insert(account.clone());
        (self.idle(None), vec![Effect::SignOut { account }])
    }

    /// A person who signed out must not believe more than is true. One who has signed in again
    /// meanwhile need not hear of it.
    pub(crate) fn sign_out_unfinished(mut self, account: &AccountId, problem: Problem) -> Step {
        let was_leaving = self.leaving.remove(account);
        if problem.is_of_keychain() && !was_leaving {
            return self.stay();
        }
        if let SignInState::Idle { problem: shown } = &mut self.sign_in
            && !self.accounts.contains_key(account)
        {
            let problem = if problem.is_of_keychain() {
                self.not_signed_out.insert(account.clone());
                Problem::NotSignedOut
            } else {
                problem
            };
            *shown = Some((problem, None));
        }
        self.stay()
    }

    /// Whether it is shown that a sign-out was refused by the keychain.
    pub(super) fn shows_not_signed_out(&self) -> bool {
        matches!(self.sign_in, SignInState::Idle { problem: Some((Problem::NotSignedOut, _)) })
    }

    pub(super) fn sign_out_again(mut self) -> Step {
        let accounts = std::mem::take(&mut self.not_signed_out);
        for account in &accounts {
            // Another reading of the keychain may have listed it again.
            self.drop_account(account);
        }
        self.leaving.extend(accounts.iter().cloned());
        let effects = accounts.into_iter().map(|account| Effect::SignOut { account }).collect();
        (self.idle(None), effects)
    }

    pub(super) fn drop_account(&mut self, id: &AccountId) {
        self.rereading = None;
        self.accounts.remove(id);
        if self.current.as_ref() == Some(id) {
            self.current = self.accounts.keys().next().cloned();
        }
    }
}

impl Freshness {
    /// Of a session that an earlier process or another one left: refreshed at once, unless its
    /// access token still works.
    pub(super) fn of_kept(fresh_until: Option<Moment>, now: Moment) -> Self {
        let wanted = fresh_until.map_or(now, refresh_at);
        Self::Fresh { refresh_at: wanted.clamp(now, now.after(LATEST)) }
    }

    /// To be refreshed at `wanted`, within reason.
    fn until(wanted: Moment, now: Moment) -> Self {
        Self::Fresh { refresh_at: wanted.clamp(now.after(SOONEST), now.after(LATEST)) }
    }
}

impl SignedInAccount {
    /// The session stays; the companion, or the keychain, is given more time with each try in vain.
    fn try_later(&mut self, problem: Problem, now: Moment) {
        self.unreachable = Some(problem);
        self.freshness = Freshness::Fresh { refresh_at: now.after(self.retry) };
        self.retry = self.retry.saturating_mul(2).min(LONGEST_RETRY);
    }
}
