//! How much one caller can make the service keep. Each grant stands for a callback that may send an
//! exchange to the provider, and for a row that look-ups of its attempt read.

use super::AuditLimits;

/// How many rows there may be. The defaults are those of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Grants of one pushed request: 8. A request is opened again after a closed tab or on another
    /// device; more openings than this that came back from a provider are not a person's.
    pub grants_per_request: usize,
    /// Grants of one attempt of one device key: 32. An attempt pushes one request for each callback
    /// receiver, and pushes them again where a person chooses another one.
    pub grants_per_attempt: usize,
    /// How many grants, and how many attempts, unauthenticated callers may fill; beyond it the
    /// oldest are deleted early: 50,000.
    pub unauthenticated_rows: usize,
    /// Audit rows.
    pub audit: AuditLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            grants_per_request: 8,
            grants_per_attempt: 32,
            unauthenticated_rows: 50_000,
            audit: AuditLimits::default(),
        }
    }
}

impl Limits {
    /// Returns whether one more grant may be journalled beside those that there are.
    pub const fn may_begin_exchange(&self, of_request: usize, of_attempt: usize) -> bool {
        of_request < self.grants_per_request && of_attempt < self.grants_per_attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_the_last_counts_that_are_too_many() {
        let limits = Limits::default();
        assert!(limits.may_begin_exchange(0, 0));
        assert!(limits.may_begin_exchange(7, 31));
        assert!(!limits.may_begin_exchange(8, 0));
        assert!(!limits.may_begin_exchange(0, 32));
    }
}
