//! Which time the service believes. [`SteadyClock`]: while it runs, a wall clock that is set
//! changes nothing. [`ClockPlausibility`]: across a restart, a time that does not fit the
//! database's latest one deletes nothing and ends no session until it has stood for a day.

use std::time::Duration;

use super::Timestamp;

/// The furthest that the wall clock may be from its first reading, before drift: 1 hour. NTP sets a
/// clock at start by less; a person or a restored virtual machine sets it by more.
pub const LARGEST_STEP: Duration = Duration::from_secs(3600);
/// Drift is one part in this many at most. The kernel slews by 500 parts in a million at most.
const DRIFT: u64 = 1000;

/// One reading of the wall clock and of the boot clock, both in milliseconds. The boot clock counts
/// from the start of the machine, includes sleep, and cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// Milliseconds since the Unix epoch.
    pub wall: i64,
    /// Milliseconds since the machine was started.
    pub boot: i64,
}

/// A clock that follows small corrections of the wall clock and ignores large ones. It never goes
/// back: where the wall clock was set back, it runs at half speed until both agree.
#[derive(Clone, Copy, Debug)]
pub struct SteadyClock {
    first: ClockReading,
    latest: ClockReading,
}

impl SteadyClock {
    /// Starts with what the wall clock shows.
    pub const fn start(reading: ClockReading) -> Self {
        Self { first: reading, latest: reading }
    }

    /// What the clock shows at `reading`, and whether the wall clock was believed.
    pub fn advance(&mut self, reading: ClockReading) -> (Timestamp, bool) {
        let elapsed = reading.boot.saturating_sub(self.latest.boot).max(0);
        let steady = self.latest.wall.saturating_add(elapsed);
        let believed = self.believes(reading);
        let wall = match believed {
            true if reading.wall >= steady => reading.wall,
            true => reading.wall.max(self.latest.wall.saturating_add(elapsed / 2)),
            false => steady,
        };
        self.latest = ClockReading { wall, boot: self.latest.boot.max(reading.boot) };
        (Timestamp::from_seconds(wall.div_euclid(1000)), believed)
    }

    /// Measured against the first reading and not the latest one, so that many small steps cannot
    /// add up to a large one.
    fn believes(&self, reading: ClockReading) -> bool {
        let elapsed = reading.boot.saturating_sub(self.first.boot).max(0);
        let difference = reading.wall.abs_diff(self.first.wall.saturating_add(elapsed));
        let step = u64::try_from(LARGEST_STEP.as_millis()).unwrap_or(u64::MAX);
        difference <= step + elapsed.unsigned_abs() / DRIFT
    }
}

/// Whether the time fits what the database has seen. Decided when it is opened; the clock is a
/// [`SteadyClock`] from then on, so that it can only become plausible by standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockPlausibility {
    opened_at: Timestamp,
    latest_seen: Option<Timestamp>,
}

/// How a time disagrees with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockDoubt {
    /// It is behind the latest time seen by more than [`ClockPlausibility::BEHIND`].
    Behind,
    /// It is ahead of the latest time seen by more than [`ClockPlausibility::AHEAD`].
    Ahead,
}

impl ClockPlausibility {
    /// Ahead of the database by more than this is in doubt: 7 days. A service that was off for
    /// longer is doubted for a day, which costs it nothing but late sweeping.
    pub const AHEAD: Duration = Duration::from_secs(7 * 24 * 3600);
    /// Behind the database by more than this is in doubt: 1 hour.
    pub const BEHIND: Duration = LARGEST_STEP;
    /// A time in doubt that has stood for this long is taken for right: 24 hours, in which an
    /// operator can mend the clock.
    pub const GRACE: Duration = Duration::from_secs(24 * 3600);

    /// Of a database that is opened at `now` and has seen `latest_seen`; none if it is new.
    pub const fn at_open(latest_seen: Option<Timestamp>, now: Timestamp) -> Self {
        Self { opened_at: now, latest_seen }
    }

    /// Why the time is in doubt; `None` if it is plausible.
    pub fn doubt(&self, now: Timestamp) -> Option<ClockDoubt> {
        let latest = self.latest_seen?;
        if now.has_reached(self.opened_at.plus(Self::GRACE)) {
            return None;
        }
        if latest.minus(Self::BEHIND) > now {
            Some(ClockDoubt::Behind)
        } else if self.opened_at > latest.plus(Self::AHEAD) {
            Some(ClockDoubt::Ahead)
        } else {
            None
        }
    }

