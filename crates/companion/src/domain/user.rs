//! People, as the upstream names them. A user is keyed on issuer, connection and the identity provider's own id;
//! an email is a fact that may change and never a key.

use super::UserId;

/// What the upstream said about the person who has just signed in. `raw_attributes` are left behind at the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamIdentity {
    /// The upstream issuer, e.g. `https://api.workos.com`. First part of the key.
    pub issuer: String,
    /// The connection that signed the person in; its id is the second part of the key.
    pub connection: Connection,
    /// The identity provider's id of the person. Third part of the key.
    pub idp_id: String,
    /// The email as the upstream gave it; shown, never compared.
    pub email: String,
    /// The name to show, if there is one.
    pub name: Option<String>,
    /// The organization of the connection, if it has one.
    pub organization: Option<Organization>,
}

/// An organization as shown to the person.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Organization {
    /// The upstream id, `org_…`.
    pub id: String,
    /// The name to show.
    pub name: String,
}

/// A connection as shown to the person.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Connection {
    /// The upstream id, `conn_…`.
    pub id: String,
    /// The upstream's connection type, e.g. `OktaSAML`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A user as the companion keeps it, with the facts of the latest sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Our own id, `sub`.
    pub id: UserId,
    /// Latest email.
    pub email: String,
    /// Latest name.
    pub name: Option<String>,
    /// Latest organization.
    pub organization: Option<Organization>,
    /// The connection that is part of the user's key.
    pub connection: Connection,
}
