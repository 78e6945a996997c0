//! Callbacks as they arrive: read, and handed to the machine if an attempt may wait for them. What
//! is not ours is counted, and changes nothing.

use std::sync::Arc;

use keyport_core::{Callback, CallbackReceiver, Event};

use super::engine::Engine;
use super::{Input, Inputs};
use crate::receivers::loopback::BrowserReply;
use crate::receivers::{ArrivedCallback, Deliver};

/// Hands what arrives at a receiver to the task that owns the machine.
pub(super) fn deliver_to(inputs: &Inputs) -> Deliver {
    let inputs = inputs.clone();
    Arc::new(move |arrived| {
        // After the end no task receives it.
        let _ = inputs.send(Input::Callback(arrived));
    })
}

impl Engine {
    pub(super) fn callback_arrived(&mut self, arrived: ArrivedCallback) {
        let ArrivedCallback { receiver, raw, reply } = arrived;
        let tell_tab = |said| {
            if let Some(reply) = reply {
                reply(said);
            }
        };
        let receivers = &self.runner.receivers;
        let read = receivers.get(receiver).map(|at| Callback::parse(receiver, at.address(), &raw));
        let callback = match read {
            Ok(Ok(callback)) => callback,
            Ok(Err(error)) => {
                self.count_ignored(receiver, &error.to_string());
                return tell_tab(BrowserReply::Ignore);
            }
            Err(_) => return tell_tab(BrowserReply::Ignore),
        };
        if !self.machine.holds_callbacks() && !self.machine.expects(&callback) {
            self.count_ignored(receiver, "no attempt waits for it");
            return tell_tab(BrowserReply::Ignore);
        }
        tracing::info!(?receiver, "callback received");
        let issuer = self.runner.sessions.companion().issuer();
        let back_to = callback.handoff.as_deref().and_then(|handoff| issuer.handoff_page(handoff));
        tell_tab(BrowserReply::Accept { back_to });
        self.step(Event::CallbackReceived(callback));
    }

    /// Its kind, never its content.
    fn count_ignored(&mut self, receiver: CallbackReceiver, kind: &str) {
        self.ignored += 1;
        tracing::info!(?receiver, kind, count = self.ignored, "a callback that is not ours");
    }
}
