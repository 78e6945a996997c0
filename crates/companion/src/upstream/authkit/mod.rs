//! AuthKit (WorkOS User Management) as an upstream: its own authorization endpoint, users and
//! sessions. Look-ups and the checks of our account are those of [`WorkosSso`]: both are one
//! environment of WorkOS. Of what an exchange gives, the identity and the id of WorkOS' session are
//! kept; its tokens go no further than this module.

mod access_token;
mod answer;
mod sessions;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use keyport_problems::Problem;
use workos::helpers::{AuthKitAuthorizationUrlParams, JwksHelper};
use workos::models::AuthenticateResponse;
use workos::resources::user_management::AuthenticateWithCodeParams;
use workos::{RequestOptions, RequestStrategy};

use super::workos_sso::{WorkosSso, within};
use super::{AccountCheck, AuthorizationParameters, Rate, Upstream, UpstreamError, UpstreamResult};
use crate::admission::{ListedConnection, UpstreamSelector};
use crate::ambient::Clock;
use crate::config::UpstreamSettings;
use crate::domain::{SecretText, UpstreamIdentity};

/// The word for this kind of upstream, for good.
pub const NAME: &str = "authkit";

/// WorkOS takes 500 writes in 10 seconds; the burst and 10 seconds of this rate are 450.
const EXCHANGE_RATE: Rate = Rate { per_second: 25.0, burst: 200.0 };

/// AuthKit of our account at WorkOS.
pub struct AuthKit {
    account: Arc<WorkosSso>,
    /// Where people sign in, and the issuer of access tokens: a domain of our own, or WorkOS'.
    origin: String,
    keys: JwksHelper,
    clock: Arc<dyn Clock>,
}

impl AuthKit {
    /// AuthKit of this account.
    pub fn new(
        account: Arc<WorkosSso>,
        settings: &UpstreamSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let origin = settings.authkit_domain.as_ref().unwrap_or(&settings.base_url).clone();
        let keys = JwksHelper::from_client(account.client());
        Self { account, origin, keys, clock }
    }

    async fn exchange(
        &self,
        code: &SecretText,
        code_verifier: &SecretText,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let options = RequestOptions::new().strategy(RequestStrategy::Once);
        let users = self.account.client().user_management();
        let params = AuthenticateWithCodeParams {
            code_verifier: Some(code_verifier.expose().into()),
            ..AuthenticateWithCodeParams::new(code.expose())
        };
        let answer = users.authenticate_with_code_with_options(params, Some(&options));
        self.identity(within(answer).await?).await
    }

    async fn identity(
        &self,
        answer: AuthenticateResponse,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let session = self.session_of(&answer).await?;
        answer::identity(self.issuer(), answer, session)
    }
}

impl Upstream for AuthKit {
    fn name(&self) -> &'static str {
        NAME
    }

    /// The API's: a domain of our own may come and go, and must make no person another one.
    fn issuer(&self) -> &str {
        self.account.issuer()
    }

    fn exchange_rate(&self) -> Rate {
        EXCHANGE_RATE
    }

    fn has_hosted_page(&self) -> bool {
        true
    }

    fn authorization_url(
        &self,
        parameters: &AuthorizationParameters<'_>,
    ) -> Result<String, UpstreamError> {
        let mut params = AuthKitAuthorizationUrlParams {
            redirect_uri: parameters.redirect_uri.to_owned(),
            login_hint: parameters.login_hint.map(str::to_owned),
            state: Some(parameters.state.to_owned()),
            code_challenge: Some(parameters.code_challenge.to_owned()),
            code_challenge_method: Some("S256".to_owned()),
            ..AuthKitAuthorizationUrlParams::default()
        };
        match parameters.selector {
            UpstreamSelector::Connection { id, .. } => params.connection_id = Some(id.clone()),
            UpstreamSelector::Organization(id) => params.organization_id = Some(id.clone()),
            UpstreamSelector::Provider(name) => params.provider = Some(name.clone()),
            UpstreamSelector::Hosted => {
                params.provider = Some(NAME.to_owned());
                params.screen_hint = Some("sign-in".to_owned());
            }
        }
        let client = self.account.client();
        let url = client.authkit().authorization_url(params);
        let url = url.map_err(|error| UpstreamError::of(&error))?;
        let path = url.strip_prefix(client.base_url()).ok_or(UpstreamError::Nonsense)?;
        Ok(format!("{}{path}", self.origin))
    }

    fn problem_of_redirect(&self, error: &str) -> Problem {
        self.account.problem_of_redirect(error)
    }

    fn is_social(&self, method: &str) -> bool {
        self.account.is_social(method)
    }

    fn exchange_code<'a>(
        &'a self,
        code: &'a SecretText,
        code_verifier: &'a SecretText,
    ) -> UpstreamResult<'a, UpstreamIdentity> {
        self.exchange(code, code_verifier).boxed()
    }

    fn has_sessions(&self) -> bool {
        true
    }

    fn live_sessions<'a>(&'a self, user: &'a str) -> UpstreamResult<'a, Vec<String>> {
        self.list(user).boxed()
    }

    fn connections_of_domain<'a>(
        &'a self,
        domain: &'a str,
    ) -> UpstreamResult<'a, Option<Vec<ListedConnection>>> {
        self.account.connections_of_domain(domain)
    }

    fn connection<'a>(&'a self, id: &'a str) -> UpstreamResult<'a, Option<ListedConnection>> {
        self.account.connection(id)
    }

    fn organization_name<'a>(&'a self, id: &'a str) -> UpstreamResult<'a, Option<String>> {
        self.account.organization_name(id)
    }

    fn check_credentials(&self) -> BoxFuture<'_, AccountCheck> {
        self.account.check_credentials()
    }

    fn check_redirect_uri<'a>(&'a self, redirect_uri: &'a str) -> BoxFuture<'a, AccountCheck> {
        self.account.check_redirect_uri(redirect_uri)
    }
}
