//! The emulated WorkOS environment: organizations, their connections and people, and the rules by
//! which a selector finds a connection and an email finds a person. Plain data in, plain data out;
//! it knows neither HTTP nor time.

use crate::redirect_uri::RedirectPattern;
use crate::seed::{
    AuthKitSettings, Client, Connection, ConnectionState, Organization, Person, Seed,
};
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
    pub fn client_by_id(&self, id: &str) -> Option<&Client> {
        Some(&self.seed.client).filter(|client| client.id == id)
    }

    #[must_use]
    pub fn default_redirect_uri(&self) -> &str {
        &self.seed.default_redirect_uri
    }

    /// As they are registered, and whether each is the default one. A default that only a pattern
    /// allows is listed besides.
    pub fn redirect_uris(&self) -> impl Iterator<Item = (String, bool)> {
        let default = &self.seed.default_redirect_uri;
        let own = self.seed.redirect_uris.iter().any(|it| it.uri() == Some(default));
        let rows = self
            .seed
            .redirect_uris
            .iter()
            .map(|pattern| (pattern.to_string(), pattern.uri() == Some(default)));
        rows.chain((!own).then(|| (default.clone(), true)))
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

    /// Switches a connection; whether it changed, or None if there is none.
    pub fn switch_connection(&mut self, id: &str, state: ConnectionState) -> Option<bool> {
        let connection = self.seed.connections.iter_mut().find(|it| it.id == id)?;
        let changed = connection.state != state;
        connection.state = state;
        Some(changed)
    }

    #[must_use]
    pub fn organizations(&self) -> &[Organization] {
        &self.seed.organizations
    }

    /// Replaces the organization of the same id, or adds one.
    pub fn keep_organization(&mut self, organization: Organization) {
        match self.seed.organizations.iter_mut().find(|it| it.id == organization.id) {
            Some(row) => *row = organization,
            None => self.seed.organizations.push(organization),
        }
    }

    /// Replaces the connection of the same id, or adds one.
    pub fn keep_connection(&mut self, connection: Connection) {
        match self.seed.connections.iter_mut().find(|it| it.id == connection.id) {
            Some(row) => *row = connection,
            None => self.seed.connections.push(connection),
        }
    }

    /// The organization that was removed; its connections stay.
    pub fn remove_organization(&mut self, id: &str) -> Option<Organization> {
        let index = self.seed.organizations.iter().position(|it| it.id == id)?;
        Some(self.seed.organizations.remove(index))
    }

    #[must_use]
    pub fn organization(&self, id: &str) -> Option<&Organization> {
        self.seed.organizations.iter().find(|organization| organization.id == id)
    }

    #[must_use]
    pub fn organization_of(&self, connection: &Connection) -> Option<&Organization> {
        self.organization(connection.organization_id.as_deref()?)
    }

    #[must_use]
    pub fn authkit(&self) -> &AuthKitSettings {
        &self.seed.authkit
    }

    /// Where a sign-out may lead: the default one if nothing is asked for, and None if it is not
    /// allowed. A pattern is no URI to go to.
    #[must_use]
    pub fn sign_out_redirect(&self, wanted: Option<&str>) -> Option<String> {
        let mut registered = self.seed.sign_out_redirects.iter();
        match wanted {
            Some(uri) => registered.any(|it| it.allows(uri)).then(|| uri.to_owned()),
            None => registered.next().and_then(RedirectPattern::uri).map(str::to_owned),
        }
    }

    /// The active connections through which members of this organization have to come; none if
    /// they may sign in as they like.
    #[must_use]
    pub fn required_sso(&self, organization_id: &str) -> Vec<String> {
        let required = self.organization(organization_id).is_some_and(|it| it.sso_required);
        let own = self.connections().iter().filter(|it| {
            it.organization_id.as_deref() == Some(organization_id)
                && it.state == ConnectionState::Active
        });
        own.filter(|_| required).map(|it| it.id.clone()).collect()
    }

    /// The same for the organization that the email's domain belongs to.
    #[must_use]
    pub fn required_sso_of_email(&self, email: &str) -> Vec<String> {
        let mut organizations = self.seed.organizations.iter();
        let own = organizations.find(|organization| organization.has_domain_of(email));
        own.map(|organization| self.required_sso(&organization.id)).unwrap_or_default()
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
            && !organization.has_domain_of(email)
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
