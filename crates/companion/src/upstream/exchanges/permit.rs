//! The turn of one exchange: what it holds, and how it is given back.

use std::sync::Arc;

use super::Shared;
use super::queue::{ExchangeId, ExchangeResult};
use crate::domain::UpstreamAuthorizationId;

/// The right to use a state: to send its code, or to record its error. Dropped without
/// [`ExchangePermit::end`], it counts as not sent.
pub struct ExchangePermit {
    pub(super) shared: Arc<Shared>,
    /// None where nothing is sent.
    pub(super) id: Option<ExchangeId>,
    pub(super) authorization: UpstreamAuthorizationId,
    pub(super) ended: ExchangeResult,
}

impl ExchangePermit {
    /// The code is on its way: from here on the state is used, whatever happens.
    pub fn begin(&mut self) {
        self.ended = ExchangeResult::Failed;
    }

    /// Says what became of it.
    pub fn end(mut self, ended: ExchangeResult) {
        self.ended = ended;
    }
}

impl Drop for ExchangePermit {
    fn drop(&mut self) {
        {
            let now = self.shared.clock.elapsed();
            let mut state = self.shared.lock();
            if self.ended == ExchangeResult::NotSent {
                state.used.pop(&self.authorization);
            }
            if let Some(id) = self.id {
                state.queue.end(id, self.ended, now);
            }
        }
        Shared::advance(&self.shared);
    }
}
