//! Our sessions never outlive those of the upstream that they began with: user by user, the
//! upstream is asked in the background which of its sessions are alive, and ours end with the
//! others. One question at a time, with a pause between two, and slower while the upstream wants
//! that. What the upstream tells of itself at once, by an event, is not handled here.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::domain::{EndedBecause, SessionSelector};
use crate::storage::{StorageError, UpstreamSessions};
use crate::upstream::{UpstreamEntry, UpstreamError};

/// Between two rounds.
const ROUND_PAUSE: Duration = Duration::from_secs(300);
/// Between two questions: 200 in 10 seconds, where WorkOS answers 1,000 reads.
const PAUSE: Duration = Duration::from_millis(50);
/// After a question that was not answered; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Rounds for as long as the service runs.
pub async fn keep_checking(app: Arc<App>) {
    // Instances that start together do not ask together.
    let mut drawn = [0];
    app.random.fill(&mut drawn);
    tokio::time::sleep(ROUND_PAUSE.mul_f64(f64::from(drawn[0]) / 256.0)).await;
    loop {
        for upstream in app.upstreams.with_sessions() {
            match check_round(&app, upstream, PAUSE).await {
                Ok(0) => {}
                Ok(ended) => tracing::info!(ended, "sessions ended with those of the upstream"),
                Err(cause) => tracing::warn!(%cause, "upstream sessions were not checked"),
            }
        }
        tokio::time::sleep(ROUND_PAUSE).await;
    }
}

/// Asks for each user of the upstream who has a session here, and ends what is over there; answers
/// how many sessions of ours have ended. `pause`: between two questions.
///
/// # Errors
/// The database failed; the upstream's failures are waited out.
pub async fn check_round(
    app: &App,
    upstream: &UpstreamEntry,
    pause: Duration,
) -> Result<usize, StorageError> {
    let (mut ended, mut longer, mut after) = (0, FIRST_PAUSE, String::new());
    let (name, issuer) = (upstream.name(), upstream.upstream().issuer().to_owned());
    let next = async |after: &str| {
        app.storage.upstream_sessions(name, issuer.clone(), after.to_owned(), app.now()).await
    };
    while let Some(UpstreamSessions { user, sessions }) = next(&after).await? {
        let wait = match upstream.upstream().live_sessions(&user).await {
            Ok(alive) => {
                ended += end(app, sessions.into_iter().filter(|id| !alive.contains(id))).await?;
                longer = FIRST_PAUSE;
                pause
            }
            // The same user again.
            Err(UpstreamError::TooMany { retry_after }) => {
                tokio::time::sleep(Duration::from_secs(retry_after)).await;
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "the upstream did not say which sessions are alive");
                longer = (longer * 2).min(LONGEST_PAUSE);
                longer / 2
            }
        };
        after = user;
        tokio::time::sleep(wait).await;
    }
    Ok(ended)
}

async fn end(app: &App, over: impl Iterator<Item = String>) -> Result<usize, StorageError> {
    let mut ended = 0;
    for session in over {
        let selector = SessionSelector::UpstreamSession(session);
        let because = EndedBecause::AccessWithdrawn;
        ended += app.storage.end_sessions(selector, because, app.now()).await?;
    }
    Ok(ended)
}
