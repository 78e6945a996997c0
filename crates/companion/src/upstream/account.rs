//! Our account at a provider as its operator sees it: connections, organizations, what is
//! registered there. Nothing here signs a person in. Which of it a provider has is known to its
//! implementation alone.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::domain::{SecretText, Timestamp};

/// What a call about the account answers.
pub type AccountResult<'a, T> = BoxFuture<'a, Result<T, ProviderAccountError>>;

/// Why a call about the account failed. The words of the provider are never read; of its codes,
/// those of fields it does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderAccountError {
    /// No answer in time, or a proxy's.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// 5xx.
    #[error("the provider failed with {0}")]
    Failed(u16),
    /// 401.
    #[error("the provider does not accept the API key")]
    WrongKey,
    /// 403.
    #[error("the API key may not do this")]
    Forbidden,
    /// 404.
    #[error("the provider knows no such thing")]
    NotFound,
    /// 409.
    #[error("it conflicts with what is there")]
    Conflict,
    /// 400 or 422: the fields that are wrong, each with the provider's code.
    #[error("the provider does not accept the values")]
    Invalid(Vec<FieldFault>),
    /// 429.
    #[error("the provider asks for fewer requests")]
    TooMany {
        /// Seconds to wait, where it says so.
        retry_after: Option<u64>,
    },
    /// Another answer than its interface describes.
    #[error("the provider's answer makes no sense")]
    Nonsense,
}

/// A field that the provider does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The field, where it is named.
    pub field: Option<String>,
    /// The provider's code.
    pub code: String,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountPage<T> {
    /// Its items.
    pub items: Vec<T>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<String>,
}

/// A connection of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountConnection {
    /// `conn_…`
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The provider's connection type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The provider's word; `active` signs people in.
    pub state: String,
    /// Whose it is.
    pub organization: Option<String>,
    /// The email domains that it serves.
    pub domains: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

/// An organization of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountOrganization {
    /// `org_…`
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its email domains, each with the provider's word for its state.
    pub domains: Vec<(String, Option<String>)>,
    /// What the operator calls it.
    pub external_id: Option<String>,
}

/// A certificate by which a connection's identity provider signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningCertificate {
    /// The provider's id.
    pub id: String,
    /// RFC 3339.
    pub not_before: Option<String>,
    /// RFC 3339.
    pub not_after: Option<String>,
}

/// What a connection is made with or changed to; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSettings {
    /// What it is called.
    pub name: Option<String>,
    /// SAML: where the identity provider's metadata is.
    pub metadata_url: Option<String>,
    /// OIDC: where its discovery document is.
    pub discovery_endpoint: Option<String>,
    /// OIDC: our client id there.
    pub client_id: Option<String>,
}

/// A redirect URI that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredRedirect {
    /// The URI; it may hold wildcards.
    pub uri: String,
    /// Whether it is the default one.
    pub is_default: bool,
}

/// A webhook endpoint that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredWebhook {
    /// Its address.
    pub url: String,
    /// Whether events are sent there.
    pub is_enabled: bool,
}

/// Our account at a provider.
pub trait ProviderAccount: Send + Sync {
    /// What is wrong with the form of the key or of the client id, by the name of the setting.
    fn form_faults(&self) -> Vec<&'static str>;

    /// The connections, of one organization or all, a page of them.
    fn connections(
        &self,
        organization: Option<String>,
        after: Option<String>,
    ) -> AccountResult<'_, AccountPage<AccountConnection>>;

    /// One connection.
    fn show_connection<'a>(&'a self, id: &'a str) -> AccountResult<'a, AccountConnection>;

    /// Makes a connection; the secret is that of OIDC.
    fn create_connection(
        &self,
        organization: String,
        kind: Option<String>,
        settings: ConnectionSettings,
        client_secret: Option<SecretText>,
    ) -> AccountResult<'_, AccountConnection>;

    /// Changes a connection.
    fn update_connection<'a>(
        &'a self,
        id: &'a str,
        settings: ConnectionSettings,
        client_secret: Option<SecretText>,
    ) -> AccountResult<'a, AccountConnection>;

    /// Deletes a connection for good.
    fn delete_connection<'a>(&'a self, id: &'a str) -> AccountResult<'a, ()>;

    /// The certificates by which its identity provider signs, expired ones too.
    fn certificates<'a>(
        &'a self,
        connection: &'a str,
    ) -> AccountResult<'a, Vec<SigningCertificate>>;

    /// The organizations, a page of them.
    fn organizations(
        &self,
        after: Option<String>,
    ) -> AccountResult<'_, AccountPage<AccountOrganization>>;

    /// One organization.
    fn show_organization<'a>(&'a self, id: &'a str) -> AccountResult<'a, AccountOrganization>;

    /// A link to the provider's pages for the administrator of an organization.
    fn portal_link(&self, organization: String, intent: String) -> AccountResult<'_, SecretText>;

    /// The redirect URIs that are registered.
    fn redirects(&self) -> AccountResult<'_, Vec<RegisteredRedirect>>;

    /// The webhook endpoints that are registered.
    fn webhooks(&self) -> AccountResult<'_, Vec<RegisteredWebhook>>;

    /// The provider's time in its latest answer; `None` where it has said none.
    fn latest_time(&self) -> Option<Timestamp>;
}
