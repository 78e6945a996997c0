//! Points in time and spans of time, in milliseconds, handed in from outside. Not a clock.

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch on this device's clock. A deadline is one of
/// these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

/// A span of time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(pub u64);

impl Lifetime {
    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }
}

impl Moment {
    /// The moment `lifetime` later; the far end of time rather than a wrap.
    #[must_use]
    pub const fn after(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_add(lifetime.0))
    }

    /// Whole seconds from `now` until this deadline, rounded up; 0 once it has passed.
    #[must_use]
    pub const fn seconds_left(self, now: Self) -> u64 {
        self.0.saturating_sub(now.0).div_ceil(1000)
    }
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
        assert_eq!(Moment(1).after(Lifetime::seconds(2)), Moment(2_001));
        assert_eq!(Moment(1).after(Lifetime::seconds(u64::MAX)), Moment(u64::MAX));
    }
}
