//! The other OAuth endpoints: pushed requests (RFC 9126) with PKCE (RFC 7636), and userinfo.
//! Which receivers there are and what becomes of a session is not known here.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use keyport_core::secret::{AccessToken, AuthorizationUrl};
use keyport_core::{Account, AttemptId, Hints, Moment, Problem, ReceiverSecrets};
use oauth2::{AuthUrl, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use super::account;
use super::companion::CompanionClient;
use super::discovery::Endpoints;
use super::dpop::DeviceKey;
use super::error::{self, HttpError};
use super::token::Issued;
use super::wire::{Body, OwnConnection};

const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];
/// The longest device name the companion takes, in characters.
const LONGEST_NAME: usize = 64;
/// How long a sign-in waits to be told whose session it is, where the tokens came without it.
const USERINFO_TIMEOUT: Duration = Duration::from_secs(3);
/// RFC 7636 §4.1.
const VERIFIER_LENGTH: std::ops::RangeInclusive<usize> = 43..=128;

/// What one receiver's authorization request says.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// The attempt it belongs to.
    pub attempt: &'a AttemptId,
    /// Its state and verifier.
    pub receiver: &'a ReceiverSecrets,
    /// Where the receiver is.
    pub redirect_uri: &'a Url,
    /// Who wants in.
    pub hints: &'a Hints,
    /// What the confirm page calls this device; cut to 64 characters.
    pub device_name: &'a str,
}

#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
    expires_in: u64,
}

impl CompanionClient {
    /// Pushes one authorization request; gives the URL for the browser and when it stops working.
    ///
    /// # Errors
    /// Why the companion did not take it.
    pub async fn push(
        &self,
        key: &DeviceKey,
        push: &Push<'_>,
    ) -> Result<(AuthorizationUrl, Moment), HttpError> {
        let endpoints = self.endpoints().await?;
        let now = self.clock.now();
        let body = self.authorization_request(endpoints, push)?;
        let request = form(&endpoints.push, body)?;
        let response = self.send_proven(key, None, request).await?;
        if response.status() != StatusCode::CREATED {
            return Err(error::of_answer(&response).into());
        }
        let pushed: Pushed =
            serde_json::from_slice(response.body()).map_err(|_| Problem::UnexpectedAnswer)?;
        let mut url = endpoints.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("request_uri", &pushed.request_uri);
        let deadline = now.after(Duration::from_secs(pushed.expires_in));
        Ok((AuthorizationUrl::new(url), deadline))
    }

    /// RFC 9126 §2.1: the parameters of the authorization request, as a form. The `oauth2` crate
    /// puts them into the query of an authorization URL (RFC 6749 §4.1.1), encoded the same way.
    fn authorization_request(
        &self,
        endpoints: &Endpoints,
        push: &Push<'_>,
    ) -> Result<Body, HttpError> {
        let verifier = push.receiver.verifier.expose();
        // The crate panics otherwise.
        if !VERIFIER_LENGTH.contains(&verifier.len()) {
            return Err(Problem::Internal.into());
        }
        let verifier = PkceCodeVerifier::new(verifier.to_owned());
        let state = push.receiver.state.expose().to_owned();
        // Parameters of the endpoint itself are for the browser, and no part of the request.
        let mut endpoint = endpoints.authorize.clone();
        endpoint.set_query(None);
        let client = self
            .oauth_client(endpoints)
            .set_auth_uri(AuthUrl::from_url(endpoint))
            .set_redirect_uri(RedirectUrl::from_url(push.redirect_uri.clone()));
        let mut request = client
            .authorize_url(|| CsrfToken::new(state))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("attempt", push.attempt.0.as_str());
        let device_name: String = push.device_name.chars().take(LONGEST_NAME).collect();
        let hints = push.hints;
        for (name, value) in [
            ("device_name", (!device_name.is_empty()).then_some(&device_name)),
            ("login_hint", hints.email.as_ref()),
            ("organization", hints.organization.as_ref()),
            ("connection", hints.connection.as_ref()),
            ("provider", hints.provider.as_ref()),
        ] {
            if let Some(value) = value {
                request = request.add_extra_param(name, value.as_str());
            }
        }
        let (url, _) = request.url();
        Ok(Body::new(url.query().unwrap_or_default().as_bytes().to_vec()))
    }

