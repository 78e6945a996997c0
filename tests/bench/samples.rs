//! Durations of repeated runs and their percentiles by nearest rank: each figure is one of the
//! runs, none is an average. NOT a statistics package: no outlier is thrown away, no curve is
//! fitted.

use std::time::Duration;

/// The runs of one measurement; never empty.
#[derive(Clone, Debug)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Of these runs; `None` when there was none.
    pub fn of(mut runs: Vec<Duration>) -> Option<Self> {
        runs.sort_unstable();
        (!runs.is_empty()).then_some(Self(runs))
    }

    /// How many runs.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest run that at least `percent` of all runs (1 to 100) do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// Of the fastest to the slowest, the last.
    pub fn longest(&self) -> Duration {
        self.percentile(100)
    }
}
