//! When a callback first asked for its turn. A refused callback keeps its place: the upstream
//! authorization cookie carries it, sealed, and the same callback brings it along when its page
//! tries again. So callbacks of one address are served in the order of their first arrival, and a
//! flood of newer ones holds none of them up for good.

use std::time::Duration;

use crate::domain::Timestamp;

/// How long a place is held after a refusal: 30 s. The page tries again after 5 s and may then wait
/// for 15 s. Who wants to hold many places has to come back with each of them, and coming back
/// sends the code.
const HELD: Duration = Duration::from_secs(30);

/// The place of a refused callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// When it first asked for its turn.
    pub first: Timestamp,
    /// When it was last refused.
    pub given: Timestamp,
}

/// One arrival of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When it first asked for its turn.
    pub first: Timestamp,
    /// It was refused before and holds a place.
    pub holds_place: bool,
}

impl Arrival {
    /// A callback that comes at `now`, with the place that it was given, if any.
    pub fn at(now: Timestamp, place: Option<QueuePlace>) -> Self {
        let held = place.filter(|place| now < place.given.plus(HELD) && place.first <= now);
        Self { first: held.map_or(now, |place| place.first), holds_place: held.is_some() }
    }

    /// What it is given when it is refused at `now`.
    pub const fn place(self, now: Timestamp) -> QueuePlace {
        QueuePlace { first: self.first, given: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_place_counts_from_the_first_arrival_and_lapses() {
        let at = Timestamp::from_seconds;
        let first = Arrival::at(at(100), None);
        assert_eq!(first, Arrival { first: at(100), holds_place: false });
        let mut place = first.place(at(115));
        for now in [120, 140, 160] {
            let again = Arrival::at(at(now), Some(place));
            assert_eq!(again, Arrival { first: at(100), holds_place: true }, "at {now}");
            place = again.place(at(now));
        }
        let late = Arrival::at(at(190), Some(place));
        assert_eq!(late, Arrival { first: at(190), holds_place: false });
        let ahead = QueuePlace { first: at(200), given: at(200) };
        assert!(!Arrival::at(at(190), Some(ahead)).holds_place, "the clock was set back");
    }
}
