//! What the client takes from outside itself: the time, random bytes, and the programs and stores
//! of the person's machine. The one file with an ambient clock and an ambient source of randomness;
//! tests hand in their own.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyport_core::Moment;
use keyport_core::secret::AuthorizationUrl;
use thiserror::Error;

use crate::browser::Browser;
use crate::keychain::Keychain;

/// What [`Clock::until`] gives back.
pub type Timer<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The time, and waiting for it.
pub trait Clock: Send + Sync {
    /// Now, on this device's clock.
    fn now(&self) -> Moment;

    /// Returns once `moment` has come; at once if it has passed.
    fn until(&self, moment: Moment) -> Timer<'_>;
}

/// Random bytes fit for secrets.
pub trait Random: Send + Sync {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clipboard did not take the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the clipboard did not take it")]
pub struct ClipboardError;

/// Somewhere to put the link for the person.
pub trait Clipboard: Send + Sync {
    /// Puts the URL there.
    ///
    /// # Errors
    /// [`ClipboardError`], whatever the reason; it must not say the URL.
    fn copy(&self, url: &AuthorizationUrl) -> Result<(), ClipboardError>;
}

/// The person's machine, as the app or the CLI sees it. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Opens the companion's pages.
    pub browser: Arc<dyn Browser>,
    /// `None` where there is none: a terminal prints the link instead.
    pub clipboard: Option<Arc<dyn Clipboard>>,
    /// Keeps the device key and the sessions.
    pub keychain: Arc<dyn Keychain>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
}

/// The clock of this device as it was when the first of these was asked, and steady from then on:
/// setting the time in the midst of a sign-in neither ends it nor makes it wait for ever.
/// Sleep counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// One reading of both clocks.
#[derive(Clone, Copy)]
struct Reading {
    wall: Duration,
    uptime: Duration,
}

static FIRST: OnceLock<Reading> = OnceLock::new();

impl Reading {
    fn take() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { wall, uptime: uptime() }
    }

    /// What the wall clock would show at `uptime` if it had not been set since.
    fn at(self, uptime: Duration) -> Moment {
        let wall = self.wall + uptime.saturating_sub(self.uptime);
        Moment(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX))
    }
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
fn uptime() -> Duration {
    static BEGUN: OnceLock<std::time::Instant> = OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}

/// Timers stand still while the machine sleeps and the clock does not: it is looked at again this
/// often.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        FIRST.get_or_init(Reading::take).at(uptime())
    }

    fn until(&self, moment: Moment) -> Timer<'_> {
        Box::pin(async move {
            loop {
                let left = Duration::from_millis(moment.0.saturating_sub(self.now().0));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            }
        })
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Random for SystemRandomness {
    #[expect(
        clippy::expect_used,
        reason = "without randomness nothing is safe; the library aborts before it returns an error"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system has randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_meanwhile_moves_no_deadline() {
        let hour = Duration::from_secs(3600);
        let first = Reading { wall: 10 * hour, uptime: hour };
        assert_eq!(first.at(hour), Moment(36_000_000));
        assert_eq!(first.at(hour + Duration::from_millis(5)), Moment(36_000_005));
        assert_eq!(first.at(Duration::ZERO), Moment(36_000_000), "and it never goes back");
    }

    #[test]
    fn it_begins_with_the_time_of_day_and_goes_on() {
        let before = Reading::take().wall;
        let (first, second) = (SystemClock.now(), SystemClock.now());
        assert!(second >= first);
        assert!(u128::from(first.0).abs_diff(before.as_millis()) < 60_000);
    }
}
