//! How long things live. One place for the whole service; an engine is told, and decides nothing.

use std::time::Duration;

use super::Timestamp;

const DAY: u64 = 24 * 60 * 60;

/// The lifetimes of what the service keeps. The defaults are those of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// A session that was not refreshed for this long is over: 30 days.
    pub session_idle: Duration,
    /// A session is over after this long in any case: 180 days.
    pub session_absolute: Duration,
    /// An access token, and a session without refresh token: 5 minutes.
    pub access_token: Duration,
    /// An authorization code: 60 s (RFC 6749 §4.1.2 recommends 10 minutes at most).
    pub authorization_code: Duration,
    /// From the provider's answer to *Continue*: 10 minutes.
    pub hand_off: Duration,
    /// After this long an exchange without result counts as interrupted: 2 minutes.
    pub exchange: Duration,
    /// How long a grant and an attempt are remembered. Longer than a sealed upstream authorization
    /// lives, or one could be used twice: 1 hour.
    pub grant_retention: Duration,
    /// How long audit rows, and what the provider told of a subject, are kept: 400 days.
    pub audit_retention: Duration,
    /// How long the ids of events that were taken are kept. The provider keeps and repeats an
    /// event for 90 days: 100 days.
    pub event_retention: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            session_idle: Duration::from_secs(30 * DAY),
            session_absolute: Duration::from_secs(180 * DAY),
            access_token: Duration::from_secs(300),
            authorization_code: Duration::from_secs(60),
            hand_off: Duration::from_secs(600),
            exchange: Duration::from_secs(120),
            grant_retention: Duration::from_secs(3600),
            audit_retention: Duration::from_secs(400 * DAY),
            event_retention: Duration::from_secs(100 * DAY),
        }
    }
}

impl Lifetimes {
    /// The deadline of a session that began at `created_at` and was last refreshed at `used_at`.
    pub fn session_deadline(&self, created_at: Timestamp, used_at: Timestamp) -> Timestamp {
        used_at.plus(self.session_idle).min(created_at.plus(self.session_absolute))
    }

    /// The deadline of an access token that is issued at `now` for a session with this deadline.
    pub fn access_deadline(&self, session: Timestamp, now: Timestamp) -> Timestamp {
        session.min(now.plus(self.access_token))
    }

    /// Returns whether a device key that signed a user in at `last_seen` is trusted for that user
    /// still: for as long as a session may live at most.
    pub fn trusts_device_key(&self, last_seen: Timestamp, now: Timestamp) -> bool {
        !now.has_reached(last_seen.plus(self.session_absolute))
    }
}
