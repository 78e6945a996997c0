//! Who is signed in, and what a session is made of. Facts and secrets are kept apart: an [`Account`] can be shown and logged,
//! [`Tokens`] cannot.

use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::secret::{AccessToken, RefreshToken};

/// Names one account on this device: derived by the client from issuer and subject, never from the email.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

/// An organization as WorkOS knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// `org_…`
    pub id: String,
    /// The name to show.
    pub name: String,
}

/// The connection to the company's identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// `conn_…`
    pub id: String,
    /// The connection type as WorkOS spells it, an open list: `OktaSAML`, `GoogleOAuth` …
    pub kind: String,
}

/// The facts of one signed-in account. No secret is in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Names it on this device.
    pub id: AccountId,
    /// The companion that signed it in, byte-equal to its metadata.
    pub issuer: String,
    /// The subject at that issuer.
    pub subject: String,
    /// For showing; never a key.
    pub email: String,
    /// The person's name; empty if the provider gave none.
    pub name: String,
    /// None when the connection belongs to no organization.
    pub organization: Option<Organization>,
    /// How they came in.
    pub connection: Connection,
    /// When this session began.
    pub signed_in_at: Moment,
}

/// Where a session is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// In the operating system's keychain: it outlives the process.
    Keychain,
    /// In this process's memory alone: gone when it ends.
    Memory,
}

/// The secrets of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Bound to the device key.
    pub refresh: RefreshToken,
    /// Short-lived.
    pub access: AccessToken,
    /// When the access token stops working.
    pub access_deadline: Moment,
}

/// A session as the code exchange gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Who.
    pub account: Account,
    /// With what.
    pub tokens: Tokens,
}
