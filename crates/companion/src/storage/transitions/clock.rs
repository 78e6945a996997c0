//! The clock, judged once when a database is opened.

use crate::domain::{ClockPlausibility, Timestamp};

/// Compares the clock with the latest time that the database has seen. Returns the judgement, and
/// whether `now` is remembered as the latest time.
pub(in crate::storage) fn judge_clock(
    latest: Option<Timestamp>,
    now: Timestamp,
) -> (ClockPlausibility, bool) {
    let clock = ClockPlausibility::at_open(latest, now);
    let (Some(doubt), Some(latest)) = (clock.doubt(now), latest) else { return (clock, true) };
    tracing::error!(
        ?doubt,
        now = now.seconds(),
        latest_seen = latest.seconds(),
        "the clock does not fit the database: nothing is deleted and no session ends by age for a \
         day. Set the clock and restart, if it is wrong"
    );
    (clock, false)
}
