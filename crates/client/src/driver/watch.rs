//! Follows an attempt at the companion while its receivers are open: the number to compare, the
//! browser on its way back, the end. An error on the way is no news of the attempt; it only makes
//! the questions rarer.

use std::time::Duration;

use std::sync::Arc;

use keyport_core::{Event, Progress};

use super::attempt::Attempt;
use super::{Inputs, tell};
use crate::http::AttemptStatus;
use crate::platform::Clock;
use crate::receivers::until_closed;
use crate::session::Sessions;

const OFTEN: Duration = Duration::from_millis(500);
const RARELY: Duration = Duration::from_secs(8);

pub(super) async fn follow(
    attempt: Arc<Attempt>,
    sessions: Sessions,
    clock: Arc<dyn Clock>,
    inputs: Inputs,
) {
    let closing = attempt.closing();
    tokio::select! {
        () = until_closed(closing) => {}
        () = ask(&attempt, &sessions, &*clock, &inputs) => {}
    }
}

async fn ask(attempt: &Attempt, sessions: &Sessions, clock: &dyn Clock, inputs: &Inputs) {
    let mut last = AttemptStatus::Waiting;
    let mut pause = OFTEN;
    loop {
        match status(attempt, sessions).await {
            Some(status) => {
                pause = OFTEN;
                if status != last {
                    last = status;
                    if let Some(progress) = news(&last) {
                        let attempt = attempt.id.clone();
                        tell(inputs, Event::Progressed { attempt, progress });
                    }
                }
            }
            None => pause = pause.saturating_mul(2).min(RARELY),
        }
        if matches!(last, AttemptStatus::Redeemed | AttemptStatus::Failed(_)) {
            return;
        }
        clock.until(clock.now().after(pause)).await;
    }
}

async fn status(attempt: &Attempt, sessions: &Sessions) -> Option<AttemptStatus> {
    let key = attempt.key(sessions).await.ok()?;
    sessions.companion().attempt_status(&key, &attempt.id).await.ok()
}

fn news(status: &AttemptStatus) -> Option<Progress> {
    match status {
        AttemptStatus::Confirm(number) => Some(Progress::Confirm(number.clone())),
        AttemptStatus::Minted => Some(Progress::Minted),
        AttemptStatus::Redeemed => Some(Progress::Redeemed),
        AttemptStatus::Failed(problem) => Some(Progress::Failed(*problem)),
        AttemptStatus::Waiting | AttemptStatus::Other => None,
    }
}
