//! The emulated WorkOS environment: organizations, their connections and people, and the rules by
//! which a selector finds a connection and an email finds a person. Plain data in, plain data out;
//! it knows neither HTTP nor time.

use crate::seed::{Client, Connection, ConnectionState, Organization, Person, Seed};
use crate::sso_error::SsoError;

/// The values of `provider` at `/sso/authorize` (WorkOS OpenAPI specification). `authkit` is none
/// of them.
const PROVIDERS: [&str; 13] = [
    "AppleOAuth",
    "BitbucketOAuth",
    "GitHubOAuth",
    "GitLabOAuth",
    "GoogleOAuth",
    "IntuitOAuth",
    "LinkedInOAuth",
    "MicrosoftOAuth",
    "SalesforceOAuth",
    "SlackOAuth",
    "VercelMarketplaceOAuth",
    "VercelOAuth",
    "XeroOAuth",
];

#[derive(Debug, Clone)]
pub struct Environment {
    seed: Seed,
}

/// How an authorization request names its connection: exactly one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionSelector<'a> {
    Connection(&'a str),
    Organization(&'a str),
    Provider(&'a str),
}

/// Why an email does not become a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonError {
    /// No person of the seed has this address.
    Unknown,
    /// The address belongs to another domain than the organization's, and the organization forbids
    /// that.
    OutsideOrganization,
}

impl Environment {
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self { seed }
    }

    #[must_use]
    pub fn client(&self) -> &Client {
        &self.seed.client
    }

    #[must_use]
    pub fn default_redirect_uri(&self) -> &str {
        &self.seed.default_redirect_uri
    }

    #[must_use]
    pub fn allows_redirect_uri(&self, uri: &str) -> bool {
        self.seed.redirect_uris.iter().any(|pattern| pattern.allows(uri))
    }

    /// In the order of their creation.
    #[must_use]
    pub fn connections(&self) -> &[Connection] {
        &self.seed.connections
    }

    #[must_use]
    pub fn connection(&self, id: &str) -> Option<&Connection> {
        self.seed.connections.iter().find(|connection| connection.id == id)
    }

    /// Whether there was one to delete.
    pub fn delete_connection(&mut self, id: &str) -> bool {
        let before = self.seed.connections.len();
        self.seed.connections.retain(|connection| connection.id != id);
        self.seed.connections.len() < before
    }

    #[must_use]
    pub fn organization(&self, id: &str) -> Option<&Organization> {
        self.seed.organizations.iter().find(|organization| organization.id == id)
    }

    #[must_use]
    pub fn organization_of(&self, connection: &Connection) -> Option<&Organization> {
        self.organization(connection.organization_id.as_deref()?)
    }

    /// The active connection that `selector` means.
    ///
    /// # Errors
    /// The code of the error redirect that WorkOS answers instead.
    pub fn select(&self, selector: ConnectionSelector<'_>) -> Result<&Connection, SsoError> {
        match selector {
            ConnectionSelector::Connection(id) => {
                active(self.connection(id).ok_or(SsoError::ConnectionInvalid)?)
            }
            ConnectionSelector::Organization(id) => {
                let of_organization = |it: &&Connection| it.organization_id.as_deref() == Some(id);
                self.only(
                    of_organization,
                    SsoError::OrganizationInvalid,
                    SsoError::AmbiguousConnectionSelector,
                )
            }
            ConnectionSelector::Provider(name) if PROVIDERS.contains(&name) => {
                let of_environment =
                    |it: &&Connection| it.organization_id.is_none() && it.connection_type == name;
                self.only(
                    of_environment,
                    SsoError::ConnectionInvalid,
                    SsoError::ConnectionStrategyInvalid,
                )
            }
            ConnectionSelector::Provider(_) => Err(SsoError::InvalidConnectionSelector),
        }
    }

    /// The person whom the identity provider behind `connection` would report for `email`.
    ///
    /// # Errors
    /// `OutsideOrganization` comes first: it does not depend on whether a person has the address.
    pub fn person(&self, connection: &Connection, email: &str) -> Result<&Person, PersonError> {
        if let Some(organization) = self.organization_of(connection)
            && !organization.allow_profiles_outside_organization
            && !has_domain_of(organization, email)
        {
            return Err(PersonError::OutsideOrganization);
        }
        let known = self.seed.people.iter().find(|person| person.email.eq_ignore_ascii_case(email));
        known.ok_or(PersonError::Unknown)
    }

    fn only(
        &self,
        wanted: impl Fn(&&Connection) -> bool,
        none: SsoError,
        several: SsoError,
    ) -> Result<&Connection, SsoError> {
        let found: Vec<_> = self.seed.connections.iter().filter(wanted).collect();
        let mut live =
            found.iter().filter(|connection| connection.state == ConnectionState::Active);
        match (live.next(), live.next()) {
            (Some(connection), None) => Ok(connection),
            (Some(_), Some(_)) => Err(several),
            (None, _) if found.is_empty() => Err(none),
            (None, _) => Err(SsoError::ConnectionUnlinked),
        }
    }
}

fn active(connection: &Connection) -> Result<&Connection, SsoError> {
    match connection.state {
        ConnectionState::Active => Ok(connection),
        _ => Err(SsoError::ConnectionUnlinked),
    }
}

fn has_domain_of(organization: &Organization, email: &str) -> bool {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    organization.domains.iter().any(|it| it.eq_ignore_ascii_case(domain))
}
