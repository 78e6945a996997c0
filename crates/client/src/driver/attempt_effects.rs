//! The effects of an attempt on this device: its receivers, what is kept of it, the browser, the
//! clipboard. What it says to the companion is in [`attempt_reports`](super::attempt_reports).

use keyport_core::secret::AuthorizationUrl;
use keyport_core::{AttemptId, AttemptSeed, Event, KeptAttempt, SessionStore};
use tokio::sync::oneshot;

use super::callbacks::deliver_to;
use super::effects::EffectRunner;
use super::kept_attempt::KeptAttemptJob;
use super::prepare::Preparation;
use super::{ClientNotice, short, tell, watch};
use crate::browser::{self, BrowserError, CompanionOrigin};

impl EffectRunner {
    pub(super) fn prepare(&mut self, seed: AttemptSeed) {
        tracing::info!(attempt = short(&seed.id), "sign-in wanted");
        let survives = seed.receivers.iter().any(|drawn| drawn.receiver.survives_restart());
        let is_kept = survives && seed.store == SessionStore::Keychain;
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
    pub(super) fn keep(&mut self, kept: KeptAttempt) {
        if kept.store == SessionStore::Keychain {
            let (done, keeping) = oneshot::channel();
            self.keeping = Some(keeping);
            self.queue_job(KeptAttemptJob::Keep(kept, done));
        }
    }

    fn queue_job(&self, job: KeptAttemptJob) {
        // The worker ends after us.
        let _ = self.kept_attempts.send(job);
    }

    pub(super) fn open_browser(&mut self, attempt: AttemptId, url: AuthorizationUrl) {
        self.notices.send(ClientNotice::AuthorizationUrl(url.clone()));
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

    /// On a thread of its own: a clipboard waits for the display server. Without one the link is
    /// told.
    pub(super) fn copy_link(&mut self, url: AuthorizationUrl) {
        let Some(clipboard) = self.platform.clipboard.clone() else {
            self.notices.send(ClientNotice::AuthorizationUrl(url));
            return;
        };
        self.tasks.spawn_blocking(move || {
            if let Err(error) = clipboard.copy(&url) {
                tracing::warn!(%error, "the link was not copied");
            }
        });
    }

    pub(super) fn watch(&mut self, attempt: &AttemptId) {
        let attempt = self.attempts.find(attempt);
        let clock = self.platform.clock.clone();
        let (sessions, inputs) = (self.sessions.clone(), self.inputs.clone());
        self.tasks.spawn(watch::follow(attempt, sessions, clock, inputs));
    }

    pub(super) fn close_receivers(&mut self, attempt: &AttemptId) {
        let attempt = self.attempts.find(attempt);
        attempt.close();
        if attempt.is_kept {
            self.queue_job(KeptAttemptJob::Forget(attempt.id.clone()));
        }
    }
}
