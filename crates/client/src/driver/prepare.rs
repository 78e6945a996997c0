//! Makes an attempt ready for the browser: the keychain answers, the receivers are open, and only
//! then one request a receiver is pushed (RFC 9126). What goes wrong here is found before the
//! person sees a browser.

use std::sync::Arc;

use keyport_core::{AttemptSeed, Moment, Problem, Pushed, SessionStore};

use super::attempt::{Attempt, Prepared};
use crate::config::Config;
use crate::http::Push;
use crate::platform::Random;
use crate::receivers::{Deliver, Receivers, until_closed};
use crate::session::Sessions;

/// What it takes to make an attempt ready.
pub(super) struct Preparation {
    pub config: Arc<Config>,
    pub receivers: Receivers,
    pub sessions: Sessions,
    pub random: Arc<dyn Random>,
    pub deliver: Deliver,
}

impl Preparation {
    /// `None` when the receivers were closed meanwhile.
    pub(super) async fn run(
        &self,
        attempt: &Attempt,
        seed: &AttemptSeed,
    ) -> Option<Result<Pushed, Problem>> {
        tokio::select! {
            biased;
            () = until_closed(attempt.closing()) => None,
            pushed = self.open_and_push(attempt, seed) => Some(pushed),
        }
    }

    async fn open_and_push(
        &self,
        attempt: &Attempt,
        seed: &AttemptSeed,
    ) -> Result<Pushed, Problem> {
        seed.hints.check().map_err(|_| Problem::HintInvalid)?;
        if seed.store == SessionStore::Keychain {
            self.sessions.probe_keychain().await?;
        }
        let key = self.sessions.device_key(seed.store).await?;
        for drawn in &seed.receivers {
            let receiver = self.receivers.get(drawn.receiver)?;
            let opening = receiver.open(&*self.random, self.deliver.clone(), attempt.closing());
            attempt.opened(opening.await?);
        }
        // Known from here on: an attempt that is given up while it is pushed is cancelled over
        // there too.
        attempt.prepared.get_or_init(|| Prepared { key: key.clone(), store: seed.store });
        let companion = self.sessions.companion();
        let mut urls = Vec::with_capacity(seed.receivers.len());
        let mut deadline: Option<Moment> = None;
        for drawn in &seed.receivers {
            let redirect_uri = attempt.redirect_uri(drawn.receiver).ok_or(Problem::Internal)?;
            let push = Push {
                attempt: &seed.id,
                receiver: drawn,
                redirect_uri: &redirect_uri,
                hints: &seed.hints,
                device_name: &self.config.device_name,
            };
            let pushed = companion.push(&key, &push).await;
            let (url, ends) = pushed.map_err(|error| error.as_problem(Problem::ServiceRefused))?;
            deadline = Some(deadline.map_or(ends, |earlier| earlier.min(ends)));
            urls.push(url);
        }
        let deadline = deadline.ok_or(Problem::Internal)?;
        Ok(Pushed { issuer: companion.issuer().as_str().to_owned(), urls, deadline })
    }
}
