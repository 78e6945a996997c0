//! Who may sign in: default deny. SelectorHints come from an unauthenticated request, so they
//! choose among what the operator allows and never widen it; the profile that comes back is judged
//! again. Pure.

mod profile;
mod summary;

pub use profile::ReturnedProfile;
pub use summary::PolicyLine;

use keyport_problems::Problem;
use serde::{Deserialize, Serialize};

/// The operator's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionPolicy {
    /// `KEYPORT_ORGANIZATIONS`.
    pub organizations: AllowedOrganizations,
    /// `KEYPORT_PROVIDERS`.
    pub providers: Vec<String>,
    /// `KEYPORT_DEFAULT_ORGANIZATION`.
    pub default_organization: Option<String>,
    /// `KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION`: whether a person enters whose profile names no
    /// organization.
    pub people_without_organization: bool,
    /// `KEYPORT_UPSTREAM`: what AuthKit is for.
    pub authkit: AuthKitUse,
}

/// What AuthKit is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuthKitUse {
    /// Nothing: people sign in by standalone SSO.
    #[default]
    Never,
    /// People whom no connection serves; the others sign in by standalone SSO.
    WithoutConnection,
    /// Everyone.
    Always,
}

/// Which organizations may enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrganizations {
    /// `*`: every organization of the WorkOS environment.
    Every,
    /// These ids.
    These(Vec<String>),
}

impl AllowedOrganizations {
    /// Whether this organization may enter.
    pub fn allows(&self, organization: &str) -> bool {
        match self {
            Self::Every => true,
            Self::These(ids) => ids.iter().any(|id| id == organization),
        }
    }
}

/// What the pushed request asked for; at most one of the last three.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectorHints {
    /// An email address.
    pub login_hint: Option<String>,
    /// An organization id.
    pub organization: Option<String>,
    /// A connection id.
    pub connection: Option<String>,
    /// A provider such as `GoogleOAuth`.
    pub provider: Option<String>,
}

/// The one selector that goes upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamSelector {
    /// One connection of one organization.
    Connection {
        /// `conn_…`
        id: String,
        /// Whose it is, as the upstream said when it was asked.
        organization: Option<String>,
    },
    /// Whatever connection the organization has.
    Organization(String),
    /// A social provider.
    Provider(String),
    /// Whatever the person chooses on the upstream's own page.
    Hosted,
}

/// A connection as the upstream lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedConnection {
    /// `conn_…`
    pub id: String,
    /// Whose it is.
    pub organization: Option<String>,
    /// Able to sign people in.
    pub active: bool,
}

/// What has to be known before the request can be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingAdmission {
    /// Nothing more: this selector is admitted.
    Settled(UpstreamSelector),
    /// Ask the upstream for the connections of this email domain, then `choose_by_domain`.
    Domain(String),
    /// Ask the upstream for this connection, then `admit_connection`.
    Connection(String),
}

impl AdmissionPolicy {
    /// `organizations` with a lone `*` means all. A person without an organization is refused.
    pub fn new(
        organizations: Vec<String>,
        providers: Vec<String>,
        default_organization: Option<String>,
    ) -> Self {
        let every = organizations == ["*"];
        let organizations = if every {
            AllowedOrganizations::Every
        } else {
            AllowedOrganizations::These(organizations)
        };
        let (people_without_organization, authkit) = (false, AuthKitUse::Never);
        Self {
            organizations,
            providers,
            default_organization,
            people_without_organization,
            authkit,
        }
    }

    /// The same rules, and whether people without an organization enter.
    #[must_use]
    pub fn with_people_without_organization(self, allowed: bool) -> Self {
        Self { people_without_organization: allowed, ..self }
    }

    /// The same rules, and what AuthKit is for.
    #[must_use]
    pub fn with_authkit(self, authkit: AuthKitUse) -> Self {
        Self { authkit, ..self }
    }

    /// Whether no hint at all could be admitted.
    pub fn admits_no_one(&self) -> bool {
        self.organizations == AllowedOrganizations::These(Vec::new())
            && !self.admits_social_accounts()
            && self.hosted().is_err()
    }

    /// The upstream's own page, where any person who is admitted may sign in.
    fn hosted(&self) -> Result<UpstreamSelector, Problem> {
        let no_organization = self.organizations == AllowedOrganizations::These(Vec::new());
        if self.authkit == AuthKitUse::Never {
            return Err(Problem::NoSelector);
        }
        if no_organization && !self.people_without_organization {
            return Err(Problem::WithoutOrganization);
        }
        Ok(UpstreamSelector::Hosted)
    }

