//! How the process ends. Scripts rely on the numbers; they change only with a note for them.

use keyport_core::Problem;

/// The exit codes of `keyport`. 2 (usage) is also what the command-line reader itself ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// The command line or a setting cannot be meant so.
    Usage = 2,
    /// Refused: by the company, the service, or the person.
    Refused = 3,
    /// No account is signed in here.
    NoSession = 4,
    /// The service cannot be reached, or not be talked to.
    Unreachable = 5,
    /// The keychain, found before a browser opens.
    Keychain = 6,
    /// The deadline passed.
    TimedOut = 7,
    /// Our own fault, or this device's.
    Internal = 70,
    /// `keyport run`: the command cannot be started, as a shell ends.
    NotStarted = 126,
    /// `keyport run`: there is no such command, as a shell ends.
    NotFound = 127,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Problem> for Exit {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::AccessDenied
            | Problem::ConsentDenied
            | Problem::ProviderFailed
            | Problem::OutsideOrganization
            | Problem::ConnectionOff
            | Problem::ConnectionUnknown
            | Problem::OrganizationUnknown
            | Problem::DomainUnknown
            | Problem::AmbiguousConnection
            | Problem::SetupWrong
            | Problem::OrganizationNotAllowed
            | Problem::ConnectionNotAllowed
            | Problem::ProviderNotAllowed
            | Problem::WithoutOrganization
            | Problem::WrongOrganization
            | Problem::NoSelector
            | Problem::HintInvalid
            | Problem::Cancelled
            | Problem::NotMe
            | Problem::AlreadyUsed
            | Problem::WrongBrowser
            | Problem::StartedElsewhere
            | Problem::Interrupted
            | Problem::ServiceRefused => Self::Refused,
            Problem::TimedOut | Problem::LinkExpired => Self::TimedOut,
            Problem::Offline
            | Problem::ServiceUnavailable
            | Problem::TooManyRequests
            | Problem::TlsUntrusted
            | Problem::ProxyRefused
            | Problem::IssuerMismatch
            | Problem::SignedOutHere
            | Problem::UnexpectedAnswer => Self::Unreachable,
            Problem::SessionEnded
            | Problem::AccessEnded
            | Problem::SignedOutElsewhere
            | Problem::SessionUnknown
            | Problem::DeviceKeyLost
            | Problem::AccountUnknown => Self::NoSession,
            Problem::NotSignedOut
            | Problem::KeychainLocked
            | Problem::KeychainAbsent
            | Problem::KeychainRefused
            | Problem::KeychainCorrupt
            | Problem::KeychainNewer
            | Problem::KeychainSlow
            | Problem::KeychainBusy
            | Problem::KeychainLockRefused => Self::Keychain,
            Problem::CommandNotStarted => Self::NotStarted,
            Problem::CommandNotFound => Self::NotFound,
            Problem::BrowserNotOpened | Problem::ReceiverBlocked | Problem::Internal => {
                Self::Internal
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_ends_with_a_code_that_is_neither_success_nor_usage() {
        for problem in Problem::ALL {
            let exit = Exit::from(*problem);
            assert!(!matches!(exit, Exit::Done | Exit::Usage), "{problem:?}");
            let is_of_keychain = problem.is_of_keychain() || *problem == Problem::NotSignedOut;
            assert_eq!(exit == Exit::Keychain, is_of_keychain, "{problem:?}");
        }
    }

    #[test]
    fn the_numbers_are_those_that_scripts_know() {
        let numbers: Vec<u8> = [
            Problem::AccessDenied,
            Problem::Cancelled,
            Problem::SessionEnded,
            Problem::AccessEnded,
            Problem::SignedOutElsewhere,
            Problem::SessionUnknown,
            Problem::Offline,
            Problem::KeychainAbsent,
            Problem::TimedOut,
            Problem::Internal,
            Problem::CommandNotStarted,
            Problem::CommandNotFound,
        ]
        .into_iter()
        .map(|problem| Exit::from(problem).code())
        .collect();
        assert_eq!(numbers, [3, 3, 4, 4, 4, 4, 5, 6, 7, 70, 126, 127]);
        assert_eq!((Exit::Done.code(), Exit::Usage.code()), (0, 2));
    }
}
