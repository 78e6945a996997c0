//! Runs effects, each in a task of its own, and sends back what came of them. Two things keep an
//! order: an attempt is kept before its browser opens, and what others wait for is finished
//! before the client ends.

use std::sync::Arc;

use keyport_core::secret::AuthorizationUrl;
use keyport_core::{AttemptId, AttemptSeed, Effect, Event, KeptAttempt, Problem, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::attempt::Attempts;
use super::callbacks::deliver_to;
use super::kept_attempt::{self, KeptAttemptJob};
use super::prepare::Preparation;
use super::{Inputs, Links, short, tell, watch};
use crate::browser::{self, BrowserError, CompanionOrigin};
use crate::config::Config;
use crate::platform::Platform;
use crate::receivers::Receivers;
use crate::session::{SaveLock, Sessions, SignedOut};

pub(super) struct EffectRunner {
    pub(super) links: Links,
    pub(super) config: Arc<Config>,
    pub(super) receivers: Receivers,
    platform: Platform,
    pub(super) sessions: Sessions,
    pub(super) inputs: Inputs,
    pub(super) attempts: Attempts,
    pub(super) tasks: JoinSet<()>,
    kept_attempts: mpsc::UnboundedSender<KeptAttemptJob>,
    keeper: JoinHandle<()>,
    /// Until the attempt is kept, its browser waits.
    keeping: Option<oneshot::Receiver<()>>,
    /// The right to save what has just been exchanged.
    pub(super) save_lock: Option<Box<SaveLock>>,
}

impl EffectRunner {
    pub(super) fn new(
        links: Links,
        config: Config,
        platform: Platform,
        sessions: Sessions,
        inputs: Inputs,
        receivers: Receivers,
    ) -> Self {
        let (kept_attempts, jobs) = mpsc::unbounded_channel();
        let keeper = tokio::spawn(kept_attempt::work(sessions.clone(), jobs));
        Self {
            links,
            config: Arc::new(config),
            receivers,
            platform,
            sessions,
            inputs,
            attempts: Attempts::default(),
            tasks: JoinSet::new(),
            kept_attempts,
            keeper,
            keeping: None,
            save_lock: None,
        }
    }

    pub(super) fn run(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare(seed) => self.prepare(seed),
            Effect::Keep(kept) => self.keep(kept),
            Effect::OpenBrowser { attempt, url } => self.open_browser(attempt, url),
            Effect::CopyLink { url } => self.copy_link(url),
            Effect::Watch { attempt } => {
                let attempt = self.attempts.find(&attempt);
                let clock = self.platform.clock.clone();
                let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
                self.tasks.spawn(watch::follow(attempt, sessions, clock, inputs));
            }
            Effect::CloseReceivers { attempt } => self.close_receivers(&attempt),
            Effect::CancelAttempt { attempt } => self.cancel_attempt(&attempt),
            Effect::Report { attempt, outcome } => self.report(&attempt, outcome),
            Effect::ExchangeCode { attempt, receiver, code, verifier } => {
                self.exchange_code(attempt, receiver, code, verifier);
            }
            Effect::Hold { session } => self.sessions.hold(&session),
            // The engine has told whoever can raise a window.
            Effect::Raise => {}
            other => self.run_on_sessions(other),
        }
    }

    /// After the effects of one step.
    pub(super) fn batch_ends(&mut self) {
        self.keeping = None;
    }

    /// Effects that need nothing but the sessions.
    fn run_on_sessions(&mut self, effect: Effect) {
        let (sessions, inputs, links) = (self.sessions.clone(), self.inputs.clone(), self.links);
        let lock = match effect {
            Effect::Save { .. } => self.save_lock.take(),
            _ => None,
        };
        self.tasks.spawn(async move {
            match effect {
                Effect::Load { ticket } => {
                    let mut result = sessions.load().await;
                    if let (Ok(vault), Links::OfTheApp) = (&mut result, links) {
                        vault.kept = None;
                    }
                    tell(&inputs, Event::Loaded { ticket, result });
                }
                Effect::Save { ticket, session } => {
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
                }
                Effect::Refresh { ticket, account } => {
                    let result = sessions.refresh(&account).await;
                    tell(&inputs, Event::Refreshed { ticket, result });
                }
                Effect::Erase { account } => warn_of("erase", sessions.erase(&account).await),
                Effect::MakeCurrent { account } => {
                    warn_of("make current", sessions.make_current(&account).await);
                }
                Effect::SignOut { account } => {
                    let event = match sessions.sign_out(&account).await {
                        Ok(SignedOut::Everywhere) => Event::SignedOut { account },
                        Ok(SignedOut::HereOnly) => {
                            Event::SignOutUnfinished { account, problem: Problem::SignedOutHere }
                        }
                        Err(problem) => Event::SignOutUnfinished { account, problem },
                    };
                    tell(&inputs, event);
                }
                Effect::Revoke { token } => warn_of("revoke", sessions.revoke(&token).await),
                _ => {}
            }
        });
    }

    pub(super) fn unlock_then(&mut self, event: Event) {
        let (keychain, inputs) = (self.platform.keychain.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            if let Err(error) = keychain.unlock().await {
                tracing::info!(cause = %error, "the keychain was not unlocked");
            }
            tell(&inputs, event);
        });
    }

    fn prepare(&mut self, seed: AttemptSeed) {
        let survives = seed.receivers.iter().any(|drawn| drawn.receiver.survives_restart());
        let is_kept = survives && seed.store == Store::Keychain;
        let attempt = self.attempts.begin(seed.id.clone(), is_kept);
        let inputs = self.inputs.clone();
        let preparation = Preparation {
            config: self.config.clone(),
            receivers: self.receivers.clone(),
            sessions: self.sessions.clone(),
            random: self.platform.random.clone(),
            deliver: deliver_to(&self.inputs),
        };
        self.tasks.spawn(async move {
            if let Some(result) = preparation.run(&attempt, &seed).await {
                tell(&inputs, Event::Prepared { attempt: seed.id, result });
            }
        });
    }

    /// The device key of an attempt whose session shall live in memory ends with the process, and
    /// so does the attempt.
    fn keep(&mut self, kept: KeptAttempt) {
        if kept.store == Store::Keychain {
            let (done, keeping) = oneshot::channel();
            self.keeping = Some(keeping);
            self.queue_job(KeptAttemptJob::Keep(kept, done));
        }
    }

    fn queue_job(&self, job: KeptAttemptJob) {
        // The worker ends after us.
        let _ = self.kept_attempts.send(job);
    }

    fn open_browser(&mut self, attempt: AttemptId, url: AuthorizationUrl) {
        let keeping = self.keeping.take();
        let (browser, inputs) = (self.platform.browser.clone(), self.inputs.clone());
        let companion = CompanionOrigin::of(&self.config.companion);
        let short_link = self.attempts.find(&attempt).short_link();
        self.tasks.spawn(async move {
            if let Some(keeping) = keeping {
                // Kept or not: the browser opens.
                let _ = keeping.await;
            }
            let opened = match companion {
                Ok(companion) => browser::open(&*browser, &url, &companion, short_link).await,
                Err(_) => Err(BrowserError::NotPermitted),
            };
            match opened {
                Ok(()) => tracing::info!(attempt = short(&attempt), "browser opened"),
                Err(error) => {
                    tracing::warn!(attempt = short(&attempt), %error, "no browser");
                    tell(&inputs, Event::BrowserFailed { attempt });
                }
            }
        });
    }

    /// On a thread of its own: a clipboard waits for the display server.
    fn copy_link(&mut self, url: AuthorizationUrl) {
        if let Some(clipboard) = self.platform.clipboard.clone() {
            self.tasks.spawn_blocking(move || {
                if let Err(error) = clipboard.copy(&url) {
                    tracing::warn!(%error, "the link was not copied");
                }
            });
        }
    }

    fn close_receivers(&mut self, attempt: &AttemptId) {
        let attempt = self.attempts.find(attempt);
        attempt.close();
        if attempt.is_kept {
            self.queue_job(KeptAttemptJob::Forget(attempt.id.clone()));
        }
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
    }
}

fn warn_of(chore: &str, done: Result<(), Problem>) {
    if let Err(problem) = done {
        tracing::warn!(chore, problem = problem.code(), "not done");
    }
}
