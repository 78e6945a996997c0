//! WorkOS, through its official crate and nothing else. The code exchange is sent exactly once;
//! nothing a provider says travels further than its code. Raw attributes are dropped here.

mod cache;
mod check;
mod exchanges;
mod lookups;
mod problem;
mod profile;
mod transient;
mod transport;

pub use cache::LookupCaller;
pub use exchanges::{Arrival, Caller, Ended, Exchanges, NoTurn, Place, Turn};
pub use problem::{UpstreamError, problem_of_redirect};
pub use transient::TransientIds;

use std::sync::Arc;
use std::time::Duration;

use workos::helpers::SsoAuthorizationUrlParams;
use workos::resources::sso::GetProfileAndTokenParams;
use workos::{Client, RequestOptions, RequestStrategy};

use crate::admission::Selector;
use crate::config::UpstreamSettings;
use crate::domain::{SecretText, UpstreamIdentity};

/// Longest that a call may take, tries and all.
const PATIENCE: Duration = Duration::from_secs(12);

/// The provider.
pub struct Upstream {
    client: Client,
    wire: Arc<transport::Bounded>,
    transient: TransientIds,
    lookups: lookups::Lookups,
}

/// One opening of the provider's sign-in page.
pub struct Opening<'a> {
    /// Our callback.
    pub redirect_uri: &'a str,
    /// Who is to sign in.
    pub selector: &'a Selector,
    /// An email to fill in.
    pub login_hint: Option<&'a str>,
    /// The id of the upstream authorization's cookie.
    pub state: &'a str,
    /// S256 of the upstream authorization's verifier.
    pub code_challenge: &'a str,
}

impl Upstream {
    /// A client for this account.
    ///
    /// # Errors
    /// The key cannot be sent as a header, or TLS cannot be set up.
    pub fn new(settings: &UpstreamSettings) -> Result<Self, UpstreamError> {
        let wire = Arc::new(transport::Bounded::new()?);
        let client = Client::builder()
            .api_key(settings.api_key.expose())
            .client_id(&settings.client_id)
            .base_url(&settings.base_url)
            .max_retries(0)
            .user_agent(concat!("keyport-companion/", env!("CARGO_PKG_VERSION")))
            .transport(Arc::<transport::Bounded>::clone(&wire))
            .try_build()
            .map_err(|error| UpstreamError::of(&error))?;
        Ok(Self {
            client,
            wire,
            transient: TransientIds::default(),
            lookups: lookups::Lookups::default(),
        })
    }

    /// The upstream issuer: first part of a user's key.
    pub fn issuer(&self) -> &str {
        self.client.base_url()
    }

    /// Where the browser goes. No request is made.
    ///
    /// # Errors
    /// The base address is no address.
    pub fn authorization_url(&self, opening: &Opening<'_>) -> Result<String, UpstreamError> {
        let (mut connection, mut organization, mut provider) = (None, None, None);
        match opening.selector {
            Selector::Connection { id, .. } => connection = Some(id.clone()),
            Selector::Organization(id) => organization = Some(id.clone()),
            Selector::Provider(name) => provider = Some(name.clone()),
        }
        let params = SsoAuthorizationUrlParams {
            redirect_uri: opening.redirect_uri.to_owned(),
            connection,
            organization,
            provider,
            login_hint: opening.login_hint.map(str::to_owned),
            state: Some(opening.state.to_owned()),
            code_challenge: Some(opening.code_challenge.to_owned()),
            code_challenge_method: Some("S256".to_owned()),
            ..SsoAuthorizationUrlParams::default()
        };
        self.client
            .sso_helpers()
            .authorization_url(params)
            .map_err(|error| UpstreamError::of(&error))
    }

    /// Exchanges a code for the profile. Sent once: a second try after a lost answer would burn the
    /// sign-in.
    ///
    /// # Errors
    /// What the provider answered, or that it did not; or its profile is no person's identity.
    pub async fn exchange_code(
        &self,
        code: &SecretText,
        code_verifier: &SecretText,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let body = workos::models::TokenQuery {
            client_id: self.client.client_id().to_owned(),
            client_secret: self.client.api_key().into(),
            code: Some(code.expose().into()),
            grant_type: workos::enums::TokenQueryGrantType::AuthorizationCode,
            code_verifier: Some(code_verifier.expose().into()),
            subject_token: None,
            subject_token_type: None,
            organization_id: None,
        };
        let options = RequestOptions::new().strategy(RequestStrategy::Once);
        let sso = self.client.sso();
        let answer = sso.get_profile_and_token_with_options(
            GetProfileAndTokenParams::new(body),
            Some(&options),
        );
        let profile = within(answer).await?.profile;
        let identity = profile::identity(self.issuer(), profile)?;
        let connection = &identity.connection().id;
        self.transient.observe(connection, identity.email(), identity.idp_id());
        Ok(identity)
    }
}

/// Whether WorkOS knows a social provider of this name, as far as its crate lists them.
pub fn is_social_provider(name: &str) -> bool {
    let provider = name.parse::<workos::enums::SSOProvider>();
    provider.is_ok_and(|known| !matches!(known, workos::enums::SSOProvider::Unknown(_)))
}

async fn within<T>(
    call: impl Future<Output = Result<T, workos::Error>>,
) -> Result<T, UpstreamError> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(|error| UpstreamError::of(&error)),
        Err(_) => Err(UpstreamError::Unreachable),
    }
}
