//! The people of the seed: who the identity providers know, and who AuthKit knows already.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::Secret;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub email: String,
    #[serde(default)]
    pub first_name: Option<String>,
    #[serde(default)]
    pub last_name: Option<String>,
    /// Default: derived from connection and email, so it stays the same over restarts.
    #[serde(default)]
    pub idp_id: Option<String>,
    #[serde(default)]
    pub role: Option<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub custom_attributes: Map<String, Value>,
    /// Added to (and winning over) what every profile has in `raw_attributes`.
    #[serde(default)]
    pub raw_attributes: Map<String, Value>,
}

impl Person {
    /// A person of whom only the address is known.
    #[must_use]
    pub fn of(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            first_name: None,
            last_name: None,
            idp_id: None,
            role: None,
            groups: Vec::new(),
            custom_attributes: Map::new(),
            raw_attributes: Map::new(),
        }
    }
}

/// A user of AuthKit. What a sign-in asks of them follows from these fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedUser {
    /// Default: derived from the email, so it stays the same over restarts.
    #[serde(default)]
    pub id: Option<String>,
    pub email: String,
    /// `false`: a sign-in asks for the code that was sent to the address.
    #[serde(default = "yes")]
    pub email_verified: bool,
    #[serde(default)]
    pub first_name: Option<String>,
    #[serde(default)]
    pub last_name: Option<String>,
    #[serde(default)]
    pub external_id: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub locale: Option<String>,
    #[serde(default)]
    pub mfa: Mfa,
    #[serde(default)]
    pub organization_selection: OrganizationSelection,
}

/// `"off"`, `"required"` (a sign-in enrols a factor) or `{"totp_secret": BASE32}` (it is enrolled).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    #[default]
    Off,
    Required,
    TotpSecret(Secret),
}

/// `always`: the user chooses even where the sign-in named the organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationSelection {
    #[default]
    WhenNeeded,
    Always,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedMembership {
    /// Default: derived from user and organization.
    #[serde(default)]
    pub id: Option<String>,
    /// The email of the user.
    pub user: String,
    pub organization_id: String,
    #[serde(default = "member")]
    pub role: String,
    #[serde(default)]
    pub status: MembershipStatus,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MembershipStatus {
    #[default]
    Active,
    Inactive,
    Pending,
}

/// How AuthKit names itself and how long its sessions live.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthKitSettings {
    /// The claim `iss` of the access tokens.
    pub issuer: String,
    /// From the sign-in to the end of the session.
    pub session_lifetime_seconds: u64,
    /// Of an access token.
    pub access_token_lifetime_seconds: u64,
}

impl Default for AuthKitSettings {
    fn default() -> Self {
        Self {
            issuer: "https://api.workos.com/".to_owned(),
            session_lifetime_seconds: 7 * 24 * 60 * 60,
            access_token_lifetime_seconds: 5 * 60,
        }
    }
}

fn yes() -> bool {
    true
}

fn member() -> String {
    "member".to_owned()
}
