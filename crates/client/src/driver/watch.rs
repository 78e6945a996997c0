//! Follows an attempt at the companion while its doors are open: the number to compare, the browser
//! on its way back, the end. Trouble on the way is no news of the attempt; it only makes the
//! questions rarer.

use std::sync::Arc;

use keyport_core::{Event, Lifetime, Progress};

use super::attempt::{Attempt, until_closed};
use super::{Inputs, tell};
use crate::http::Standing;
use crate::session::Sessions;
use crate::surroundings::Clock;

const OFTEN: Lifetime = Lifetime(500);
const RARELY: Lifetime = Lifetime::seconds(8);

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
    let mut last = Standing::Waiting;
    let mut pause = OFTEN;
    loop {
        match standing(attempt, sessions).await {
            Some(standing) => {
                pause = OFTEN;
                if standing != last {
                    last = standing;
                    if let Some(progress) = news(&last) {
                        let attempt = attempt.id.clone();
                        tell(inputs, Event::Progressed { attempt, progress });
                    }
                }
            }
            None => pause = Lifetime(pause.0.saturating_mul(2)).min(RARELY),
        }
        if matches!(last, Standing::Failed(_)) {
            return;
        }
        clock.until(clock.now().after(pause)).await;
    }
}

async fn standing(attempt: &Attempt, sessions: &Sessions) -> Option<Standing> {
    let key = attempt.key(sessions).await.ok()?;
    sessions.companion().attempt_standing(&key, &attempt.id).await.ok()
}

fn news(standing: &Standing) -> Option<Progress> {
    match standing {
        Standing::Confirm(number) => Some(Progress::Confirm(number.clone())),
        Standing::Minted => Some(Progress::Minted),
        Standing::Failed(problem) => Some(Progress::Failed(*problem)),
        Standing::Waiting | Standing::Other => None,
    }
}
