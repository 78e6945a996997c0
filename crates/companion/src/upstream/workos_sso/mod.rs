//! WorkOS SSO as an upstream, through its official crate and nothing else. The ids, selectors and
//! API shapes of WorkOS stay in here; nothing that it says travels further than its code, and raw
//! attributes are dropped here.

mod account;
mod api_error;
mod check;
mod events;
mod ids;
mod lookups;
mod profile;
mod transport;
mod user;

pub use ids::IDS;
pub(super) use profile::{full_name, validated};
#[cfg(test)]
pub(super) use user::readable as readable_user;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use keyport_problems::Problem;
use workos::helpers::SsoAuthorizationUrlParams;
use workos::resources::sso::GetProfileAndTokenParams;
use workos::{Client, RequestOptions, RequestStrategy};

use super::{
    AccountCheck, AuthorizationParameters, EventsAfter, EventsPage, ProviderAccount, Rate,
    Upstream, UpstreamError, UpstreamResult,
};
use crate::admission::{ListedConnection, UpstreamSelector};
use crate::config::UpstreamSettings;
use crate::domain::{SecretText, UpstreamIdentity};

/// The word for this kind of upstream, for good.
pub const NAME: &str = "sso";

/// Longest that a call may take, tries and all.
const CALL_TIMEOUT: Duration = Duration::from_secs(12);

/// WorkOS answers 6,000 requests in 60 seconds for each API key. The burst and 60 seconds of this
/// rate are 4,200; the look-ups of pushed requests take 1,500 at most, and the rest is for names of
/// organizations.
pub const EXCHANGE_RATE: Rate = Rate { per_second: 60.0, burst: 600.0 };

/// Our account at WorkOS.
pub struct WorkosSso {
    client: Client,
    wire: Arc<transport::Bounded>,
}

impl WorkosSso {
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
        Ok(Self { client, wire })
    }

    /// The client of the account, for other parts of the API.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    async fn exchange(
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
        profile::identity(self.issuer(), within(answer).await?.profile)
    }
}

impl Upstream for WorkosSso {
    fn name(&self) -> &'static str {
        NAME
    }

    fn issuer(&self) -> &str {
        self.client.base_url()
    }

    fn exchange_rate(&self) -> Rate {
        EXCHANGE_RATE
    }

    fn authorization_url(
        &self,
        parameters: &AuthorizationParameters<'_>,
    ) -> Result<String, UpstreamError> {
        let (mut connection, mut organization, mut provider) = (None, None, None);
        match parameters.selector {
            UpstreamSelector::Connection { id, .. } => connection = Some(id.clone()),
            UpstreamSelector::Organization(id) => organization = Some(id.clone()),
            UpstreamSelector::Provider(name) => provider = Some(name.clone()),
            UpstreamSelector::Hosted => return Err(UpstreamError::Nonsense),
        }
        let params = SsoAuthorizationUrlParams {
            redirect_uri: parameters.redirect_uri.to_owned(),
            connection,
            organization,
            provider,
            login_hint: parameters.login_hint.map(str::to_owned),
            state: Some(parameters.state.to_owned()),
            code_challenge: Some(parameters.code_challenge.to_owned()),
            code_challenge_method: Some("S256".to_owned()),
            ..SsoAuthorizationUrlParams::default()
        };
        self.client
            .sso_helpers()
            .authorization_url(params)
            .map_err(|error| UpstreamError::of(&error))
    }

    fn problem_of_redirect(&self, error: &str) -> Problem {
        api_error::problem_of_redirect(error)
    }

    fn is_social(&self, connection_type: &str) -> bool {
        ids::is_social(connection_type)
    }

    fn exchange_code<'a>(
        &'a self,
        code: &'a SecretText,
        code_verifier: &'a SecretText,
    ) -> UpstreamResult<'a, UpstreamIdentity> {
        self.exchange(code, code_verifier).boxed()
    }

    fn connections_of_domain<'a>(
        &'a self,
        domain: &'a str,
    ) -> UpstreamResult<'a, Option<Vec<ListedConnection>>> {
        lookups::connections(&self.client, domain).boxed()
    }

    fn connection<'a>(&'a self, id: &'a str) -> UpstreamResult<'a, Option<ListedConnection>> {
        lookups::connection(&self.client, id).boxed()
    }

    fn organization_name<'a>(&'a self, id: &'a str) -> UpstreamResult<'a, Option<String>> {
        lookups::organization_name(&self.client, id).boxed()
    }

    fn account(&self) -> Option<&dyn ProviderAccount> {
        Some(self)
    }

    fn events<'a>(&'a self, after: EventsAfter<'a>, limit: u8) -> UpstreamResult<'a, EventsPage> {
        events::list(&self.client, after, limit).boxed()
    }

    fn check_credentials(&self) -> BoxFuture<'_, AccountCheck> {
        self.check_account().boxed()
    }

    fn check_redirect_uri<'a>(&'a self, redirect_uri: &'a str) -> BoxFuture<'a, AccountCheck> {
        self.check_registration(redirect_uri).boxed()
    }
}

/// An answer of the API, in time.
pub(super) async fn within<T>(
    call: impl Future<Output = Result<T, workos::Error>>,
) -> Result<T, UpstreamError> {
    match tokio::time::timeout(CALL_TIMEOUT, call).await {
        Ok(answer) => answer.map_err(|error| UpstreamError::of(&error)),
        Err(_) => Err(UpstreamError::Unreachable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_the_api_key_holds_beside_the_lookups() {
        let lookups = 25.0 * 60.0;
        assert!(EXCHANGE_RATE.per_second.mul_add(60.0, EXCHANGE_RATE.burst) + lookups < 6000.0);
    }
}
