//! The person whom the provider has just signed in. Where an identity enters it is validated, here
//! and nowhere else: an [`UpstreamIdentity`] cannot be made in another way, so what is stored and
//! shown later needs no second look.

use super::text::{cleaned, is_unsafe};
use super::{Connection, Organization, PersonKeys, ProfileAttributes, ProviderAttributes};

/// Longest id of the provider's, in bytes.
const LONGEST_ID: usize = 255;
/// Longest email address, in bytes (RFC 5321 §4.5.3.1 with erratum 1690).
pub(super) const LONGEST_EMAIL: usize = 254;
/// Longest name of a person or an organization, in characters. A longer one is cut.
pub(super) const LONGEST_NAME: usize = 256;

/// What the provider said, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderProfile {
    /// The upstream issuer, e.g. `https://api.workos.com`.
    pub issuer: String,
    /// The provider's id of the profile.
    pub profile_id: String,
    /// The kind of upstream, e.g. `sso`: one issuer may have several, with users of their own.
    pub upstream: String,
    /// The connection that signed the person in, where the upstream names one.
    pub connection_id: Option<String>,
    /// How the person signed in, as the upstream calls it: the connection's type, e.g. `OktaSAML`,
    /// or an authentication method, e.g. `Password`.
    pub method: String,
    /// The provider's own id of the person: the identity provider's where there is a connection.
    pub idp_id: String,
    /// The email.
    pub email: String,
    /// The name.
    pub name: Option<String>,
    /// The organization of the connection; empty means none.
    pub organization_id: Option<String>,
    /// What it says beside that.
    pub attributes: ProviderAttributes,
    /// The session that the upstream has begun with this sign-in, where it has sessions.
    pub session: Option<String>,
}

/// What the upstream said about the person who has just signed in, validated. A user is keyed on
/// issuer, kind of upstream, connection (or none) and the provider's own id; an email is a fact
/// that may change and never a key. Raw attributes are left behind at the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamIdentity {
    issuer: String,
    upstream: String,
    profile_id: String,
    connection: Option<Connection>,
    method: String,
    idp_id: String,
    email: String,
    name: Option<String>,
    organization: Option<Organization>,
    attributes: ProfileAttributes,
    session: Option<String>,
}

/// Why a profile is refused. Names the field and never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {fault}")]
pub struct IdentityError {
    /// The field of the profile, as the provider calls it.
    pub field: &'static str,
    /// What is wrong with it.
    pub fault: IdentityFault,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// Nothing, or blanks alone.
    #[error("is empty")]
    Empty,
    /// More bytes than it may have.
    #[error("is too long")]
    TooLong,
    /// Controls, line ends, bidi controls or invisible characters.
    #[error("holds characters that it must not hold")]
    UnsafeCharacters,
}

/// A validated identity, and what had to be changed for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatedIdentity {
    /// The identity.
    pub identity: UpstreamIdentity,
    /// The name was cut or lost characters.
    pub is_name_cleaned: bool,
    /// The attributes that were cut or lost a part, as the provider calls them.
    pub lost_attributes: Vec<&'static str>,
}

impl UpstreamIdentity {
    /// Validates what the provider said: ids and email are refused when they are empty, too long or
    /// hold unsafe characters; a name is cleaned; attributes that cannot be kept are dropped.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validate(profile: ProviderProfile) -> Result<ValidatedIdentity, IdentityError> {
        check("profile id", &profile.profile_id, LONGEST_ID)?;
        if let Some(id) = &profile.connection_id {
            check("connection_id", id, LONGEST_ID)?;
        }
        check("connection_type", &profile.method, LONGEST_ID)?;
        check("idp_id", &profile.idp_id, LONGEST_ID)?;
        check("email", &profile.email, LONGEST_EMAIL)?;
        let organization = profile.organization_id.filter(|id| !id.is_empty());
        if let Some(id) = &organization {
            check("organization_id", id, LONGEST_ID)?;
        }
        if let Some(id) = &profile.session {
            check("session id", id, LONGEST_ID)?;
        }
        let name = profile.name.as_deref().and_then(|name| cleaned(name, LONGEST_NAME));
        let said = profile.name.filter(|name| !name.trim().is_empty());
        let is_name_cleaned = said.as_deref().map(str::trim) != name.as_deref();
        let (attributes, lost_attributes) = ProfileAttributes::keep(profile.attributes);
        let identity = Self {
            issuer: profile.issuer,
            upstream: profile.upstream,
            profile_id: profile.profile_id,
            connection: profile
                .connection_id
                .map(|id| Connection { id, kind: profile.method.clone() }),
            method: profile.method,
            idp_id: profile.idp_id,
            email: profile.email,
            name,
            organization: organization.map(|id| Organization { id, name: None }),
            attributes,
            session: profile.session,
        };
        Ok(ValidatedIdentity { identity, is_name_cleaned, lost_attributes })
    }

    /// Says what the organization is called; cleaned as a person's name is. Without an organization
    /// nothing happens.
    pub fn name_organization(&mut self, name: &str) {
        if let Some(organization) = &mut self.organization {
            organization.name = cleaned(name, LONGEST_NAME);
        }
    }

    /// What the provider's events are matched by.
    pub fn person_keys(&self) -> PersonKeys {
        let organization = self.organization.as_ref().map(|organization| &*organization.id);
        let connection = self.connection.as_ref().map_or("", |connection| &connection.id);
        PersonKeys::new(connection, organization, &self.idp_id, &self.email)
    }

    /// The upstream issuer. First part of a user's key.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The kind of upstream. Second part of the key.
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    /// The provider's id of the profile; a fact of this sign-in, no part of the key.
    pub fn profile_id(&self) -> &str {
        &self.profile_id
    }

    /// The connection that signed the person in, if the upstream names one; its id is the third
    /// part of the key.
    pub const fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// How the person signed in, as the upstream calls it: the connection's type or an
    /// authentication method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The provider's own id of the person. Last part of the key.
    pub fn idp_id(&self) -> &str {
        &self.idp_id
    }

    /// The email as the upstream gave it; shown, never compared.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The name to show, if there is one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The organization of the connection, if it has one.
    pub fn organization(&self) -> Option<&Organization> {
        self.organization.as_ref()
    }

    /// The session that the upstream has begun with this sign-in, where it has sessions.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Names, role, groups and custom attributes.
    pub const fn attributes(&self) -> &ProfileAttributes {
        &self.attributes
    }
}

fn check(field: &'static str, value: &str, longest: usize) -> Result<(), IdentityError> {
    let refused = |fault| Err(IdentityError { field, fault });
    if value.trim().is_empty() {
        return refused(IdentityFault::Empty);
    }
    if value.len() > longest {
        return refused(IdentityFault::TooLong);
    }
    if value.chars().any(is_unsafe) {
        return refused(IdentityFault::UnsafeCharacters);
    }
    Ok(())
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
