//! The token endpoint, RFC 6749 §4.1.3 and §6, and what it gives: tokens, and with a code the facts
//! of the account. The `oauth2` crate builds the requests and reads the answers; proof and nonce are
//! ours. Nothing is repeated here.

use std::pin::Pin;

use keyport_core::secret::{AccessToken, AuthorizationCode, CodeVerifier, RefreshToken};
use keyport_core::{Lifetime, Problem, Tokens};
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenType};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, ClientId, EndpointNotSet, EndpointSet, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    StandardRevocableToken, StandardTokenIntrospectionResponse, StandardTokenResponse,
    TokenResponse as _, TokenUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::authorized::Companion;
use super::discovery::Endpoints;
use super::dpop::DeviceKey;
use super::facts::Facts;
use super::trouble::{self, Trouble};

/// Where the token endpoint leaves it open, an access token is taken to live this long.
const UNSAID: Lifetime = Lifetime::seconds(60);

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Both tokens.
    pub tokens: Tokens,
    /// With a code only, and only when they can be read.
    pub facts: Option<Facts>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Extra {
    keyport_account: Option<Value>,
}

impl ExtraTokenFields for Extra {}

/// Sends what the `oauth2` crate has built, with our proof.
struct TokenEndpoint<'a> {
    companion: &'a Companion,
    key: &'a DeviceKey,
}

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Trouble>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.companion.send_token_request(self.key, request))
    }
}

type Answer = StandardTokenResponse<Extra, BasicTokenType>;

pub(super) type OauthClient = oauth2::Client<
    BasicErrorResponse,
    Answer,
    StandardTokenIntrospectionResponse<oauth2::EmptyExtraTokenFields, BasicTokenType>,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl Companion {
    pub(super) fn oauth_client(&self, endpoints: &Endpoints) -> OauthClient {
        oauth2::Client::new(ClientId::new(self.client_id.to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(endpoints.authorize.clone()))
            .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
    }

    /// Exchanges the code. Sent once: a lost answer costs one more click, a second try could burn what the first one gave.
    ///
    /// # Errors
    /// [`Trouble::GrantInvalid`] when the companion refuses the code.
    pub async fn exchange_code(
        &self,
        key: &DeviceKey,
        redirect_uri: Url,
        code: &AuthorizationCode,
        verifier: &CodeVerifier,
    ) -> Result<Issued, Trouble> {
        let endpoints = self.endpoints().await?;
        let client =
            self.oauth_client(endpoints).set_redirect_uri(RedirectUrl::from_url(redirect_uri));
        let answer = client
            .exchange_code(oauth2::AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
            .request_async(&TokenEndpoint { companion: self, key })
            .await;
        self.issued(answer)
    }

    /// Rotates the session. The same token may be presented again after a lost answer: the companion gives the same child.
    ///
    /// # Errors
    /// [`Trouble::GrantInvalid`] when the session is over; everything else leaves it as it is.
    pub async fn refresh(&self, key: &DeviceKey, token: &RefreshToken) -> Result<Issued, Trouble> {
        let endpoints = self.endpoints().await?;
        let answer = self
            .oauth_client(endpoints)
            .exchange_refresh_token(&oauth2::RefreshToken::new(token.expose().to_owned()))
            .request_async(&TokenEndpoint { companion: self, key })
            .await;
        self.issued(answer)
    }

    async fn send_token_request(
        &self,
        key: &DeviceKey,
        request: HttpRequest,
    ) -> Result<HttpResponse, Trouble> {
        let response = self.send_proven(key, None, request).await?;
        if response.status() == http::StatusCode::OK {
            Ok(response)
        } else {
            Err(trouble::of_answer(&response))
        }
    }

    fn issued(
        &self,
        answer: Result<Answer, RequestTokenError<Trouble, BasicErrorResponse>>,
    ) -> Result<Issued, Trouble> {
        let answer = answer.map_err(|error| match error {
            RequestTokenError::Request(trouble) => trouble,
            // The rest carries the body: it goes no further.
            RequestTokenError::ServerResponse(_)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_) => Trouble::Problem(Problem::UnexpectedAnswer),
        })?;
        let bound = answer.token_type().as_ref().eq_ignore_ascii_case("dpop");
        let refresh = answer.refresh_token().filter(|_| bound).ok_or(Problem::UnexpectedAnswer)?;
        let lifetime = answer
            .expires_in()
            .and_then(|lifetime| u64::try_from(lifetime.as_millis()).ok())
            .map_or(UNSAID, Lifetime);
        Ok(Issued {
            tokens: Tokens {
                refresh: RefreshToken::new(refresh.secret().clone()),
                access: AccessToken::new(answer.access_token().secret().clone()),
                access_deadline: self.clock.now().after(lifetime),
            },
            facts: answer.extra_fields().keyport_account.as_ref().and_then(Facts::of_token_answer),
        })
    }
}
