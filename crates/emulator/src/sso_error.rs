//! The fourteen errors that WorkOS SSO puts into a redirect, complete as its reference lists them
//! (workos.com/docs/reference/sso/get-authorization-url/error-codes). Errors that must never
//! redirect (unknown client or redirect URI) are not here: they are pages.

/// One code of the list; `ALL` has them in the reference's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SsoError {
    AccessDenied,
    AmbiguousConnectionSelector,
    ConnectionDomainInvalid,
    ConnectionInvalid,
    ConnectionStrategyInvalid,
    ConnectionUnlinked,
    DomainConnectionSelectorNotAllowed,
    IdpInitiatedSsoDisabled,
    InvalidConnectionSelector,
    OrganizationInvalid,
    OauthFailed,
    ProfileNotAllowedOutsideOrganization,
    ServerError,
    SigninConsentDenied,
}

impl SsoError {
    pub const ALL: [Self; 14] = [
        Self::AccessDenied,
        Self::AmbiguousConnectionSelector,
        Self::ConnectionDomainInvalid,
        Self::ConnectionInvalid,
        Self::ConnectionStrategyInvalid,
        Self::ConnectionUnlinked,
        Self::DomainConnectionSelectorNotAllowed,
        Self::IdpInitiatedSsoDisabled,
        Self::InvalidConnectionSelector,
        Self::OrganizationInvalid,
        Self::OauthFailed,
        Self::ProfileNotAllowedOutsideOrganization,
        Self::ServerError,
        Self::SigninConsentDenied,
    ];

    /// The value of `error` on the wire.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// The value of `error_description` on the wire: for developers.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.words().1
    }

    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.code() == code)
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::AccessDenied => {
                ("access_denied", "The user denied the request at the identity provider")
            }
            Self::AmbiguousConnectionSelector => (
                "ambiguous_connection_selector",
                "The organization has several connections; use `connection`",
            ),
            Self::ConnectionDomainInvalid => {
                ("connection_domain_invalid", "No connection associated with domain")
            }
            Self::ConnectionInvalid => ("connection_invalid", "No connection with the given ID"),
            Self::ConnectionStrategyInvalid => (
                "connection_strategy_invalid",
                "The provider has multiple strategies in this environment",
            ),
            Self::ConnectionUnlinked => ("connection_unlinked", "The connection is not active"),
            Self::DomainConnectionSelectorNotAllowed => (
                "domain_connection_selector_not_allowed",
                "The `domain` parameter is no longer supported",
            ),
            Self::IdpInitiatedSsoDisabled => {
                ("idp_initiated_sso_disabled", "IdP-initiated SSO is disabled for the connection")
            }
            Self::InvalidConnectionSelector => (
                "invalid_connection_selector",
                "Exactly one of connection, organization or provider is required",
            ),
            Self::OrganizationInvalid => {
                ("organization_invalid", "No connection associated with organization")
            }
            Self::OauthFailed => ("oauth_failed", "The OAuth request failed for the user"),
            Self::ProfileNotAllowedOutsideOrganization => (
                "profile_not_allowed_outside_organization",
                "The profile's email is outside the domains of the organization",
            ),
            Self::ServerError => ("server_error", "SSO failed for the user"),
            Self::SigninConsentDenied => {
                ("signin_consent_denied", "User cancelled the authentication request")
            }
        }
    }
}
