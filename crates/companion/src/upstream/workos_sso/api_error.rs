//! What the error answers of WorkOS mean. Its descriptions are never read: they may hold anything.

use keyport_problems::Problem;

use super::UpstreamError;

impl UpstreamError {
    /// Keeps the kind and drops the words: an error of the crate may carry bodies.
    pub(in crate::upstream) fn of(error: &workos::Error) -> Self {
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
                retry_after: error.retry_after().map_or(2, |wait| wait.as_secs().clamp(1, 3600)),
            },
            (500.., _) => Self::Failed(status),
            _ => Self::Foreign(status),
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

/// The documented `error` codes of the redirect back from `/sso/authorize`; any other one is a
/// failure.
pub(super) fn problem_of_redirect(error: &str) -> Problem {
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
