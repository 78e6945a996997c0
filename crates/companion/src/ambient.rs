//! The one place that asks the machine what time it is. Everything else gets the instant as an
//! argument; randomness comes the same way through `keys::Random`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::{ClockReading, SteadyClock, Timestamp};

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Whether [`Clock::now`] follows the clock of the machine; false while that was set by too
    /// much.
    fn follows_machine(&self) -> bool {
        true
    }
}

/// The clock of this machine, steady while the service runs: [`SteadyClock`] decides which
/// corrections of the wall clock are followed. What is not followed is logged when it begins and
/// when it ends.
#[derive(Debug)]
pub struct SystemClock(Mutex<Running>);

#[derive(Debug)]
struct Running {
    clock: SteadyClock,
    believed: bool,
}

impl SystemClock {
    /// Reads the clocks for the first time.
    pub fn start() -> Self {
        let clock = SteadyClock::start(reading());
        Self(Mutex::new(Running { clock, believed: true }))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::start()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, believed) = running.clock.advance(reading());
        if believed != running.believed {
            running.believed = believed;
            if believed {
                tracing::info!("the system clock agrees with the service's again");
            } else {
                tracing::error!(
                    "the system clock was set by more than an hour: the service keeps its own \
                     time. Restart it if the new time is right"
                );
            }
        }
        now
    }

    fn follows_machine(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).believed
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one file that may")]
fn reading() -> ClockReading {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ClockReading { wall: milliseconds(wall), boot: milliseconds(uptime()) }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Since some point before this process, sleep included. It cannot be set.
#[cfg(unix)]
fn uptime() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    // The monotonic clock of Linux stands still while the machine sleeps; that of macOS does not.
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// Since the first question, sleep included.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "this is the one file that may")]
fn uptime() -> Duration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}

/// Time that only goes forward, since it was started: for rates and waits, never for a date.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(tokio::time::Instant);

impl Stopwatch {
    /// Starts one.
    #[expect(clippy::disallowed_methods, reason = "this is the one file that may")]
    pub fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_the_time_of_day_and_never_goes_back() {
        let wall = reading().wall / 1000;
        let clock = SystemClock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(second >= first);
        assert!(first.seconds().abs_diff(wall) < 60);
    }
}
