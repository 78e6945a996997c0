//! Makes the requests of the webhooks, one after the other, for as long as the emulator serves.

use std::time::Duration;

use crate::emulator::Emulator;
use crate::timestamp::Timestamp;
use crate::webhooks::Delivery;

/// For one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Without an event and without a retry that is due.
const IDLE: Duration = Duration::from_secs(3600);

/// Never ends.
pub async fn deliver(emulator: Emulator) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let client = match client {
        Ok(client) => client,
        Err(cause) => {
            tracing::error!(%cause, "there are no webhooks");
            return std::future::pending().await;
        }
    };
    loop {
        // Made before the state is read, so that an event in between wakes it.
        let happened = emulator.happened().notified();
        let (delivery, now, earliest) = emulator.with(|state| {
            let now = state.now();
            state.webhooks.take_up(&state.events, now);
            (state.webhooks.next_due(now), now, state.webhooks.earliest())
        });
        match delivery {
            Some(delivery) => attempt(&emulator, &client, delivery, now).await,
            None => {
                let pause = earliest.map_or(IDLE, |due| Duration::from_millis(due.0 - now.0));
                let _ = tokio::time::timeout(pause, happened).await;
            }
        }
    }
}

async fn attempt(
    emulator: &Emulator,
    client: &reqwest::Client,
    delivery: Delivery,
    now: Timestamp,
) {
    let request = client
        .post(&delivery.url)
        .header("WorkOS-Signature", delivery.signature(now))
        .header("Content-Type", "application/json")
        .body(delivery.body.clone());
    let taken = match request.send().await {
        Ok(answer) if answer.status().is_success() => true,
        Ok(answer) => {
            tracing::warn!(status = answer.status().as_u16(), "a webhook was not taken");
            false
        }
        Err(cause) => {
            tracing::warn!(cause = %cause.without_url(), "a webhook was not delivered");
            false
        }
    };
    if !taken {
        emulator.with(|state| state.webhooks.failed(delivery, state.now()));
    }
}
