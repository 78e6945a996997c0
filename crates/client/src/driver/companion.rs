//! What an attempt has to say to the companion: the code, how it ended, that it was cancelled. Only
//! the exchange has an answer that anybody waits for; the others are courtesies to the page, and
//! are not repeated.

use std::sync::Arc;

use keyport_core::effect::Outcome;
use keyport_core::secret::{AuthorizationCode, CodeVerifier};
use keyport_core::{AttemptId, Door, Event, Problem};
use url::Url;

use super::attempt::Attempt;
use super::chores::Chores;
use super::{Input, Links, short};
use crate::http::DeviceKey;
use crate::session::{Sessions, WithoutTurn};

impl Chores {
    pub(super) fn cancel_attempt(&mut self, attempt: &AttemptId) {
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

    pub(super) fn report(&mut self, attempt: &AttemptId, outcome: Outcome) {
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

    pub(super) fn exchange_code(
        &mut self,
        id: AttemptId,
        door: Door,
        code: AuthorizationCode,
        verifier: CodeVerifier,
    ) {
        let attempt = self.attempts.find(&id);
        let (sessions, inputs, link) =
            (self.sessions.clone(), self.inputs.clone(), self.config.channel.link);
        let without_turn = match self.links {
            Links::Ours => WithoutTurn::HoldInMemory,
            // A command line ends after its sign-in, and a session in its memory with it.
            Links::OfTheApp => WithoutTurn::Refuse,
        };
        self.tasks.spawn(async move {
            let exchange = async {
                let redirect_uri = match door {
                    Door::Link => Url::parse(link).ok(),
                    Door::Loopback => attempt.prepared.get().and_then(|p| p.loopback.clone()),
                };
                let redirect_uri = redirect_uri.ok_or(Problem::Internal)?;
                let key = attempt.key(&sessions).await?;
                let proofs = (&code, &verifier);
                let store = attempt.store();
                sessions.redeem_code((key, redirect_uri), proofs, store, without_turn).await
            };
            let (result, turn) = match exchange.await {
                Ok((session, turn)) => (Ok(Box::new(session)), Some(Box::new(turn))),
                Err(problem) => (Err(problem), None),
            };
            let exchanged = Event::Exchanged { attempt: id, result };
            // An answer after the end is dropped, and its turn with it: that revokes the session.
            let _ = inputs.send(Input::Exchanged(exchanged, turn));
        });
    }
}

/// The key that can speak for the attempt. Without one nothing was pushed, and nobody has to be
/// told.
async fn owner(attempt: &Attempt, sessions: &Sessions) -> Option<Arc<DeviceKey>> {
    if attempt.prepared.get().is_none() && !attempt.is_kept {
        return None;
    }
    attempt.key(sessions).await.ok()
}
