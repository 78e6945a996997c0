//! What is left of the provider's rate limit: a token bucket that slows down after a 429 and
//! recovers. Pure; the time since the start of the process is an argument.

use std::time::Duration;

/// Exchanges that may be sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Exchanges per second.
    pub per_second: f64,
    /// Exchanges at once, after a pause.
    pub burst: f64,
}

impl Rate {
    /// The lower of both, part by part.
    #[must_use]
    pub const fn slower(self, other: Self) -> Self {
        Self {
            per_second: self.per_second.min(other.per_second),
            burst: self.burst.min(other.burst),
        }
    }
}

/// Slowest rate that a 429 leads to, per second.
const SLOWEST: f64 = 5.0;
/// How much faster it becomes in each second without a 429, per second.
const RECOVERY: f64 = 1.0;

/// A token bucket.
#[derive(Debug)]
pub struct Budget {
    rate: Rate,
    /// Rate now; lower than `rate` after a 429.
    per_second: f64,
    tokens: f64,
    refilled: Duration,
    paused_until: Duration,
}

impl Budget {
    /// A full bucket.
    pub const fn new(rate: Rate) -> Self {
        Self {
            rate,
            per_second: rate.per_second,
            tokens: rate.burst,
            refilled: Duration::ZERO,
            paused_until: Duration::ZERO,
        }
    }

    /// Whether one may be sent now and `kept` are left for others. Nothing is taken.
    pub fn has_more_than(&mut self, kept: f64, now: Duration) -> bool {
        self.refill(now);
        now >= self.paused_until && self.tokens >= kept + 1.0
    }

    /// Takes one.
    pub fn take(&mut self) {
        self.tokens -= 1.0;
    }

    /// Gives one back that was not sent.
    pub fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.rate.burst);
    }

    /// The provider has answered 429: nothing is sent for `pause`, and less afterwards.
    pub fn slow_down(&mut self, pause: Duration, now: Duration) {
        self.refill(now);
        self.per_second = (self.per_second / 2.0).max(SLOWEST.min(self.rate.per_second));
        self.paused_until = self.paused_until.max(now + pause);
        // What is spared during the pause would come as one burst after it.
        self.refilled = self.refilled.max(self.paused_until);
        self.tokens = 1.0;
    }

    /// When [`Budget::has_more_than`] may become true.
    pub fn ready_at(&self, kept: f64) -> Duration {
        let missing = (kept + 1.0 - self.tokens).max(0.0);
        let filled = self.refilled + Duration::from_secs_f64(missing / self.per_second);
        // A millisecond more, so that rounding does not wake the caller for nothing.
        filled.max(self.paused_until) + Duration::from_millis(1)
    }

    fn refill(&mut self, now: Duration) {
        let Some(passed) = now.checked_sub(self.refilled) else { return };
        let seconds = passed.as_secs_f64();
        self.tokens = seconds.mul_add(self.per_second, self.tokens).min(self.rate.burst);
        self.per_second = seconds.mul_add(RECOVERY, self.per_second).min(self.rate.per_second);
        self.refilled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10.0, burst: 3.0 };

    fn spend(budget: &mut Budget, now: Duration) -> usize {
        let mut spent = 0;
        while budget.has_more_than(0.0, now) {
            budget.take();
            spent += 1;
        }
        spent
    }

    #[test]
    fn the_burst_then_the_rate_and_never_more() {
        let mut budget = Budget::new(RATE);
        assert_eq!(spend(&mut budget, Duration::ZERO), 3);
        assert_eq!(spend(&mut budget, Duration::from_millis(90)), 0);
        assert_eq!(spend(&mut budget, Duration::from_millis(101)), 1);
        assert_eq!(spend(&mut budget, Duration::from_secs(60)), 3);
        let at = budget.ready_at(0.0);
        assert!(budget.has_more_than(0.0, at), "it is ready when it says so");
    }

    #[test]
    fn after_a_429_nothing_for_the_pause_then_one_then_slowly() {
        let mut budget = Budget::new(Rate { per_second: 40.0, burst: 100.0 });
        budget.slow_down(Duration::from_secs(10), Duration::from_secs(1));
        assert_eq!(spend(&mut budget, Duration::from_millis(10_999)), 0);
        assert_eq!(spend(&mut budget, Duration::from_secs(11)), 1);
        assert_eq!(spend(&mut budget, Duration::from_secs(12)), 20, "half of the rate");
        assert_eq!(spend(&mut budget, Duration::from_secs(13)), 21, "and faster again");
    }

    #[test]
    fn many_429_do_not_stop_it_for_good() {
        let mut budget = Budget::new(RATE);
        for _ in 0..100 {
            budget.slow_down(Duration::from_secs(1), Duration::from_secs(5));
        }
        assert_eq!(spend(&mut budget, Duration::from_secs(7)), 3);
    }
}
