//! The seed: what the emulated WorkOS environment contains when it starts. A JSON file of the same
//! shape as `seed/default.json`; a file given with `--seed` replaces the default wholly. Unknown
//! fields, double identifiers and references to nothing are errors: a misspelt seed must not become
//! a test that proves something else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::directories::{Directory, STATES};
use crate::redirect_uri::RedirectPattern;
use crate::secret::Secret;
use crate::totp::Totp;
use crate::webhooks::WebhookEndpoint;

mod people;

pub use people::{
    AuthKitSettings, MembershipStatus, Mfa, OrganizationSelection, Person, SeedMembership, SeedUser,
};

const DEFAULT: &str = include_str!("../seed/default.json");

/// What the environment contains at the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The application that signs people in.
    pub client: Client,
    /// The redirect URIs of that application.
    pub redirect_uris: Vec<RedirectPattern>,
    /// Where IdP-initiated sign-ins arrive. A concrete URI that `redirect_uris` allows.
    pub default_redirect_uri: String,
    /// The companies that are customers of the application.
    pub organizations: Vec<Organization>,
    /// In the order of their creation: lists show the newest first.
    pub connections: Vec<Connection>,
    /// Who can sign in at the identity providers.
    pub people: Vec<Person>,
    /// The users of AuthKit. A person who comes through a connection becomes one by signing in.
    #[serde(default)]
    pub users: Vec<SeedUser>,
    /// Which users belong to which organizations.
    #[serde(default)]
    pub memberships: Vec<SeedMembership>,
    /// Where a sign-out of AuthKit may lead; the first one is the default.
    #[serde(default)]
    pub sign_out_redirects: Vec<RedirectPattern>,
    /// The directories of the companies, with their users.
    #[serde(default)]
    pub directories: Vec<Directory>,
    /// Where events are posted.
    #[serde(default)]
    pub webhook_endpoints: Vec<WebhookEndpoint>,
    /// What AuthKit says about itself.
    #[serde(default)]
    pub authkit: AuthKitSettings,
}

/// The one application of the environment; its API key is its client secret too.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub id: String,
    pub api_key: Secret,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    pub id: String,
    pub name: String,
    /// Verified ones.
    pub domains: Vec<String>,
    /// Not verified yet: they count for nothing.
    #[serde(default)]
    pub pending_domains: Vec<String>,
    #[serde(default)]
    pub allow_profiles_outside_organization: bool,
    /// Whether AuthKit lets its members in through its SSO connections only.
    #[serde(default)]
    pub sso_required: bool,
    #[serde(default)]
    pub external_id: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    pub id: String,
    /// Absent for the environment's own provider connections (`provider=GoogleOAuth`).
    #[serde(default)]
    pub organization_id: Option<String>,
    /// An open list at WorkOS (`OktaSAML`, `GenericOIDC`, `GoogleOAuth` …).
    pub connection_type: String,
    pub name: String,
    #[serde(default)]
    pub state: ConnectionState,
    #[serde(default)]
    pub idp_id_format: IdpIdFormat,
    #[serde(default = "yes")]
    pub idp_initiated: bool,
    /// Whether the person is asked, after signing in, if the application may know them.
    #[serde(default)]
    pub consent: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    RequiresType,
    Draft,
    #[default]
    Active,
    Validating,
    Inactive,
    Deleting,
}

/// `transient`: the provider sends another `idp_id` at each sign-in (SAML NameID format transient).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdpIdFormat {
    #[default]
    Persistent,
    Transient,
}

fn yes() -> bool {
    true
}

