//! What is deleted, and when: rows whose time is over, and rows that are too many. Nothing asks
//! whether a row was swept: what has expired is refused by its deadline, swept or not. While the
//! clock is in doubt nothing is deleted for its age; the limits hold.

use std::time::Duration;

use super::Rules;
use crate::domain::Timestamp;

/// Between two sweeps.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long an instance holds the reading of the provider's list without a word.
pub(in crate::storage) const FEED_HELD: Duration = Duration::from_secs(60);
/// How many local users one entry of a directory may be, and how many subjects may concern one.
pub(in crate::storage) const MOST_PEOPLE: i64 = 64;
pub(in crate::storage) const MOST_SUBJECTS: i64 = 64;

/// One sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::storage) struct Retention {
    /// What is too old; `None` while the clock is in doubt.
    pub(in crate::storage) over: Option<Over>,
    /// How many grants without a person, and how many attempts without an outcome, stay.
    pub(in crate::storage) unauthenticated_rows: usize,
}

/// Instants up to which rows are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::storage) struct Over {
    /// `sweep_at` of grants and attempts, deadlines of sessions. It is also remembered as the
    /// latest time that was plausible.
    pub(in crate::storage) now: Timestamp,
    /// The last sight of a device key.
    pub(in crate::storage) device_keys: Timestamp,
    /// The instant of an audit row, and of the last report of a subject.
    pub(in crate::storage) audit: Timestamp,
    /// The instant at which an event was taken.
    pub(in crate::storage) events: Timestamp,
}

impl Rules {
    pub(in crate::storage) fn retention(&self, now: Timestamp) -> Retention {
        let lifetimes = self.lifetimes();
        let over = Over {
            now,
            device_keys: now.minus(lifetimes.session_absolute),
            audit: now.minus(lifetimes.audit_retention),
            events: now.minus(lifetimes.event_retention),
        };
        Retention {
            over: self.clock.is_plausible(now).then_some(over),
            unauthenticated_rows: self.limits().unauthenticated_rows,
        }
    }
}

/// When the next sweep is due.
#[derive(Clone, Copy, Debug)]
pub(in crate::storage) struct SweepSchedule(Timestamp);

impl Default for SweepSchedule {
    fn default() -> Self {
        Self(Timestamp::from_seconds(i64::MIN))
    }
}

impl SweepSchedule {
    /// Every ten seconds; the clock may have gone back.
    pub(in crate::storage) fn is_due(self, now: Timestamp) -> bool {
        now.has_reached(self.0) || !now.plus(INTERVAL).has_reached(self.0)
    }

    /// After a sweep; at once again if there is more to delete.
    pub(in crate::storage) fn after(now: Timestamp, has_more: bool) -> Self {
        Self(if has_more { now } else { now.plus(INTERVAL) })
    }
}
