//! A moment of the emulator's clock, in milliseconds since 1970, and the texts that WorkOS writes
//! and reads for it (RFC 3339, UTC). The shell reads the clock; everything below takes the moment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// Milliseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

/// When everything that the seed names was made: 2026-01-15T12:00:00Z.
pub const SEEDED: Timestamp = Timestamp(1_768_478_400_000);

impl Timestamp {
    /// The clock of the machine, put forward by `ahead`.
    #[must_use]
    pub fn of_clock(time: SystemTime, ahead: Duration) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(millis(since + ahead))
    }

    /// `None` unless `text` is a date and time of RFC 3339 after 1970.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// Whole seconds since 1970, as JWTs and TOTP count.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .map_err(|_| std::fmt::Error)?;
        f.write_str(&moment.format(&format).map_err(|_| std::fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{SEEDED, Timestamp};

    #[test]
    fn is_written_and_read_with_milliseconds_in_utc() {
        assert_eq!(SEEDED.to_string(), "2026-01-15T12:00:00.000Z");
        assert_eq!(Timestamp::parse("2026-01-15T12:00:00.000Z"), Some(SEEDED));
        assert_eq!(Timestamp::parse("2026-01-15T13:00:00+01:00"), Some(SEEDED));
        for wrong in ["", "2026-01-15", "yesterday", "1969-01-15T12:00:00Z"] {
            assert_eq!(Timestamp::parse(wrong), None, "{wrong}");
        }
    }
}