impl Organization {
    /// One that has nothing but its id.
    #[must_use]
    pub fn named(id: String) -> Self {
        Self {
            id,
            name: String::new(),
            domains: Vec::new(),
            pending_domains: Vec::new(),
            allow_profiles_outside_organization: false,
            sso_required: false,
            external_id: None,
            metadata: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn has_domain_of(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.iter().any(|it| it.eq_ignore_ascii_case(domain))
    }
}

impl Seed {
    /// The seed that the emulator starts with when no file is named.
    ///
    /// # Errors
    /// None as long as `seed/default.json` is valid, which a test holds.
    pub fn built_in() -> anyhow::Result<Self> {
        Self::parse(DEFAULT).context("the built-in seed")
    }

    /// # Errors
    /// With the file's name and the place in it, when it cannot be read or is not a valid seed.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the seed file {name}"))?;
        Self::parse(&text).with_context(|| format!("the seed file {name} is not valid"))
    }

    /// # Errors
    /// When `text` is not JSON of a seed's shape, or contradicts itself.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let seed: Self = serde_json::from_str(text)?;
        seed.check()?;
        Ok(seed)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.client.id.is_empty(), "client.id is empty");
        ensure!(!self.client.api_key.expose().is_empty(), "client.api_key is empty");
        let allowed =
            self.redirect_uris.iter().any(|pattern| pattern.allows(&self.default_redirect_uri));
        ensure!(
            allowed,
            "default_redirect_uri {:?} is not among redirect_uris",
            self.default_redirect_uri
        );
        unique("organization id", self.organizations.iter().map(|it| it.id.clone()))?;
        unique("connection id", self.connections.iter().map(|it| it.id.clone()))?;
        unique("email", self.people.iter().map(|it| it.email.to_lowercase()))?;
        unique(
            "domain",
            self.organizations.iter().flat_map(|it| &it.domains).map(|it| it.to_lowercase()),
        )?;
        for connection in &self.connections {
            self.check_organization_of(connection)?;
        }
        for person in &self.people {
            check_email(&person.email)?;
        }
        self.check_directories()?;
        self.check_users()
    }

    fn check_directories(&self) -> anyhow::Result<()> {
        unique("directory id", self.directories.iter().map(|it| it.id.clone()))?;
        for directory in &self.directories {
            let wanted = &directory.organization_id;
            let known = self.organizations.iter().any(|it| &it.id == wanted);
            ensure!(known, "a directory names {wanted:?}, which is not in the seed");
            for user in &directory.users {
                let (state, email) = (&user.state, &user.email);
                let known = STATES.contains(&state.as_str());
                ensure!(known, "the state {state:?} of the directory user {email:?}");
            }
        }
        for endpoint in &self.webhook_endpoints {
            let url = &endpoint.endpoint_url;
            ensure!(url::Url::parse(url).is_ok(), "the webhook endpoint {url:?} is no URL");
        }
        Ok(())
    }

    fn check_users(&self) -> anyhow::Result<()> {
        unique("email of a user", self.users.iter().map(|it| it.email.to_lowercase()))?;
        unique("user id", self.users.iter().filter_map(|it| it.id.clone()))?;
        for user in &self.users {
            check_email(&user.email)?;
            if let Mfa::TotpSecret(secret) = &user.mfa {
                let valid = Totp::new(secret, "Emulator", &user.email).is_ok();
                ensure!(valid, "the totp_secret of {:?} is not base 32 of 16 bytes", user.email);
            }
        }
        let of =
            |it: &SeedMembership| format!("{} in {}", it.user.to_lowercase(), it.organization_id);
        unique("membership", self.memberships.iter().map(of))?;
        for membership in &self.memberships {
            let (user, organization) = (&membership.user, &membership.organization_id);
            let known = self.users.iter().any(|it| it.email.eq_ignore_ascii_case(user));
            ensure!(known, "a membership names the user {user:?}, who is not in the seed");
            let known = self.organizations.iter().any(|it| &it.id == organization);
            ensure!(known, "a membership names {organization:?}, which is not in the seed");
        }
        Ok(())
    }

    fn check_organization_of(&self, connection: &Connection) -> anyhow::Result<()> {
        let Some(wanted) = &connection.organization_id else {
            return Ok(());
        };
        if self.organizations.iter().any(|organization| &organization.id == wanted) {
            return Ok(());
        }
        bail!(
            "connection {:?} names the organization {wanted:?}, which is not in the seed",
            connection.id
        )
    }
}

fn check_email(email: &str) -> anyhow::Result<()> {
    let (name, domain) = email.rsplit_once('@').unwrap_or_default();
    ensure!(!name.is_empty() && !domain.is_empty(), "{email:?} is not an email address");
    Ok(())
}

fn unique(what: &str, values: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for value in values {
        ensure!(!value.is_empty(), "an empty {what}");
        ensure!(!seen.contains(&value), "the {what} {value:?} is there twice");
        seen.insert(value);
    }
    Ok(())
}
