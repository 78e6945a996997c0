//! Instants as texts: RFC 3339 in UTC.

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use crate::domain::Timestamp;

/// RFC 3339, whole seconds, UTC; empty for an instant outside the years 0 to 9999.
pub fn instant_text(instant: Timestamp) -> String {
    let instant = OffsetDateTime::from_unix_timestamp(instant.seconds()).ok();
    instant.and_then(|instant| instant.format(&Rfc3339).ok()).unwrap_or_default()
}

/// Reads RFC 3339, or a date alone, which means its first second in UTC.
pub fn read_instant(text: &str) -> Option<Timestamp> {
    let instant = match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(instant) => instant,
        Err(_) => date(text)?.midnight().assume_utc(),
    };
    Some(Timestamp::from_seconds(instant.unix_timestamp()))
}

/// `2026-11-22`.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let is_date = year.len() == 4 && month.len() == 2 && day.len() == 2;
    let month = month.parse::<u8>().ok()?.try_into().ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok();
    date.filter(|_| is_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_they_are_written() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-22T04:10:09Z", 1_795_320_609),
            ("2026-11-22", 1_795_305_600),
        ] {
            let instant = Timestamp::from_seconds(seconds);
            assert_eq!(read_instant(text), Some(instant), "{text}");
            assert!(instant_text(instant).starts_with(text), "{text}");
        }
        assert_eq!(
            read_instant("2026-11-22T04:10:09.123+01:00"),
            read_instant("2026-11-22T03:10:09Z")
        );
        for wrong in ["", "yesterday", "2026-13-01", "2026-1-1", "-2026-11-22", "26-11-22"] {
            assert_eq!(read_instant(wrong), None, "{wrong}");
        }
    }
}
