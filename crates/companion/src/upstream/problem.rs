//! What the provider's errors mean to a person. Its descriptions are never read: they may hold anything.

use keyport_core::Problem;

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
        /// Seconds to wait, 1 to 60.
        retry_after: u64,
    },
    /// 401 or 403 from the provider itself, or the credentials were refused.
    #[error("the provider does not accept WORKOS_API_KEY together with WORKOS_CLIENT_ID")]
    WrongKey,
    /// It does not know the client id, or not with this redirect URI.
    #[error("the provider does not know our client id or redirect URI")]
    WrongClient,
    /// The code is spent, too old or not for this verifier.
    #[error("the provider does not accept the code")]
    CodeRefused,
    /// 404.
    #[error("the provider knows no such thing")]
    NotFound,
    /// Another refusal.
    #[error("the provider refused with {0}")]
    Refused(u16),
    /// Not what its interface describes.
    #[error("the provider's answer makes no sense")]
    Nonsense,
    /// It answered, but not with what can be the identity of a person.
    #[error("the provider's profile cannot be used: {0}")]
    Identity(IdentityError),
}

impl UpstreamError {
    /// Keeps the kind and drops the words: an error of the crate may carry bodies.
    pub(super) fn of(error: &workos::Error) -> Self {
        let Some(status) = error.status() else {
            return match error {
                workos::Error::Network(_) => Self::Unreachable,
                _ => Self::Nonsense,
            };
        };
        match (status, error.code()) {
            (_, Some("invalid_client" | "unauthorized_client")) => Self::WrongKey,
            (401 | 403, _) if is_of_the_provider(error) => Self::WrongKey,
            (400, Some("invalid_grant")) => Self::CodeRefused,
            (404, _) => Self::NotFound,
            (429, _) => Self::TooMany {
                retry_after: error.retry_after().map_or(2, |wait| wait.as_secs().clamp(1, 60)),
            },
            (500.., _) => Self::Failed(status),
            _ => Self::Refused(status),
        }
    }

    /// What to tell the person.
    pub const fn problem(self) -> Problem {
        match self {
            Self::Unreachable | Self::Failed(_) => Problem::ServiceUnavailable,
            Self::TooMany { .. } => Problem::TooManyRequests,
            Self::WrongKey | Self::WrongClient | Self::Refused(_) | Self::NotFound => {
                Problem::SetupWrong
            }
            Self::CodeRefused => Problem::LinkExpired,
            Self::Nonsense | Self::Identity(_) => Problem::ProviderFailed,
        }
    }
}

/// A refusal by the provider is a JSON object with a message; a proxy or a firewall in between
/// answers with a page of its own, which says nothing about the key.
fn is_of_the_provider(error: &workos::Error) -> bool {
    let workos::Error::Api(answer) = error else { return false };
    let body: serde_json::Value = serde_json::from_slice(&answer.raw_body).unwrap_or_default();
    body["message"].is_string() || body["error"].is_string()
}

/// The documented `error` codes of the redirect back from `/sso/authorize`; any other one is a failure.
pub fn problem_of_redirect(error: &str) -> Problem {
    match error {
        "access_denied" => Problem::AccessDenied,
        "signin_consent_denied" => Problem::ConsentDenied,
        "ambiguous_connection_selector" => Problem::AmbiguousConnection,
        "connection_domain_invalid" => Problem::DomainUnknown,
        "connection_invalid" => Problem::ConnectionUnknown,
        "connection_unlinked" | "idp_initiated_sso_disabled" => Problem::ConnectionOff,
        "organization_invalid" => Problem::OrganizationUnknown,
        "profile_not_allowed_outside_organization" => Problem::OutsideOrganization,
        "connection_strategy_invalid"
        | "domain_connection_selector_not_allowed"
        | "invalid_connection_selector" => Problem::SetupWrong,
        _ => Problem::ProviderFailed,
    }
}
