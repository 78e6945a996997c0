//! Ends at the companion what was signed out here while it could not be told: after each reading of
//! the keychain and after each such sign-out, and again until nothing is left.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::platform::Clock;
use crate::session::Sessions;

/// Between a try in vain and the next one; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

pub(super) async fn work(sessions: Sessions, clock: Arc<dyn Clock>, wanted: Arc<Notify>) {
    loop {
        wanted.notified().await;
        let mut pause = FIRST_PAUSE;
        while !sessions.end_left_sessions().await {
            tokio::select! {
                () = clock.until(clock.now().after(pause)) => {
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
                // Something has changed, perhaps the network with it.
                () = wanted.notified() => {}
            }
        }
    }
}
