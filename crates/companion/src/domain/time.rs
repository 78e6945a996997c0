//! An instant as the companion stores and signs it: whole seconds since the Unix epoch (RFC 7519
//! `NumericDate`). It is not a clock: the edge reads the clock once per request and passes the
//! instant down.

use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// After every other instant.
    pub const MAX: Self = Self(i64::MAX);

    /// From seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The instant `lifetime` later; saturates at the end of time. Fractions of a second are
    /// dropped.
    pub fn plus(self, lifetime: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The instant `lifetime` earlier; saturates at the beginning of time.
    pub fn minus(self, lifetime: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)))
    }

    /// True from the deadline on: a lifetime of 60 s ends at second 60, not after it.
    pub fn has_reached(self, deadline: Self) -> bool {
        self >= deadline
    }
}
