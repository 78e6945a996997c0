//! People, as the companion keeps them, and where they belong. How one enters is `identity`'s.

use super::UserId;

/// An organization as shown to the person.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Organization {
    /// The upstream id, `org_…`.
    pub id: String,
    /// The name to show, if it is known.
    pub name: Option<String>,
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
    /// The connection that is part of the user's key, if there is one.
    pub connection: Option<Connection>,
    /// How the person signed in last, as the upstream calls it: the connection's type, or an
    /// authentication method.
    pub method: String,
}
