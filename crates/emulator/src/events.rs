//! What has happened, in the order of happening: the envelopes that the Events API lists and that
//! webhooks carry (`{"object": "event", "id", "event", "data", "created_at", "context"}`).

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::timestamp::Timestamp;

#[derive(Debug, Clone, Serialize)]
pub struct Event {
    object: &'static str,
    pub id: String,
    pub event: String,
    pub data: Value,
    pub created_at: Timestamp,
    context: Map<String, Value>,
}

/// Oldest first.
#[derive(Debug, Default)]
pub struct Events(Vec<Event>);

impl Event {
    #[must_use]
    pub fn new(id: String, event: &str, data: Value, now: Timestamp) -> Self {
        let (object, event) = ("event", event.to_owned());
        Self { object, id, event, data, created_at: now, context: Map::new() }
    }

    /// The organization that the event is about, as the Events API filters.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        let own = (self.data["object"] == json!("organization")).then(|| &self.data["id"]);
        let of_sso = &self.data["sso"]["organization_id"];
        own.unwrap_or(&self.data["organization_id"]).as_str().or(of_sso.as_str())
    }
}

impl Events {
    pub fn record(&mut self, event: Event) {
        self.0.push(event);
    }

    #[must_use]
    pub fn all(&self) -> &[Event] {
        &self.0
    }
}
