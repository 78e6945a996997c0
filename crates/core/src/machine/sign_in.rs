//! One attempt from the click to the session. A new click replaces the attempt; a late result of
//! another attempt changes nothing, and a late success is revoked.

use super::{EXCHANGE_LIFETIME, Front, LONGEST_WAIT, Machine, PREPARE_LIFETIME, Step, Waiting};
use crate::attempt::{AttemptId, AttemptSeed, Pushed};
use crate::callback::{Answer, Callback};
use crate::effect::{Effect, Outcome};
use crate::event::Progress;
use crate::moment::Moment;
use crate::problem::Problem;

impl Machine {
    pub(crate) fn sign_in_wanted(mut self, seed: AttemptSeed, now: Moment) -> Step {
        let mut effects = match &mut self.front {
            Front::Starting { wanted, .. } => {
                *wanted = Some(seed);
                return self.stay();
            }
            // The code is used: what comes back decides, a click meanwhile does not.
            Front::Exchanging { .. } | Front::Saving { .. } => return self.stay(),
            // A double click is the same wish; and a seed used before is never an attempt of its
            // own.
            Front::Preparing { seed: under_way, .. } if under_way.id == seed.id => {
                return self.stay();
            }
            Front::Preparing { seed, .. } => given_up(seed.id.clone()),
            Front::AwaitingCallback(waiting) => given_up(waiting.id.clone()),
            Front::Idle { .. } => Vec::new(),
        };
        self.held = None;
        effects.push(Effect::Prepare(seed.clone()));
        self.front = Front::Preparing { seed, deadline: now.after(PREPARE_LIFETIME) };
        (self, effects)
    }

