//! The turn of one exchange: what it holds, and how it is given back.

use std::sync::Arc;

use super::Shared;
use super::queue::{Ended, Ticket};
use crate::domain::UpstreamAuthorizationId;

/// The right to use a state: to send its code, or to record its error. Dropped without
/// [`Turn::end`], it counts as not sent.
pub struct Turn {
    pub(super) shared: Arc<Shared>,
    /// None where nothing is sent.
    pub(super) ticket: Option<Ticket>,
    pub(super) authorization: UpstreamAuthorizationId,
    pub(super) ended: Ended,
}

impl Turn {
    /// The code is on its way: from here on the state is used, whatever happens.
    pub fn begin(&mut self) {
        self.ended = Ended::Failed;
    }

    /// Says what became of it.
    pub fn end(mut self, ended: Ended) {
        self.ended = ended;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let now = self.shared.clock.elapsed();
            let mut state = self.shared.lock();
            if self.ended == Ended::NotSent {
                state.used.pop(&self.authorization);
            }
            if let Some(ticket) = self.ticket {
                state.queue.end(ticket, self.ended, now);
            }
        }
        Shared::advance(&self.shared);
    }
}
