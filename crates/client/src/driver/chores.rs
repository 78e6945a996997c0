//! Runs effects, each in a task of its own, and sends back what came of them. Two things keep an order: an attempt is kept
//! before its browser opens, and what is owed to others is finished before the client ends.

use std::sync::Arc;
use std::time::Duration;

use keyport_core::effect::Outcome;
use keyport_core::secret::{AuthorizationCode, AuthorizationUrl, CodeVerifier};
use keyport_core::{AttemptId, AttemptSeed, Door, Effect, Event, KeptAttempt, Problem, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use super::attempt::{Attempt, Attempts};
use super::shelf::{self, Job};
use super::{Inputs, prepare, short, tell, watch};
use crate::browser::{self, BrowserTrouble, CompanionOrigin};
use crate::config::Config;
use crate::session::Sessions;
use crate::surroundings::Platform;

/// What finishing may take when the client ends.
const LAST: Duration = Duration::from_secs(5);

pub(super) struct Chores {
    config: Arc<Config>,
    platform: Platform,
    sessions: Sessions,
    inputs: Inputs,
    attempts: Attempts,
    tasks: JoinSet<()>,
    shelf: mpsc::UnboundedSender<Job>,
    /// Until the attempt is kept, its browser waits.
    keeping: Option<oneshot::Receiver<()>>,
}

impl Chores {
    pub(super) fn new(
        config: Config,
        platform: Platform,
        sessions: Sessions,
        inputs: Inputs,
    ) -> Self {
        let (shelf, jobs) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(shelf::work(sessions.clone(), jobs));
        Self {
            config: Arc::new(config),
            platform,
            sessions,
            inputs,
            attempts: Attempts::default(),
            tasks,
            shelf,
            keeping: None,
        }
    }

    pub(super) fn run(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare(seed) => self.prepare(seed),
            Effect::Keep(kept) => self.keep(kept),
            Effect::OpenBrowser { attempt, url } => self.open_browser(attempt, url),
            Effect::CopyLink { url } => self.copy_link(&url),
            Effect::Watch { attempt } => {
                let attempt = self.attempts.find(&attempt);
                let clock = self.platform.clock.clone();
                let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
                self.tasks.spawn(watch::follow(attempt, sessions, clock, inputs));
            }
            Effect::CloseDoors { attempt } => self.close_doors(&attempt),
            Effect::CancelAttempt { attempt } => self.cancel_attempt(&attempt),
            Effect::Report { attempt, outcome } => self.report(&attempt, outcome),
            Effect::ExchangeCode { attempt, door, code, verifier } => {
                self.exchange_code(attempt, door, code, verifier);
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
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            match effect {
                Effect::Load { ticket } => {
                    let result = sessions.load().await;
                    tell(&inputs, Event::Loaded { ticket, result });
                }
                Effect::Save { ticket, session } => {
                    let result = sessions.save(&session).await;
                    tell(&inputs, Event::Saved { ticket, result });
                }
                Effect::Refresh { ticket, account } => {
                    let result = sessions.refresh(&account).await;
                    tell(&inputs, Event::Refreshed { ticket, result });
                }
                Effect::Erase { account } => warn_of("erase", sessions.erase(&account).await),
                Effect::SignOut { account } => {
                    warn_of("sign out", sessions.sign_out(&account).await);
                }
                Effect::Revoke { token } => warn_of("revoke", sessions.revoke(&token).await),
                _ => {}
            }
        });
    }

    pub(super) fn unlock_then(&mut self, event: Event) {
        let (keychain, inputs) = (self.platform.keychain.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            if let Err(trouble) = keychain.unlock().await {
                tracing::info!(cause = %trouble, "the keychain was not unlocked");
            }
            tell(&inputs, event);
        });
    }

    fn prepare(&mut self, seed: AttemptSeed) {
        let has_link = seed.doors.iter().any(|door| door.door == Door::Link);
        let is_kept = has_link && seed.store == Store::Keychain;
        let attempt = self.attempts.begin(seed.id.clone(), is_kept);
        let (config, sessions, inputs) =
            (self.config.clone(), self.sessions.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let prepared = prepare::prepare(&attempt, &seed, &config, &sessions, &inputs).await;
            if let Some(result) = prepared {
                tell(&inputs, Event::Prepared { attempt: seed.id, result });
            }
        });
    }

    /// The device key of an attempt whose session shall live in memory ends with the process, and so does the attempt.
    fn keep(&mut self, kept: KeptAttempt) {
        if kept.store == Store::Keychain {
            let (done, keeping) = oneshot::channel();
            self.keeping = Some(keeping);
            self.put_on_shelf(Job::Keep(kept, done));
        }
    }

    fn put_on_shelf(&self, job: Job) {
        // The worker ends after us.
        let _ = self.shelf.send(job);
    }

    fn open_browser(&mut self, attempt: AttemptId, url: AuthorizationUrl) {
        let keeping = self.keeping.take();
        let (browser, inputs) = (self.platform.browser.clone(), self.inputs.clone());
        let companion = CompanionOrigin::of(&self.config.companion);
        self.tasks.spawn(async move {
            if let Some(keeping) = keeping {
                // Kept or not: the browser opens.
                let _ = keeping.await;
            }
            let opened = match companion {
                Ok(companion) => browser::open(&*browser, &url, &companion).await,
                Err(_) => Err(BrowserTrouble::NotPermitted),
            };
            match opened {
                Ok(()) => tracing::info!(attempt = short(&attempt), "browser opened"),
                Err(trouble) => {
                    tracing::warn!(attempt = short(&attempt), %trouble, "no browser");
                    tell(&inputs, Event::BrowserFailed { attempt });
                }
            }
        });
    }

    fn copy_link(&self, url: &AuthorizationUrl) {
        if let Some(clipboard) = &self.platform.clipboard
            && let Err(trouble) = clipboard.copy(url)
        {
            tracing::warn!(%trouble, "the link was not copied");
        }
    }

    fn close_doors(&mut self, attempt: &AttemptId) {
        let attempt = self.attempts.find(attempt);
        attempt.close();
        if attempt.is_kept {
            self.put_on_shelf(Job::Forget(attempt.id.clone()));
        }
    }

    fn cancel_attempt(&mut self, attempt: &AttemptId) {
        let attempt = self.attempts.find(attempt);
        let sessions = self.sessions.clone();
        self.tasks.spawn(async move {
            let Some(key) = owner(&attempt, &sessions).await else {
                return;
            };
            if let Err(trouble) = sessions.companion().cancel_attempt(&key, &attempt.id).await {
                tracing::info!(attempt = short(&attempt.id), %trouble, "cancelled here only");
            }
        });
    }

    fn report(&mut self, attempt: &AttemptId, outcome: Outcome) {
        let attempt = self.attempts.find(attempt);
        let sessions = self.sessions.clone();
        self.tasks.spawn(async move {
            let Some(key) = owner(&attempt, &sessions).await else {
                return;
            };
            let told = sessions.companion().report_attempt(&key, &attempt.id, outcome).await;
            if let Err(trouble) = told {
                tracing::info!(attempt = short(&attempt.id), %trouble, "the page was not told");
            }
        });
    }

    fn exchange_code(
        &mut self,
        id: AttemptId,
        door: Door,
        code: AuthorizationCode,
        verifier: CodeVerifier,
    ) {
        let attempt = self.attempts.find(&id);
        let (sessions, inputs, link) =
            (self.sessions.clone(), self.inputs.clone(), self.config.channel.link);
        self.tasks.spawn(async move {
            let exchange = async {
                let redirect_uri = match door {
                    Door::Link => Url::parse(link).ok(),
                    Door::Loopback => attempt.prepared.get().and_then(|p| p.loopback.clone()),
                };
                let redirect_uri = redirect_uri.ok_or(Problem::Internal)?;
                let key = attempt.key(&sessions).await?;
                sessions.exchange_code(key, redirect_uri, &code, &verifier).await
            };
            let result = exchange.await.map(Box::new);
            tell(&inputs, Event::Exchanged { attempt: id, result });
        });
    }

    /// Takes away a task that has ended. Waits for ever when there is none.
    pub(super) async fn finished(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::error!(panicked = error.is_panic(), "a task failed"),
            None => std::future::pending().await,
        }
    }

    pub(super) async fn shut_down(self) {
        let Self { attempts, mut tasks, shelf, .. } = self;
        // The worker ends when it has done what it was given.
        drop(shelf);
        for attempt in attempts.all() {
            attempt.close();
        }
        let finish = async {
            for attempt in attempts.all() {
                if let Some(listener) = attempt.listener() {
                    let _ = listener.await;
                }
            }
            while tasks.join_next().await.is_some() {}
        };
        if timeout(LAST, finish).await.is_err() {
            tracing::warn!("not everything was finished at the end");
        }
    }
}

/// The key that can speak for the attempt. Without one nothing was pushed, and nobody has to be told.
async fn owner(attempt: &Attempt, sessions: &Sessions) -> Option<Arc<crate::http::DeviceKey>> {
    if attempt.prepared.get().is_none() && !attempt.is_kept {
        return None;
    }
    attempt.key(sessions).await.ok()
}

fn warn_of(chore: &str, done: Result<(), Problem>) {
    if let Err(problem) = done {
        tracing::warn!(chore, problem = problem.code(), "not done");
    }
}
