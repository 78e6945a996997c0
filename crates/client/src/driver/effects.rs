//! Runs effects, each in a task of its own, and sends back what came of them. Two things keep an
//! order: an attempt is kept before its browser opens, and what others wait for is finished
//! before the client ends.

use std::sync::Arc;

use keyport_core::{Effect, Event, Machine};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::attempt::Attempts;
use super::kept_attempt::{self, KeptAttemptJob};
use super::left_sessions;
use super::notices::Notices;
use super::{ClientNotice, Inputs, tell};
use crate::config::Config;
use crate::platform::Platform;
use crate::receivers::Receivers;
use crate::session::{SaveLock, Sessions, WithoutLock};

pub(super) struct EffectRunner {
    pub(super) without_lock: WithoutLock,
    pub(super) config: Arc<Config>,
    pub(super) receivers: Receivers,
    pub(super) platform: Platform,
    pub(super) sessions: Sessions,
    pub(super) inputs: Inputs,
    pub(super) notices: Notices,
    pub(super) attempts: Attempts,
    pub(super) tasks: JoinSet<()>,
    pub(super) kept_attempts: mpsc::UnboundedSender<KeptAttemptJob>,
    keeper: JoinHandle<()>,
    /// Ends sessions that were left at the companion, whenever it is told to.
    pub(super) left_sessions: Arc<Notify>,
    ender: JoinHandle<()>,
    /// Until the attempt is kept, its browser waits.
    pub(super) keeping: Option<oneshot::Receiver<()>>,
    /// The right to save what has just been exchanged.
    pub(super) save_lock: Option<Box<SaveLock>>,
}

impl EffectRunner {
    pub(super) fn new(
        without_lock: WithoutLock,
        config: Config,
        platform: Platform,
        sessions: Sessions,
        inputs: Inputs,
        notices: Notices,
    ) -> Self {
        let (kept_attempts, jobs) = mpsc::unbounded_channel();
        let keeper = tokio::spawn(kept_attempt::work(sessions.clone(), jobs));
        let left_sessions = Arc::new(Notify::new());
        let (clock, wanted) = (platform.clock.clone(), left_sessions.clone());
        let ender = tokio::spawn(left_sessions::work(sessions.clone(), clock, wanted));
        Self {
            without_lock,
            receivers: Receivers::of(&config),
            config: Arc::new(config),
            platform,
            sessions,
            inputs,
            notices,
            attempts: Attempts::default(),
            tasks: JoinSet::new(),
            kept_attempts,
            keeper,
            left_sessions,
            ender,
            keeping: None,
            save_lock: None,
        }
    }

    /// Runs one effect; `machine` is as it is after its step.
    pub(super) fn run(&mut self, effect: Effect, machine: &Machine) {
        match effect {
            Effect::Load { ticket } => self.load(ticket),
            Effect::Prepare(seed) => self.prepare(seed),
            Effect::Keep(kept) => self.keep(kept),
            Effect::OpenBrowser { attempt, url } => self.open_browser(attempt, url),
            Effect::CopyLink { url } => self.copy_link(url),
            Effect::Watch { attempt } => self.watch(&attempt),
            Effect::CloseReceivers { attempt } => self.close_receivers(&attempt),
            Effect::CancelAttempt { attempt } => self.cancel_attempt(&attempt),
            Effect::ExchangeCode { attempt, receiver, code, verifier } => {
                self.exchange_code(attempt, receiver, code, verifier);
            }
            Effect::Save { ticket, session } => self.save(ticket, session),
            Effect::Hold { session } => self.sessions.hold(&session),
            Effect::Erase { account } => self.erase(account),
            Effect::Report { attempt, outcome } => self.report(&attempt, outcome, machine),
            Effect::Refresh { ticket, account } => self.refresh(ticket, account),
            Effect::MakeCurrent { account } => self.make_current(account),
            Effect::SignOut { account } => self.sign_out(account),
            Effect::ListSessions { ticket, account } => self.list_sessions(ticket, account),
            Effect::EndSession { ticket, account, session } => {
                self.end_session(ticket, account, session);
            }
            Effect::SignOutEverywhere { ticket, account } => {
                self.sign_out_everywhere(ticket, account);
            }
            Effect::Revoke { token } => self.revoke(token),
            Effect::Raise => self.notices.send(ClientNotice::Raise),
        }
    }

    /// After the effects of one step.
    pub(super) fn batch_ends(&mut self) {
        self.keeping = None;
    }

    /// Asks the system to unlock the keychain, and has `event` happen after that, unlocked or not.
    pub(super) fn unlock_then(&mut self, event: Event) {
        let (keychain, inputs) = (self.platform.keychain.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            if let Err(error) = keychain.unlock().await {
                tracing::info!(cause = %error, "the keychain was not unlocked");
            }
            tell(&inputs, event);
        });
    }

    /// Takes away a task that has ended. Waits for ever when there is none.
    pub(super) async fn one_finished(&mut self) {
        if !self.next_finished().await {
            std::future::pending::<()>().await;
        }
    }

    /// As [`one_finished`](Self::one_finished); false when there is none.
    pub(super) async fn next_finished(&mut self) -> bool {
        match self.tasks.join_next().await {
            Some(Ok(())) => true,
            Some(Err(error)) => {
                tracing::error!(panicked = error.is_panic(), "a task failed");
                true
            }
            None => false,
        }
    }

    pub(super) fn close_all_receivers(&self) {
        for attempt in self.attempts.all() {
            attempt.close();
        }
    }

    /// Waits for what is not a task of one effect: answers on their way to the browser, and the
    /// task that keeps the attempt.
    pub(super) async fn end(&mut self) {
        for attempt in self.attempts.all() {
            attempt.served().await;
        }
        let (closed, _) = mpsc::unbounded_channel();
        self.kept_attempts = closed;
        let _ = (&mut self.keeper).await;
    }
}

impl Drop for EffectRunner {
    fn drop(&mut self) {
        self.keeper.abort();
        self.ender.abort();
    }
}
