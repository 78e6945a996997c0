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
    /// 401 from the provider itself, or the credentials were refused.
    #[error("the provider does not accept WORKOS_API_KEY together with WORKOS_CLIENT_ID")]
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
    /// Keeps the kind and drops the words: an error of the crate may carry bodies.
    pub(super) fn of(error: &workos::Error) -> Self {
        let Some(status) = error.status() else {
            return match error {
                workos::Error::Network(_) => Self::Unreachable,
                // The page of a captive portal; JSON of another shape is the provider's.
                workos::Error::Decode(cause) if cause.is_syntax() || cause.is_eof() => {
                    Self::Foreign(200)
                }
                _ => Self::Nonsense,
            };
        };
        match (status, provider_says(error).as_deref()) {
            (400, Some("invalid_client" | "unauthorized_client")) | (401, Some(_)) => {
                Self::WrongKey
            }
            (400, Some("invalid_grant")) => Self::CodeRefused,
            (404, Some(_)) => Self::NotFound,
            (400 | 403 | 409 | 422, Some(_)) => Self::Refused(status),
            (429, _) => Self::TooMany {
                retry_after: error.retry_after().map_or(2, |wait| wait.as_secs().clamp(1, 60)),
            },
            (500.., _) => Self::Failed(status),
            _ => Self::Foreign(status),
        }
    }

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

/// The code of a refusal in the provider's shape, empty where that has none; `None` for any other
/// answer, which is of a proxy or a firewall in between and says nothing about our set-up. Its
/// shapes: 400 an OAuth `error`, 401, 404 and 422 an `error` or a `code`, and all of these, 403 and
/// 409 a `message` with or without a `code`. It documents no other status for what is asked here.
fn provider_says(error: &workos::Error) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&error.api()?.raw_body).ok()?;
    let text = |name: &str| body.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let (code, error_code) = (text("code"), text("error"));
    let described = text("message").map(|_| code.clone().unwrap_or_default());
    match error.status()? {
        400 => error_code.or(described),
        401 | 404 | 422 => code.or(error_code).or(described),
        403 | 409 => described,
        _ => None,
    }
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
