//! Webhooks: which event goes to which endpoint, when, signed how, and what goes wrong on the way
//! when that was ordered. Only the book-keeping; `deliver` carries it out.

use std::collections::VecDeque;
use std::time::Duration;

use aws_lc_rs::hmac;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::events::{Event, Events};
use crate::ids::derived;
use crate::secret::Secret;
use crate::timestamp::{SEEDED, Timestamp};

/// After a failure; WorkOS takes minutes to days for as many attempts.
const RETRIES_AFTER: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(2),
    Duration::from_secs(8),
    Duration::from_secs(30),
    Duration::from_secs(120),
];
/// Older than every SDK tolerates.
const STALE: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpoint {
    #[serde(default)]
    pub id: String,
    pub endpoint_url: String,
    pub secret: Secret,
    /// Empty: every event.
    #[serde(default)]
    pub events: Vec<String>,
}

/// What goes wrong with the delivery of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// It comes twice.
    Duplicate,
    /// It comes after the one that follows it.
    Reorder,
    /// It is signed with another secret.
    Forge,
    /// Its signature is 15 minutes old.
    Stale,
    /// It never comes.
    Drop,
}

/// An order for the next events.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MishapOrder {
    pub kind: Mishap,
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// One request that is to be made.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub url: String,
    pub body: String,
    secret: Secret,
    attempt: usize,
    due: Timestamp,
    stale: bool,
}

#[derive(Debug, Default)]
pub struct Webhooks {
    pub endpoints: Vec<WebhookEndpoint>,
    seen: usize,
    orders: VecDeque<Mishap>,
    held: Vec<Delivery>,
    waiting: Vec<Delivery>,
}

impl WebhookEndpoint {
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "object": "webhook_endpoint",
            "id": self.id,
            "endpoint_url": self.endpoint_url,
            "secret": self.secret.expose(),
            "status": "enabled",
            "events": self.events,
            "created_at": SEEDED,
            "updated_at": SEEDED,
        })
    }

    fn wants(&self, event: &Event) -> bool {
        self.events.is_empty() || self.events.contains(&event.event)
    }
}

impl Delivery {
    /// The value of `WorkOS-Signature`: milliseconds and HMAC-SHA256 over `t.body`, in hex.
    #[must_use]
    pub fn signature(&self, now: Timestamp) -> String {
        let back = if self.stale { STALE } else { Duration::ZERO };
        let millis = now.0.saturating_sub(u64::try_from(back.as_millis()).unwrap_or_default());
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose().as_bytes());
        let tag = hmac::sign(&key, format!("{millis}.{}", self.body).as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={millis}, v1={hex}")
    }
}

impl Webhooks {
    #[must_use]
    pub fn new(endpoints: &[WebhookEndpoint]) -> Self {
        let mut webhooks = Self::default();
        for endpoint in endpoints {
            webhooks.add(endpoint.clone());
        }
        webhooks
    }

    /// An endpoint without an id gets one that follows from its URL.
    pub fn add(&mut self, mut endpoint: WebhookEndpoint) -> &WebhookEndpoint {
        if endpoint.id.is_empty() {
            endpoint.id = derived("we_", &[&endpoint.endpoint_url]);
        }
        self.endpoints.push(endpoint);
        &self.endpoints[self.endpoints.len() - 1]
    }

    pub fn order(&mut self, order: MishapOrder) {
        self.orders.extend((0..order.times).map(|_| order.kind));
    }

    /// Takes up what has happened since the last time.
    pub fn take_up(&mut self, events: &Events, now: Timestamp) {
        for event in events.all().iter().skip(self.seen) {
            let deliveries = self.deliveries(event, now);
            if deliveries.is_empty() {
                continue;
            }
            match self.orders.pop_front() {
                Some(Mishap::Drop) => {}
                Some(Mishap::Reorder) => {
                    self.held.extend(deliveries);
                    continue;
                }
                Some(Mishap::Duplicate) => {
                    self.waiting.extend(deliveries.clone());
                    self.waiting.extend(deliveries);
                }
                Some(Mishap::Forge) => {
                    let secret = || Secret::from("another secret");
                    let forged =
                        deliveries.into_iter().map(|it| Delivery { secret: secret(), ..it });
                    self.waiting.extend(forged);
                }
                Some(Mishap::Stale) => {
                    let stale = deliveries.into_iter().map(|it| Delivery { stale: true, ..it });
                    self.waiting.extend(stale);
                }
                None => self.waiting.extend(deliveries),
            }
            self.waiting.append(&mut self.held);
        }
        self.seen = events.all().len();
    }

    fn deliveries(&self, event: &Event, now: Timestamp) -> Vec<Delivery> {
        let body = json!(event).to_string();
        let wanting = self.endpoints.iter().filter(|endpoint| endpoint.wants(event));
        let to = |endpoint: &WebhookEndpoint| Delivery {
            url: endpoint.endpoint_url.clone(),
            body: body.clone(),
            secret: endpoint.secret.clone(),
            attempt: 0,
            due: now,
            stale: false,
        };
        wanting.map(to).collect()
    }

    /// The first request that is to be made now, in the order of the events.
    pub fn next_due(&mut self, now: Timestamp) -> Option<Delivery> {
        let index = self.waiting.iter().position(|it| it.due <= now)?;
        Some(self.waiting.remove(index))
    }

    /// When there is something to do at the latest.
    #[must_use]
    pub fn earliest(&self) -> Option<Timestamp> {
        self.waiting.iter().map(|it| it.due).min()
    }

    /// It was not answered with a 2xx: again later, up to six times.
    pub fn failed(&mut self, delivery: Delivery, now: Timestamp) {
        if let Some(after) = RETRIES_AFTER.get(delivery.attempt) {
            let (attempt, due) = (delivery.attempt + 1, now.plus(*after));
            self.waiting.push(Delivery { attempt, due, ..delivery });
        }
    }
}
