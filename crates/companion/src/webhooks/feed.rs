//! Reads the provider's list of events: what webhooks have missed is made up for, and a service
//! that the provider cannot reach learns of events at all. One instance reads at a time; the
//! position is kept in the database.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::take;
use crate::app::App;
use crate::domain::FeedHolder;
use crate::storage::{FeedPosition, StorageError};
use crate::upstream::{EventsAfter, UpstreamError};

/// Between two readings: where webhooks come in, and where none do.
const BESIDE_WEBHOOKS: Duration = Duration::from_secs(60);
const ALONE: Duration = Duration::from_secs(5);
/// Longest pause after failures, unless the provider asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Between two pages: ten requests a second at most.
const BETWEEN_PAGES: Duration = Duration::from_millis(100);
/// Events of a page. It is halved with each failure: an answer may be too large.
const PAGE: u8 = 64;
/// How far a first reading goes back: the longest span of one query.
const FIRST: Duration = Duration::from_secs(29 * 24 * 3600);

/// What one reading did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedRead {
    /// Another instance reads at this time.
    pub is_left_to_another: bool,
    /// How many events were taken.
    pub events: usize,
}

/// Why a reading stopped. What was read before is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The provider.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Reads at the start and again for as long as the service runs.
pub async fn follow_events(app: Arc<App>) -> Infallible {
    let holder = FeedHolder::draw(&*app.random);
    let mut failures = 0;
    loop {
        let retry_after = match read_events(&app, holder, failures).await {
            Ok(read) => {
                if failures > 0 {
                    tracing::info!(events = read.events, "the provider's events are read again");
                }
                failures = 0;
                0
            }
            Err(error) => {
                failures = u32::saturating_add(failures, 1);
                tracing::warn!(%error, failures, "the provider's events were not read");
                match error {
                    FeedError::Upstream(UpstreamError::TooMany { retry_after }) => retry_after,
                    _ => 0,
                }
            }
        };
        let interval = if app.webhook_secrets.now().is_empty() { ALONE } else { BESIDE_WEBHOOKS };
        let mut draw = [0];
        app.random.fill(&mut draw);
        tokio::time::sleep(pause(interval, failures, retry_after, draw[0])).await;
    }
}

/// The pause: it doubles with each failure, is never shorter than what the provider asks for, and
/// a quarter of it is left to chance, so that services do not ask in step.
fn pause(interval: Duration, failures: u32, retry_after: u64, draw: u8) -> Duration {
    let longest = LONGEST_PAUSE.max(interval);
    let grown = interval.saturating_mul(1 << failures.min(8)).min(longest);
    let wanted = grown.max(Duration::from_secs(retry_after));
    if failures == 0 { wanted } else { wanted + wanted / 4 * u32::from(draw) / 255 }
}

/// Reads to the end of the list, if no other instance does. `failures`: how often it failed before.
///
/// # Errors
/// See [`FeedError`].
pub async fn read_events(
    app: &App,
    holder: FeedHolder,
    failures: u32,
) -> Result<FeedRead, FeedError> {
    let mut read = FeedRead::default();
    let Some(mut position) = app.storage.hold_feed(holder, app.now()).await? else {
        return Ok(FeedRead { is_left_to_another: true, ..read });
    };
    let upstream = app.upstreams.current().upstream();
    let size = (PAGE >> failures.min(7)).max(1);
    loop {
        let first = EventsAfter::Instant(app.now().minus(FIRST));
        let after = position.after.as_deref().map_or(first, EventsAfter::Event);
        let page = match upstream.events(after, size).await {
            Err(UpstreamError::NotFound | UpstreamError::Refused(400 | 422))
                if position.after.is_some() =>
            {
                tracing::error!(
                    "the provider does not know the last event that was read: events may have \
                     been missed. What it still has of the last days is read again"
                );
                position = FeedPosition::default();
                app.storage.advance_feed(holder, position.clone(), app.now()).await?;
                continue;
            }
            page => page?,
        };
        let last = page.events.last().map(|event| event.id.clone());
        read.events += page.events.len();
        for event in page.events {
            take(app, event).await?;
        }
        let Some(last) = last else { return Ok(read) };
        position = FeedPosition { after: Some(last) };
        let is_held = app.storage.advance_feed(holder, position.clone(), app.now()).await?;
        if !is_held || !page.may_be_more {
            return Ok(read);
        }
        tokio::time::sleep(BETWEEN_PAGES).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_what_the_provider_asks_for_is_the_least() {
        let seconds =
            |failures, retry_after, draw| pause(ALONE, failures, retry_after, draw).as_secs();
        assert_eq!(pause(BESIDE_WEBHOOKS, 0, 0, 255), BESIDE_WEBHOOKS);
        assert_eq!([0, 1, 2, 3].map(|failures| seconds(failures, 0, 0)), [5, 10, 20, 40]);
        assert_eq!((seconds(9, 0, 0), seconds(u32::MAX, 0, 255)), (300, 375));
        assert_eq!((seconds(1, 60, 0), seconds(1, 60, 255)), (60, 75), "never less");
        assert_eq!(seconds(1, 1, 0), 10, "nor shorter than our own");
    }
}