    pub(crate) fn prepared(
        mut self,
        attempt: &AttemptId,
        result: Result<Pushed, Problem>,
        now: Moment,
    ) -> Step {
        let Front::Preparing { seed, .. } = &self.front else {
            return self.stay();
        };
        if seed.id != *attempt {
            return self.stay();
        }
        let seed = seed.clone();
        match result {
            Err(problem) => {
                let close = Effect::CloseDoors { attempt: seed.id.clone() };
                (self.idle(Some((problem, Some(seed.id)))), vec![close])
            }
            Ok(pushed) => {
                let waiting = Waiting {
                    id: seed.id,
                    doors: seed.doors,
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
                self.front = Front::AwaitingCallback(waiting);
                (self, effects)
            }
        }
    }

    pub(crate) fn open_again_wanted(mut self) -> Step {
        let Front::AwaitingCallback(waiting) = &mut self.front else {
            return self.stay();
        };
        waiting.browser_failed = false;
        let effects = waiting.open_browser().into_iter().collect();
        (self, effects)
    }

    pub(crate) fn copy_link_wanted(self) -> Step {
        let Front::AwaitingCallback(waiting) = &self.front else {
            return self.stay();
        };
        let effects = waiting.urls.first().map(|url| Effect::CopyLink { url: url.clone() });
        (self, effects.into_iter().collect())
    }

    pub(crate) fn cancel_wanted(mut self) -> Step {
        match &mut self.front {
            Front::Starting { wanted, .. } => {
                *wanted = None;
                self.stay()
            }
            Front::Preparing { seed: AttemptSeed { id, .. }, .. }
            | Front::AwaitingCallback(Waiting { id, .. }) => {
                let effects = given_up(id.clone());
                (self.idle(None), effects)
            }
            // The code is out: if a session comes of it, it comes too late and is revoked.
            Front::Exchanging { id, .. } => {
                let outcome = Outcome::Failed(Problem::Cancelled);
                let report = Effect::Report { attempt: id.clone(), outcome };
                (self.idle(None), vec![report])
            }
            Front::Saving { .. } | Front::Idle { .. } => self.stay(),
        }
    }

    pub(crate) fn dismiss_wanted(mut self) -> Step {
        if let Front::Idle { problem } = &mut self.front {
            *problem = None;
        }
        self.stay()
    }

    pub(crate) fn browser_failed(mut self, attempt: &AttemptId) -> Step {
        if let Front::AwaitingCallback(waiting) = &mut self.front
            && waiting.id == *attempt
        {
            waiting.browser_failed = true;
        }
        self.stay()
    }

    pub(crate) fn progressed(mut self, attempt: &AttemptId, progress: Progress) -> Step {
        let Front::AwaitingCallback(waiting) = &mut self.front else {
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
            Progress::Failed(problem) => {
                let close = Effect::CloseDoors { attempt: attempt.clone() };
                (self.idle(Some((problem, Some(attempt.clone())))), vec![close])
            }
        }
    }

    pub(crate) fn called(mut self, callback: Callback, now: Moment) -> Step {
        let waiting = match &mut self.front {
            // One is held until the keychain says whether it is awaited; a second one changes
            // nothing.
            Front::Starting { held, .. } => {
                held.get_or_insert(callback);
                return self.stay();
            }
            Front::AwaitingCallback(waiting) => waiting,
            // So it is while the keychain stays locked, however long that takes: the link may have
            // started the app, and the attempt that it belongs to is in there.
            Front::Idle { .. } if self.unread => {
                self.held.get_or_insert(callback);
                return self.stay();
            }
            Front::Idle { .. }
            | Front::Preparing { .. }
            | Front::Exchanging { .. }
            | Front::Saving { .. } => return self.stay(),
        };
        let Some(door) = waiting.door_of(&callback) else {
            return self.stay();
        };
        let (id, store, close) =
            (waiting.id.clone(), waiting.store, Effect::CloseDoors { attempt: waiting.id.clone() });
        match callback.answer {
            Answer::Code(code) => {
                let exchange = Effect::ExchangeCode {
                    attempt: id.clone(),
                    door: door.door,
                    code,
                    verifier: door.verifier.clone(),
                };
                self.front =
                    Front::Exchanging { id, store, deadline: now.after(EXCHANGE_LIFETIME) };
                (self, vec![Effect::Raise, exchange, close])
            }
            Answer::Error(_) => {
                (self.idle(Some((Problem::AccessDenied, Some(id)))), vec![Effect::Raise, close])
            }
        }
    }

    pub(crate) fn tick_front(mut self, now: Moment) -> Step {
        let due = |deadline: Moment| deadline <= now;
        match &mut self.front {
            Front::Starting { ticket, deadline, .. } if due(*deadline) => {
                let ticket = *ticket;
                self.loaded(ticket, Err(Problem::KeychainSlow), now)
            }
            Front::Preparing { seed, deadline } if due(*deadline) => {
                let (id, effects) = (seed.id.clone(), given_up(seed.id.clone()));
                (self.idle(Some((Problem::ServiceUnavailable, Some(id)))), effects)
            }
            Front::AwaitingCallback(waiting) if due(waiting.deadline) => {
                let (id, effects) = (waiting.id.clone(), given_up(waiting.id.clone()));
                (self.idle(Some((Problem::TimedOut, Some(id)))), effects)
            }
            Front::Exchanging { id, deadline, .. } if due(*deadline) => {
                let id = id.clone();
                let outcome = Outcome::Failed(Problem::TimedOut);
                let report = Effect::Report { attempt: id.clone(), outcome };
                (self.idle(Some((Problem::TimedOut, Some(id)))), vec![report])
            }
            Front::Saving { id, ticket, session, deadline } if due(*deadline) => {
                let (id, ticket, session) = (id.clone(), *ticket, session.clone());
                self.hold(&id, session, Some(Problem::KeychainSlow), Some(ticket), now)
            }
            _ => self.stay(),
        }
    }
}

impl Waiting {
    fn open_browser(&self) -> Option<Effect> {
        let url = self.urls.first()?.clone();
        Some(Effect::OpenBrowser { attempt: self.id.clone(), url })
    }
}

fn given_up(attempt: AttemptId) -> Vec<Effect> {
    vec![Effect::CloseDoors { attempt: attempt.clone() }, Effect::CancelAttempt { attempt }]
}
