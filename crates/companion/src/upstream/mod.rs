//! The provider that people sign in at, behind one trait, and what serves any such provider: the
//! turns of code exchanges, the memory of look-ups, the warning about transient ids. What a
//! provider's API looks like is known to its implementation alone.

mod account;
pub mod authkit;
mod cache;
mod error;
mod events;
mod exchanges;
mod lookups;
mod members;
mod set;
mod transient;
pub mod workos_events;
pub mod workos_sso;

pub use account::{
    AccountConnection, AccountOrganization, AccountPage, AccountResult, ConnectionSettings,
    FieldFault, ProviderAccount, ProviderAccountError, RegisteredRedirect, RegisteredWebhook,
    SigningCertificate,
};
pub use cache::LookupCaller;
pub use error::UpstreamError;
pub use events::{EventsAfter, EventsPage, Meaning, ReceivedEvent};
pub use exchanges::{
    Arrival, Caller, ExchangePermit, ExchangeRefusal, ExchangeResult, Exchanges, QueuePlace, Rate,
};
pub use set::{UpstreamEntry, Upstreams};
pub use transient::TransientIds;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use keyport_problems::Problem;

use crate::admission::{ListedConnection, UpstreamSelector};
use crate::domain::{SecretText, UpstreamIdentity};

/// What an upstream answers: a value, or why there is none.
pub type UpstreamResult<'a, T> = BoxFuture<'a, Result<T, UpstreamError>>;

/// A provider that signs people in and tells who they are.
pub trait Upstream: Send + Sync {
    /// A word that names this kind of upstream for good: it is sealed into the state cookies of
    /// browsers, so that a callback is answered by the implementation that began the sign-in.
    fn name(&self) -> &'static str;

    /// The upstream issuer: the first part of a user's key.
    fn issuer(&self) -> &str;

    /// How many code exchanges the provider takes, with room left for look-ups.
    fn exchange_rate(&self) -> Rate;

    /// Whether it has a page of its own where people choose how they sign in.
    fn has_hosted_page(&self) -> bool {
        false
    }

    /// Where the browser goes. No request is made.
    ///
    /// # Errors
    /// No address can be made of these parameters.
    fn authorization_url(
        &self,
        parameters: &AuthorizationParameters<'_>,
    ) -> Result<String, UpstreamError>;

    /// What an `error` code of the provider's redirect means to the person (RFC 6749 §4.1.2.1).
    fn problem_of_redirect(&self, error: &str) -> Problem;

    /// Whether this way to sign in, a type of connections or an authentication method, is a social
    /// provider's, whose accounts anyone can have.
    fn is_social(&self, method: &str) -> bool;

    /// Exchanges a code for the person's identity. Sent exactly once: a second try after a lost
    /// answer would burn the sign-in.
    ///
    /// # Errors
    /// What the provider answered, or that it did not; or its answer is no person's identity.
    fn exchange_code<'a>(
        &'a self,
        code: &'a SecretText,
        code_verifier: &'a SecretText,
    ) -> UpstreamResult<'a, UpstreamIdentity>;

    /// Whether it has sessions of its own, which ours must not outlive.
    fn has_sessions(&self) -> bool {
        false
    }

    /// The ids of a user's sessions that are alive there.
    ///
    /// # Errors
    /// The provider did not answer as it should, or has no sessions.
    fn live_sessions<'a>(&'a self, user: &'a str) -> UpstreamResult<'a, Vec<String>> {
        let _ = user;
        ready(Err(UpstreamError::NotFound)).boxed()
    }

    /// The connections that serve an email domain; `None` if there is none.
    ///
    /// # Errors
    /// The provider did not answer as it should.
    fn connections_of_domain<'a>(
        &'a self,
        domain: &'a str,
    ) -> UpstreamResult<'a, Option<Vec<ListedConnection>>>;

    /// One connection, if there is one of this id.
    ///
    /// # Errors
    /// The provider did not answer as it should.
    fn connection<'a>(&'a self, id: &'a str) -> UpstreamResult<'a, Option<ListedConnection>>;

    /// What an organization is called, if there is one of this id.
    ///
    /// # Errors
    /// The provider did not answer as it should.
    fn organization_name<'a>(&'a self, id: &'a str) -> UpstreamResult<'a, Option<String>>;

    /// Our account there as its operator sees it; `None` where the provider has no API for it.
    fn account(&self) -> Option<&dyn ProviderAccount> {
        None
    }

    /// A part of the list of what has happened at the provider, the oldest first and no more than
    /// `limit`; nothing where a provider has no such list.
    ///
    /// # Errors
    /// The provider did not answer as it should.
    fn events<'a>(&'a self, after: EventsAfter<'a>, limit: u8) -> UpstreamResult<'a, EventsPage> {
        let _ = (after, limit);
        std::future::ready(Ok(EventsPage::default())).boxed()
    }

    /// Whether the provider accepts our credentials.
    fn check_credentials(&self) -> BoxFuture<'_, AccountCheck>;

    /// Whether the provider sends people who sign in back to `redirect_uri`.
    fn check_redirect_uri<'a>(&'a self, redirect_uri: &'a str) -> BoxFuture<'a, AccountCheck>;
}

/// What a check of our account at a provider has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCheck {
    /// The provider accepts it.
    Accepted,
    /// The provider itself refuses it; a sentence tells the operator what to change.
    Refused(String),
    /// Nothing: the provider was not reached, or something in between answered.
    Unknown(UpstreamError),
}

/// The parameters of one authorization URL.
#[derive(Debug)]
pub struct AuthorizationParameters<'a> {
    /// Our callback.
    pub redirect_uri: &'a str,
    /// Which connection, organization or social provider signs the person in.
    pub selector: &'a UpstreamSelector,
    /// An email to fill in.
    pub login_hint: Option<&'a str>,
    /// The id of the upstream authorization's cookie.
    pub state: &'a str,
    /// S256 of the upstream authorization's verifier (RFC 7636 §4.2).
    pub code_challenge: &'a str,
}
