//! What an attempt has to say to the companion: the code, how it ended, that it was cancelled. Only
//! the exchange has an answer that the machine waits for; the others only
//! update the page, and are not repeated.

use std::sync::Arc;

use keyport_core::effect::Outcome;
use keyport_core::secret::{AuthorizationCode, CodeVerifier};
use keyport_core::{AttemptId, CallbackReceiver, Event, Machine, Problem};

use super::attempt::Attempt;
use super::effects::EffectRunner;
use super::{Input, short};
use crate::http::DeviceKey;
use crate::session::Sessions;

impl EffectRunner {
    pub(super) fn cancel_attempt(&mut self, attempt: &AttemptId) {
        let attempt = self.attempts.find(attempt);
        let sessions = self.sessions.clone();
        self.tasks.spawn(async move {
            let Some(key) = owner(&attempt, &sessions).await else {
                return;
            };
            if let Err(error) = sessions.companion().cancel_attempt(&key, &attempt.id).await {
                tracing::info!(attempt = short(&attempt.id), %error, "cancelled here only");
            }
        });
    }

    /// Tells the companion, and whoever listens, how the attempt ended.
    pub(super) fn report(&mut self, attempt: &AttemptId, outcome: Outcome, machine: &Machine) {
        match outcome {
            Outcome::Stored | Outcome::Memory => {
                tracing::info!(attempt = short(attempt), ?outcome, "session stored");
                self.notices.signed_in(machine);
            }
            Outcome::Failed(_) => {}
        }
        let attempt = self.attempts.find(attempt);
        let sessions = self.sessions.clone();
        self.tasks.spawn(async move {
            let Some(key) = owner(&attempt, &sessions).await else {
                return;
            };
            let told = sessions.companion().report_attempt(&key, &attempt.id, outcome).await;
            if let Err(error) = told {
                tracing::info!(attempt = short(&attempt.id), %error, "the page was not told");
            }
        });
    }

    pub(super) fn exchange_code(
        &mut self,
        id: AttemptId,
        receiver: CallbackReceiver,
        code: AuthorizationCode,
        verifier: CodeVerifier,
    ) {
        let attempt = self.attempts.find(&id);
        let (sessions, inputs, receivers) =
            (self.sessions.clone(), self.inputs.clone(), self.receivers.clone());
        let without_lock = self.without_lock;
        self.tasks.spawn(async move {
            let exchange = async {
                let kept = || receivers.get(receiver).ok()?.kept_redirect_uri().cloned();
                let redirect_uri =
                    attempt.redirect_uri(receiver).or_else(kept).ok_or(Problem::Internal)?;
                let key = attempt.key(&sessions).await?;
                let proofs = (&code, &verifier);
                let store = attempt.store();
                sessions.redeem_code((key, redirect_uri), proofs, store, without_lock).await
            };
            let (result, lock) = match exchange.await {
                Ok((session, lock)) => {
                    if attempt.is_kept {
                        sessions.forget_redeemed(&id, &lock).await;
                    }
                    (Ok(Box::new(session)), Some(Box::new(lock)))
                }
                Err(problem) => (Err(problem), None),
            };
            let exchanged = Event::Exchanged { attempt: id, result };
            // An answer after the end is dropped, and its lock with it: that revokes the session.
            let _ = inputs.send(Input::Exchanged(exchanged, lock));
        });
    }
}

/// The key that can speak for the attempt. Without one nothing was pushed, and the
/// companion need not be told.
async fn owner(attempt: &Attempt, sessions: &Sessions) -> Option<Arc<DeviceKey>> {
    if attempt.prepared.get().is_none() && !attempt.is_kept {
        return None;
    }
    attempt.key(sessions).await.ok()
}
