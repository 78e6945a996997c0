//! Changes that reach over several parts of the state, each with the events that WorkOS sends for
//! it.

use serde_json::Value;

use crate::emulator::State;
use crate::events::Event;
use crate::http::connections;
use crate::ids::Random;

impl State {
    pub fn record(&mut self, random: &mut Random, event: &str, data: Value) {
        let (id, now) = (random.id("event_"), self.now());
        self.events.record(Event::new(id, event, data, now));
    }

    /// Whether there was one to delete. Its codes die with it.
    pub fn delete_connection(&mut self, id: &str, mut random: Random) -> bool {
        let Some(connection) = self.environment.connection(id) else {
            return false;
        };
        let data = connections::shape(&self.environment, connection);
        self.environment.delete_connection(id);
        self.codes.revoke(|profile| profile.connection_id() == id);
        self.authkit.codes.revoke(|signed_in| signed_in.connection_id.as_deref() == Some(id));
        self.record(&mut random, "connection.deleted", data);
        true
    }
}
