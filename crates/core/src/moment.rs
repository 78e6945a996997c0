//! Points in time, in milliseconds, handed in from outside. Not a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch on this device's clock. A deadline is one of
/// these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment `lifetime` later; the far end of time rather than a wrap.
    #[must_use]
    pub fn after(self, lifetime: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(lifetime)))
    }

    /// The moment `margin` earlier; the beginning of time rather than a wrap.
    #[must_use]
    pub fn before(self, margin: Duration) -> Self {
        Self(self.0.saturating_sub(milliseconds(margin)))
    }

    /// Whole seconds from `now` until this deadline, rounded up; 0 once it has passed.
    #[must_use]
    pub const fn seconds_left(self, now: Self) -> u64 {
        self.0.saturating_sub(now.0).div_ceil(1000)
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_countdown_rounds_up_and_ends_at_zero() {
        let left = |deadline| Moment(deadline).seconds_left(Moment(5_000));
        assert_eq!(
            [left(0), left(5_000), left(5_001), left(6_000), left(65_000)],
            [0, 0, 1, 1, 60]
        );
    }

    #[test]
    fn time_ends_instead_of_beginning_anew() {
        assert_eq!(Moment(1).after(Duration::from_secs(2)), Moment(2_001));
        assert_eq!(Moment(1).after(Duration::MAX), Moment(u64::MAX));
        assert_eq!(Moment(2_001).before(Duration::from_secs(2)), Moment(1));
        assert_eq!(Moment(1).before(Duration::MAX), Moment(0));
    }
}
