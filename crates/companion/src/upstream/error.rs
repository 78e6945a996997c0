//! Why a call of an upstream failed, and what that means to a person. An upstream's descriptions
//! are never read: they may hold anything.

use keyport_problems::Problem;

use crate::domain::IdentityError;

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// No connection, no answer in time.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// 5xx.
    #[error("the provider failed with {0}")]
    Failed(u16),
    /// 429, or our own budget is spent.
    #[error("the provider asks for fewer requests")]
    TooMany {
        /// Seconds to wait, 1 to 3,600.
        retry_after: u64,
    },
    /// 401 from the provider itself, or the credentials were refused.
    #[error("the provider does not accept our credentials")]
    WrongKey,
    /// It does not know the client id, or not with this redirect URI.
    #[error("the provider does not know our client id or redirect URI")]
    WrongClient,
    /// The code is spent, too old or not for this verifier.
    #[error("the provider does not accept the code")]
    CodeRefused,
    /// 404 from the provider itself.
    #[error("the provider knows no such thing")]
    NotFound,
    /// Another refusal.
    #[error("the provider refused with {0}")]
    Refused(u16),
    /// An answer that has not the provider's shape: of a proxy or a firewall in between.
    #[error("an answer with {0} that is not the provider's; is a proxy or a firewall in between?")]
    Foreign(u16),
    /// Not what its interface describes.
    #[error("the provider's answer makes no sense")]
    Nonsense,
    /// It answered, but not with what can be the identity of a person.
    #[error("the provider's profile cannot be used: {0}")]
    Identity(IdentityError),
}

impl UpstreamError {
    /// What to tell the person.
    pub const fn problem(self) -> Problem {
        match self {
            Self::Unreachable | Self::Failed(_) | Self::Foreign(_) => Problem::ServiceUnavailable,
            Self::TooMany { .. } => Problem::TooManyRequests,
            Self::WrongKey | Self::WrongClient | Self::Refused(_) | Self::NotFound => {
                Problem::SetupWrong
            }
            Self::CodeRefused => Problem::LinkExpired,
            Self::Nonsense | Self::Identity(_) => Problem::ProviderFailed,
        }
    }
}