    /// Whose session this is.
    ///
    /// # Errors
    /// When the companion does not say, or not in 3 s. A made-up subject would be another account
    /// with each sign-in.
    pub async fn account_of(&self, key: &DeviceKey, issued: &Issued) -> Result<Account, HttpError> {
        if let Some(account) = issued.account() {
            return Ok(account.clone());
        }
        let asked = timeout(USERINFO_TIMEOUT, self.userinfo(key, issued.access())).await;
        asked.unwrap_or(Err(HttpError::Problem(Problem::Offline)))
    }

    /// Asks who is signed in.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn userinfo(
        &self,
        key: &DeviceKey,
        token: &AccessToken,
    ) -> Result<Account, HttpError> {
        let endpoints = self.endpoints().await?;
        let request = Request::builder()
            .method(Method::GET)
            .uri(endpoints.userinfo.as_str())
            .header(ACCEPT, "application/json")
            .body(Body::default())
            .map_err(|_| Problem::Internal)?;
        let response = self.send_proven(key, Some(token), request).await?;
        if response.status() != StatusCode::OK {
            return Err(error::of_answer(&response).into());
        }
        let claims: Value =
            serde_json::from_slice(response.body()).map_err(|_| Problem::UnexpectedAnswer)?;
        account::of_userinfo(&claims, &self.issuer, self.clock.now())
            .ok_or_else(|| Problem::UnexpectedAnswer.into())
    }
}

pub(super) fn form(url: &Url, body: Body) -> Result<Request<Body>, HttpError> {
    Request::builder()
        .extension(OwnConnection)
        .method(Method::POST)
        .uri(url.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .map_err(|_| Problem::Internal.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keyport_core::CallbackReceiver;
    use keyport_core::secret::{CodeVerifier, State};
    use url::form_urlencoded;

    use super::*;
    use crate::platform::{SystemClock, SystemRandomness};

    /// The verifier and the challenge are those of RFC 7636, appendix B.
    #[test]
    fn the_parameters_are_those_of_the_request_and_no_others() {
        let at = |path: &str| Url::parse("https://a.test/").unwrap().join(path).unwrap();
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
        let companion = CompanionClient::at(&at("/"), "acme-notes", clock, random);
        let endpoints = Endpoints {
            authorize: at("/authorize?page=1"),
            push: at("/par"),
            token: at("/token"),
            revoke: at("/revoke"),
            userinfo: at("/userinfo"),
            attempt: at("/attempt"),
            sessions: None,
        };
        let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let receiver = ReceiverSecrets {
            receiver: CallbackReceiver::Link,
            state: State::new("s&=1"),
            verifier,
        };
        let hints = Hints { email: Some("a+b@a.test".into()), ..Hints::default() };
        let redirect_uri = Url::parse("dev.keyport.test:/callback").unwrap();
        let push = Push {
            attempt: &AttemptId("a".repeat(32)),
            receiver: &receiver,
            redirect_uri: &redirect_uri,
            hints: &hints,
            device_name: "",
        };
        let body = companion.authorization_request(&endpoints, &push).unwrap();
        let mut sent: Vec<_> = form_urlencoded::parse(&body).into_owned().collect();
        sent.sort_unstable();
        let expected = [
            ("attempt", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("client_id", "acme-notes"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("login_hint", "a+b@a.test"),
            ("redirect_uri", "dev.keyport.test:/callback"),
            ("response_type", "code"),
            ("scope", "openid profile email offline_access"),
            ("state", "s&=1"),
        ];
        assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let receiver = ReceiverSecrets { verifier: CodeVerifier::new("short"), ..receiver.clone() };
        let refused =
            companion.authorization_request(&endpoints, &Push { receiver: &receiver, ..push });
        assert_eq!(refused.err(), Some(HttpError::Problem(Problem::Internal)));
    }
}
