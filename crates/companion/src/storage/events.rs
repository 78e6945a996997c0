//! What storage does with the provider's events. An event is taken in the commit of what it does,
//! and once: its id is kept. One that comes again, or after a newer one of the same subject, does
//! no harm.

use futures_util::FutureExt as _;

use super::Reply;
use crate::domain::{FeedHolder, Timestamp, UpstreamEvent};

/// What one transaction did with an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventTaken {
    /// False if it was taken before; then nothing was done.
    pub is_new: bool,
    /// How many sessions ended.
    pub ended: usize,
    /// There may be more to end: the event counts as taken when it is given again without this.
    pub may_be_more: bool,
}

/// How far the provider's list of events has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPosition {
    /// The id of the last event that was taken; from the beginning of what is kept if there is
    /// none.
    pub after: Option<String>,
}

/// The part of [`Storage`](super::Storage) that concerns the provider's events.
pub trait UpstreamEvents: Send + Sync {
    /// Takes an event: keeps what it tells of its subject, ends sessions and cancels grants that
    /// depend on it, brings name and email of local users up to date. Some of it, where there is
    /// much.
    fn take_part_of_event(&self, event: UpstreamEvent, now: Timestamp) -> Reply<'_, EventTaken>;

    /// Takes an event whole.
    fn take_event(&self, event: UpstreamEvent, now: Timestamp) -> Reply<'_, EventTaken> {
        async move {
            let mut ended = 0;
            loop {
                let part = self.take_part_of_event(event.clone(), now).await?;
                ended += part.ended;
                if !part.may_be_more {
                    return Ok(EventTaken { ended, ..part });
                }
            }
        }
        .boxed()
    }

    /// Whether this instance may read the provider's list now, and from where; no other may for
    /// the next minute, by the database's clock where there are several.
    fn hold_feed(&self, holder: FeedHolder, now: Timestamp) -> Reply<'_, Option<FeedPosition>>;

    /// Keeps the position and holds on for another minute. False if another instance reads now;
    /// then nothing is changed.
    fn advance_feed(
        &self,
        holder: FeedHolder,
        position: FeedPosition,
        now: Timestamp,
    ) -> Reply<'_, bool>;
}