    /// Whether any account of a listed provider could enter.
    fn admits_social_accounts(&self) -> bool {
        let organization = self.organizations != AllowedOrganizations::These(Vec::new());
        !self.providers.is_empty() && (organization || self.people_without_organization)
    }

    /// The first judgement, from the request alone.
    ///
    /// # Errors
    /// The problem that the answer names.
    pub fn judge(&self, hints: &SelectorHints) -> Result<PendingAdmission, Problem> {
        if let Some(id) = &hints.connection {
            return Ok(PendingAdmission::Connection(id.clone()));
        }
        if let Some(id) = &hints.organization {
            return self.organization(id);
        }
        if let Some(name) = &hints.provider {
            return match (self.providers.contains(name), self.admits_social_accounts()) {
                (true, true) => {
                    Ok(PendingAdmission::Settled(UpstreamSelector::Provider(name.clone())))
                }
                // Neither an organization nor a person without one is admitted: no profile fits.
                (true, false) => Err(Problem::WithoutOrganization),
                (false, _) => Err(Problem::ProviderNotAllowed),
            };
        }
        match (&hints.login_hint, self.authkit) {
            (Some(_), AuthKitUse::Always) => self.hosted().map(PendingAdmission::Settled),
            (Some(email), _) => {
                domain_of(email).map(PendingAdmission::Domain).ok_or(Problem::DomainUnknown)
            }
            (None, _) => match &self.default_organization {
                Some(id) => self.organization(id),
                None => self.hosted().map(PendingAdmission::Settled),
            },
        }
    }

    fn organization(&self, id: &str) -> Result<PendingAdmission, Problem> {
        if self.organizations.allows(id) {
            Ok(PendingAdmission::Settled(UpstreamSelector::Organization(id.to_owned())))
        } else {
            Err(Problem::OrganizationNotAllowed)
        }
    }

    /// The connection that serves an email domain; the upstream's own page where there is one and
    /// no connection may be used.
    ///
    /// # Errors
    /// None that may be used, or more than one.
    pub fn choose_by_domain(
        &self,
        listed: &[ListedConnection],
    ) -> Result<UpstreamSelector, Problem> {
        let mut allowed = listed.iter().filter(|connection| self.may_use(connection)).peekable();
        if allowed.peek().is_none() {
            // An unauthenticated caller must not learn which companies are customers but not
            // allowed.
            return self.hosted().map_err(|_| Problem::DomainUnknown);
        }
        let mut active = allowed.filter(|connection| connection.active);
        match (active.next(), active.next()) {
            (Some(only), None) => Ok(selector(only)),
            (Some(_), Some(_)) => Err(Problem::AmbiguousConnection),
            (None, _) => Err(Problem::ConnectionOff),
        }
    }

    /// A connection that was asked for by id.
    ///
    /// # Errors
    /// It is not there, or may not be used: the same answer for both.
    pub fn admit_connection(
        &self,
        found: Option<&ListedConnection>,
    ) -> Result<UpstreamSelector, Problem> {
        match found {
            Some(connection) if !self.may_use(connection) => Err(Problem::ConnectionNotAllowed),
            Some(connection) if !connection.active => Err(Problem::ConnectionOff),
            Some(connection) => Ok(selector(connection)),
            None => Err(Problem::ConnectionNotAllowed),
        }
    }

    fn may_use(&self, connection: &ListedConnection) -> bool {
        match &connection.organization {
            Some(id) => self.organizations.allows(id),
            None => {
                self.people_without_organization
                    && self.organizations == AllowedOrganizations::Every
            }
        }
    }
}

fn selector(connection: &ListedConnection) -> UpstreamSelector {
    UpstreamSelector::Connection {
        id: connection.id.clone(),
        organization: connection.organization.clone(),
    }
}

/// The domain of an address, lower case; `None` if it is not one.
pub fn domain_of(email: &str) -> Option<String> {
    let (name, domain) = email.rsplit_once('@')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let good = !name.is_empty()
        && domain.contains('.')
        && domain.len() <= 253
        && domain.chars().all(plain)
        && !domain.split('.').any(str::is_empty);
    good.then(|| domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
