//! The effects that need nothing but the sessions: reading, saving, refreshing and ending them.
//! Each is a task of its own; those that the machine waits for answer with an event.

use keyport_core::event::Ticket;
use keyport_core::secret::RefreshToken;
use keyport_core::{AccountId, Event, NewSession, Problem};

use super::effects::EffectRunner;
use super::tell;
use crate::session::SignedOut;

impl EffectRunner {
    pub(super) fn load(&mut self, ticket: Ticket) {
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        let left = self.left_sessions.clone();
        self.tasks.spawn(async move {
            let result = sessions.load().await;
            tell(&inputs, Event::Loaded { ticket, result });
            left.notify_one();
        });
    }

    /// Under the lock that came with the exchange of its code.
    pub(super) fn save(&mut self, ticket: Ticket, session: Box<NewSession>) {
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        let lock = self.save_lock.take();
        self.tasks.spawn(async move {
            let (result, saved) = match lock {
                Some(lock) => match sessions.put(&session, *lock).await {
                    Ok(saved) => (Ok(()), Some(saved)),
                    Err(problem) => (Err(problem), None),
                },
                None => (Err(Problem::Internal), None),
            };
            tell(&inputs, Event::Saved { ticket, result });
            if let Some(saved) = saved {
                saved.finish().await;
            }
        });
    }

    pub(super) fn refresh(&mut self, ticket: Ticket, account: AccountId) {
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let result = sessions.refresh(&account).await;
            tell(&inputs, Event::Refreshed { ticket, result });
        });
    }

    pub(super) fn erase(&mut self, account: AccountId) {
        let sessions = self.sessions.clone();
        self.tasks.spawn(async move { log_failure("erase", sessions.erase(&account).await) });
    }

    pub(super) fn make_current(&mut self, account: AccountId) {
        let sessions = self.sessions.clone();
        self.tasks.spawn(async move {
            log_failure("make current", sessions.make_current(&account).await);
        });
    }

    pub(super) fn sign_out(&mut self, account: AccountId) {
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        let left = self.left_sessions.clone();
        self.tasks.spawn(async move {
            let event = match sessions.sign_out(&account).await {
                Ok(SignedOut::Everywhere) => Event::SignedOut { account },
                Ok(SignedOut::HereOnly) => {
                    left.notify_one();
                    Event::SignOutUnfinished { account, problem: Problem::SignedOutHere }
                }
                Err(problem) => Event::SignOutUnfinished { account, problem },
            };
            tell(&inputs, event);
        });
    }

    pub(super) fn list_sessions(&mut self, ticket: Ticket, account: AccountId) {
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let result = sessions.device_sessions(&account).await;
            tell(&inputs, Event::SessionsListed { ticket, result });
        });
    }

    pub(super) fn end_session(&mut self, ticket: Ticket, account: AccountId, session: String) {
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let result = match sessions.end_device_session(&account, &session).await {
                Ok(()) => sessions.device_sessions(&account).await,
                Err(problem) => Err(problem),
            };
            tell(&inputs, Event::SessionsListed { ticket, result });
        });
    }

    pub(super) fn sign_out_everywhere(&mut self, ticket: Ticket, account: AccountId) {
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let result = sessions.sign_out_everywhere(&account).await.map(drop);
            tell(&inputs, Event::SignedOutEverywhere { ticket, result });
        });
    }

    pub(super) fn revoke(&mut self, token: RefreshToken) {
        let sessions = self.sessions.clone();
        self.tasks.spawn(async move { log_failure("revoke", sessions.revoke(&token).await) });
    }
}

fn log_failure(effect: &str, done: Result<(), Problem>) {
    if let Err(problem) = done {
        tracing::warn!(effect, problem = problem.code(), "not done");
    }
}
