//! Where the person of the account that is shown is signed in: listed while the person looks at it,
//! and ended from there. One request at a time; the list goes with the screen.

use super::{Machine, SignInState, Step};
use crate::account::AccountId;
use crate::device_session::DeviceSession;
use crate::effect::Effect;
use crate::event::Ticket;
use crate::problem::Problem;

/// The list that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionList {
    account: AccountId,
    /// The request that is under way.
    under_way: Option<Ticket>,
    /// What the companion said last.
    pub listed: Option<Vec<DeviceSession>>,
    /// Why the last request could not be done.
    pub problem: Option<Problem>,
}

impl SessionList {
    /// Whether the companion is being asked.
    pub(crate) fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }
}

impl Machine {
    pub(super) fn show_sessions(mut self) -> Step {
        let is_at_rest = matches!(self.sign_in, SignInState::Idle { problem: None });
        let Some(account) = self.current.clone().filter(|_| is_at_rest) else {
            return self.stay();
        };
        let list = SessionList { account, under_way: None, listed: None, problem: None };
        let list = self.session_list.take().unwrap_or(list);
        self.ask(list, |ticket, account| Effect::ListSessions { ticket, account })
    }

    /// The session of this device is signed out as with a click on *Sign out*.
    pub(super) fn end_session(mut self, session: String) -> Step {
        let Some(list) = self.session_list.take() else {
            return self.stay();
        };
        let named = list.listed.iter().flatten().find(|listed| listed.id == session);
        match named.map(|listed| listed.is_this) {
            Some(true) => self.sign_out(),
            Some(false) => {
                self.ask(list, |ticket, account| Effect::EndSession { ticket, account, session })
            }
            None => {
                self.session_list = Some(list);
                self.stay()
            }
        }
    }

    pub(super) fn sign_out_everywhere(mut self) -> Step {
        match self.session_list.take() {
            Some(list) => {
                self.ask(list, |ticket, account| Effect::SignOutEverywhere { ticket, account })
            }
            None => self.stay(),
        }
    }

    /// Nothing is asked while another request is under way.
    fn ask(
        mut self,
        mut list: SessionList,
        effect: impl FnOnce(Ticket, AccountId) -> Effect,
    ) -> Step {
        let mut effects = Vec::new();
        if !list.is_busy() {
            let ticket = self.take_ticket();
            (list.under_way, list.problem) = (Some(ticket), None);
            effects.push(effect(ticket, list.account.clone()));
        }
        self.session_list = Some(list);
        (self, effects)
    }

    pub(super) fn sessions_listed(
        self,
        ticket: Ticket,
        result: Result<Vec<DeviceSession>, Problem>,
    ) -> Step {
        self.list_answered(ticket, result, |mut machine, mut list, listed| {
            list.listed = Some(listed);
            machine.session_list = Some(list);
            machine.stay()
        })
    }

    /// The client has taken the account out of keychain and memory.
    pub(super) fn signed_out_everywhere(self, ticket: Ticket, result: Result<(), Problem>) -> Step {
        self.list_answered(ticket, result, |mut machine, list, ()| {
            machine.drop_account(&list.account);
            machine.stay()
        })
    }

    fn list_answered<T>(
        mut self,
        ticket: Ticket,
        result: Result<T, Problem>,
        done: impl FnOnce(Self, SessionList, T) -> Step,
    ) -> Step {
        let is_awaited = |list: &SessionList| list.under_way == Some(ticket);
        let Some(mut list) = self.session_list.take_if(|list| is_awaited(list)) else {
            return self.stay();
        };
        list.under_way = None;
        match result {
            Ok(answer) => done(self, list, answer),
            Err(why) if why.ends_session() => self.end_shown(&list.account, why),
            Err(problem) => {
                list.problem = Some(problem);
                self.session_list = Some(list);
                self.stay()
            }
        }
    }

    pub(super) fn without_list(mut self) -> Self {
        self.session_list = None;
        self
    }

    /// Another screen is shown, or another account: the list is not looked at any more.
    pub(super) fn without_hidden_list(self) -> Self {
        let is_at_rest = matches!(self.sign_in, SignInState::Idle { problem: None });
        let is_of_shown = |list: &SessionList| self.current.as_ref() == Some(&list.account);
        if is_at_rest && self.session_list.as_ref().is_some_and(is_of_shown) {
            return self;
        }
        self.without_list()
    }
}
