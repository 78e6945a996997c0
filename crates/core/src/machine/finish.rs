//! From the code exchange to the kept session: saved in the keychain, or held in memory and said
//! so. What comes too late is revoked.

use super::{Machine, SAVE_LIFETIME, SignInState, Step};
use crate::account::{NewSession, Stored};
use crate::attempt::{AttemptId, SessionStore};
use crate::effect::{Effect, Outcome};
use crate::event::Ticket;
use crate::moment::Moment;
use crate::problem::Problem;

impl Machine {
    pub(crate) fn exchanged(
        mut self,
        attempt: &AttemptId,
        result: Result<Box<NewSession>, Problem>,
        now: Moment,
    ) -> Step {
        let store = match &self.sign_in {
            SignInState::Exchanging { id, store, .. } if id == attempt => *store,
            _ => return self.late(attempt, result),
        };
        match (result, store) {
            (Err(problem), _) => {
                let report =
                    Effect::Report { attempt: attempt.clone(), outcome: Outcome::Failed(problem) };
                (self.idle(Some((problem, Some(attempt.clone())))), vec![report])
            }
            (Ok(session), SessionStore::Memory) => self.hold(attempt, session, None, None, now),
            (Ok(session), SessionStore::Keychain) => {
                let ticket = self.take_ticket();
                let save = Effect::Save { ticket, session: session.clone() };
                let deadline = now.after(SAVE_LIFETIME);
                self.sign_in =
                    SignInState::Saving { id: attempt.clone(), ticket, session, deadline };
                (self, vec![save])
            }
        }
    }

    /// An exchange that is not awaited any more: its session must not live on unseen.
    fn late(self, attempt: &AttemptId, result: Result<Box<NewSession>, Problem>) -> Step {
        let Ok(session) = result else {
            return self.stay();
        };
        let being_saved = matches!(&self.sign_in, SignInState::Saving { id, .. } if id == attempt);
        if being_saved || self.completed.as_ref() == Some(attempt) {
            return self.stay();
        }
        let token = session.tokens.refresh.clone();
        (self, vec![Effect::Revoke { token }])
    }

    pub(crate) fn saved(
        mut self,
        answered: Ticket,
        result: Result<(), Problem>,
        now: Moment,
    ) -> Step {
        match &self.sign_in {
            SignInState::Saving { id, ticket, session, .. } if *ticket == answered => {
                let (attempt, session) = (id.clone(), session.clone());
                match result {
                    Ok(()) => {
                        self.admit(&session, Stored::Keychain, None, None, now);
                        self.completed = Some(attempt.clone());
                        let report = Effect::Report { attempt, outcome: Outcome::Stored };
                        (self.idle(None), vec![report])
                    }
                    Err(problem) => self.hold(&attempt, session, Some(problem), None, now),
                }
            }
            _ => self.saved_late(answered, result),
        }
    }

    /// Keeps the session in memory and says so.
    pub(crate) fn hold(
        mut self,
        attempt: &AttemptId,
        session: Box<NewSession>,
        why: Option<Problem>,
        given_up: Option<Ticket>,
        now: Moment,
    ) -> Step {
        self.admit(&session, Stored::Memory, why, given_up, now);
        self.completed = Some(attempt.clone());
        let report = Effect::Report { attempt: attempt.clone(), outcome: Outcome::Memory };
        (self.idle(None), vec![Effect::Hold { session }, report])
    }
}