    /// May rows be deleted because their time is over, may a session be refused for good as
    /// expired, and is `now` remembered as the latest time seen?
    pub fn is_plausible(&self, now: Timestamp) -> bool {
        self.doubt(now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const START: ClockReading = ClockReading { wall: 1_800_000_000_000, boot: HOUR };

    /// `after` milliseconds later, with a wall clock that was set by `by`.
    fn reading(after: i64, by: i64) -> ClockReading {
        ClockReading { wall: START.wall + after + by, boot: START.boot + after }
    }

    fn shown(clock: &mut SteadyClock, reading: ClockReading) -> (i64, bool) {
        let (now, believed) = clock.advance(reading);
        (now.seconds() - START.wall / 1000, believed)
    }

    #[test]
    fn a_jump_of_200_days_and_back_changes_nothing() {
        let mut clock = SteadyClock::start(START);
        assert_eq!(shown(&mut clock, reading(1_000, 0)), (1, true));
        assert_eq!(shown(&mut clock, reading(2_000, 200 * DAY)), (2, false));
        assert_eq!(shown(&mut clock, reading(3_000, -200 * DAY)), (3, false));
        assert_eq!(shown(&mut clock, reading(4_000, 0)), (4, true));
    }

    #[test]
    fn a_small_correction_forward_is_followed_at_once() {
        let mut clock = SteadyClock::start(START);
        assert_eq!(shown(&mut clock, reading(1_000, 90_000)), (91, true));
        assert_eq!(shown(&mut clock, reading(2_000, HOUR)), (3_602, true));
        assert_eq!(shown(&mut clock, reading(3_000, HOUR + 1_000)), (3_603, false));
    }

    #[test]
    fn a_small_correction_back_slows_the_clock_and_never_turns_it() {
        let mut clock = SteadyClock::start(START);
        assert_eq!(shown(&mut clock, reading(100_000, 0)), (100, true));
        assert_eq!(shown(&mut clock, reading(100_000, -60_000)), (100, true));
        assert_eq!(shown(&mut clock, reading(110_000, -60_000)), (105, true));
        assert_eq!(shown(&mut clock, reading(220_000, -60_000)), (160, true), "agreed again");
        assert_eq!(shown(&mut clock, reading(230_000, -60_000)), (170, true));
    }

    #[test]
    fn many_small_steps_do_not_add_up() {
        let mut clock = SteadyClock::start(START);
        let mut latest = 0;
        for step in 1..=200 {
            latest = shown(&mut clock, reading(step * 1_000, step * 50 * 60_000)).0;
        }
        assert!(latest <= 2 * 3_600, "{latest} s after 200 s");
    }

    #[test]
    fn months_of_drift_are_followed() {
        let mut clock = SteadyClock::start(START);
        for day in 1..=180 {
            let drift = day * DAY / 2_000;
            let (seconds, believed) = shown(&mut clock, reading(day * DAY, drift));
            assert!(believed, "day {day}");
            assert_eq!(seconds, (day * DAY + drift) / 1000);
        }
    }

    #[test]
    fn a_time_in_doubt_is_believed_after_a_day_or_when_it_has_caught_up() {
        let at = |seconds: i64| Timestamp::from_seconds(1_800_000_000 + seconds);
        let (hour, day) = (3_600_i64, 86_400);
        let doubt = |latest, opened, now| {
            ClockPlausibility::at_open(Some(at(latest)), at(opened)).doubt(at(now))
        };
        for (latest, opened, now, expected) in [
            (0, 60, 60, None),
            (0, 7 * day, 7 * day, None),
            (0, 7 * day + 1, 7 * day + 1, Some(ClockDoubt::Ahead)),
            (0, 200 * day, 201 * day - 1, Some(ClockDoubt::Ahead)),
            (0, 200 * day, 201 * day, None),
            (0, -hour, -hour, None),
            (0, -hour - 1, -hour - 1, Some(ClockDoubt::Behind)),
            (0, -2 * hour, -hour, None),
            (0, -2 * day, -day - 1, Some(ClockDoubt::Behind)),
            (0, -2 * day, -day, None),
        ] {
            assert_eq!(doubt(latest, opened, now), expected, "{latest} {opened} {now}");
        }
        assert_eq!(ClockPlausibility::at_open(None, at(0)).doubt(at(0)), None, "a new database");
    }
}
