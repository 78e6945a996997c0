//! What an upstream tells of its own accord: an event as it came in, and what it means here.

use crate::domain::{Timestamp, UpstreamEvent};

/// An event that has come in, by whichever way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// Its id.
    pub id: String,
    /// What the provider calls this kind of event; only to be logged.
    pub name: String,
    /// What it means.
    pub meaning: Meaning,
}

/// What an event means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Something that sessions may depend on.
    Event(UpstreamEvent),
    /// Nothing.
    Nothing,
    /// It is of a kind that counts, and misses what it should have.
    Unreadable,
}

/// Where in the provider's list to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventsAfter<'a> {
    /// After the event of this id.
    Event(&'a str),
    /// With what happened from this instant on.
    Instant(Timestamp),
}

/// A part of the provider's list of events, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsPage {
    /// The events.
    pub events: Vec<ReceivedEvent>,
    /// There may be more.
    pub may_be_more: bool,
}
