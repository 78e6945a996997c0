//! How much one caller can make the service keep. Each grant stands for a callback that may send an
//! exchange to the provider, and for a row that look-ups of its attempt read.

/// Grants of one pushed request: 8. A request is opened again after a closed tab or on another
/// device; more openings than this that came back from a provider are not a person's.
pub const GRANTS_PER_REQUEST: usize = 8;

/// Grants of one attempt of one device key: 32. An attempt pushes one request for each way back to
/// the app, and pushes them again where a person chooses another way.
pub const GRANTS_PER_ATTEMPT: usize = 32;

/// Returns whether one more grant may be journalled beside those that there are.
pub const fn may_begin_exchange(of_request: usize, of_attempt: usize) -> bool {
    of_request < GRANTS_PER_REQUEST && of_attempt < GRANTS_PER_ATTEMPT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_the_last_counts_that_are_too_many() {
        assert!(may_begin_exchange(0, 0));
        assert!(may_begin_exchange(GRANTS_PER_REQUEST - 1, GRANTS_PER_ATTEMPT - 1));
        assert!(!may_begin_exchange(GRANTS_PER_REQUEST, 0));
        assert!(!may_begin_exchange(0, GRANTS_PER_ATTEMPT));
    }
}
