//! A code that serves once, for ten minutes, and is given up after five wrong tries: what an email
//! verification and an MFA challenge have in common.

use std::time::Duration;

use crate::timestamp::Timestamp;

const LIFETIME: Duration = Duration::from_secs(600);
const TRIES: u32 = 5;

/// How far a code has been used.
#[derive(Debug, Clone)]
pub struct CodeUse {
    pub expires_at: Timestamp,
    failures: u32,
    used: bool,
}

/// Why a code is not taken; the names are the `code` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneTimeCodeError {
    Invalid,
    Expired,
    PreviouslyUsed,
    TooManyAttempts,
}

impl OneTimeCodeError {
    /// Whether another code can still be right.
    #[must_use]
    pub fn is_wrong_code(self) -> bool {
        self == Self::Invalid
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_one_time_code",
            Self::Expired => "one_time_code_expired",
            Self::PreviouslyUsed => "one_time_code_previously_used",
            Self::TooManyAttempts => "one_time_code_too_many_attempts",
        }
    }
}

impl CodeUse {
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { expires_at: now.plus(LIFETIME), failures: 0, used: false }
    }

    /// Whether a code can still be right.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        !self.used && self.failures < TRIES && now < self.expires_at
    }

    /// Counts a try.
    ///
    /// # Errors
    /// When the code is wrong, or cannot be right any more.
    pub fn attempt(&mut self, right: bool, now: Timestamp) -> Result<(), OneTimeCodeError> {
        if self.used {
            return Err(OneTimeCodeError::PreviouslyUsed);
        }
        if self.failures >= TRIES {
            return Err(OneTimeCodeError::TooManyAttempts);
        }
        if now >= self.expires_at {
            return Err(OneTimeCodeError::Expired);
        }
        if !right {
            self.failures += 1;
            return Err(OneTimeCodeError::Invalid);
        }
        self.used = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{CodeUse, LIFETIME, OneTimeCodeError, TRIES};
    use crate::timestamp::SEEDED;

    #[test]
    fn the_right_code_is_refused_after_five_wrong_ones() {
        let mut code = CodeUse::new(SEEDED);
        for _ in 0..TRIES {
            assert_eq!(code.attempt(false, SEEDED), Err(OneTimeCodeError::Invalid));
        }
        assert_eq!(code.attempt(true, SEEDED), Err(OneTimeCodeError::TooManyAttempts));
        assert!(!code.is_open(SEEDED));
    }

    #[test]
    fn a_code_serves_once_and_for_ten_minutes() {
        let (mut code, end) = (CodeUse::new(SEEDED), SEEDED.plus(LIFETIME));
        assert_eq!(code.attempt(true, end), Err(OneTimeCodeError::Expired));
        assert_eq!(code.attempt(true, SEEDED), Ok(()));
        assert_eq!(code.attempt(true, SEEDED), Err(OneTimeCodeError::PreviouslyUsed));
    }
}
