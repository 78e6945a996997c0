//! The other OAuth endpoints: pushed requests (RFC 9126) with PKCE (RFC 7636), revocation (RFC 7009), userinfo.
//! Which doors there are and what becomes of a session is not known here.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use keyport_core::secret::{AccessToken, AuthorizationUrl, RefreshToken};
use keyport_core::{AttemptId, DoorSeed, Hints, Lifetime, Moment, Problem};
use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use super::authorized::Companion;
use super::dpop::DeviceKey;
use super::facts::Facts;
use super::token::Issued;
use super::trouble::{self, Trouble};

const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];
/// The longest device name the companion takes, in characters.
const LONGEST_NAME: usize = 64;
/// How long a sign-in waits to be told whose session it is, where the tokens came without it.
const FACTS_TIMEOUT: Duration = Duration::from_secs(3);
/// RFC 7636 §4.1.
const VERIFIER_LENGTH: std::ops::RangeInclusive<usize> = 43..=128;

/// What one door's authorization request says.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// The attempt it belongs to.
    pub attempt: &'a AttemptId,
    /// Its state and verifier.
    pub door: &'a DoorSeed,
    /// Where the door is.
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

impl Companion {
    /// Pushes one authorization request; gives the URL for the browser and when it stops working.
    ///
    /// # Errors
    /// Why the companion did not take it.
    pub async fn push(
        &self,
        key: &DeviceKey,
        push: &Push<'_>,
    ) -> Result<(AuthorizationUrl, Moment), Trouble> {
        let endpoints = self.endpoints().await?;
        let now = self.clock.now();
        let body = self.authorization_request(push).await?;
        let request = form(&endpoints.push, body)?;
        let response = self.send_proven(key, None, request).await?;
        if response.status() != StatusCode::CREATED {
            return Err(trouble::of_answer(&response));
        }
        let pushed: Pushed =
            serde_json::from_slice(response.body()).map_err(|_| Problem::UnexpectedAnswer)?;
        let mut url = endpoints.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", self.client_id)
            .append_pair("request_uri", &pushed.request_uri);
        let deadline = now.after(Lifetime::seconds(pushed.expires_in));
        Ok((AuthorizationUrl::new(url), deadline))
    }

    /// RFC 9126 §2.1: the parameters of the authorization request, as a form.
    async fn authorization_request(&self, push: &Push<'_>) -> Result<String, Trouble> {
        let verifier = push.door.verifier.expose();
        if !VERIFIER_LENGTH.contains(&verifier.len()) {
            return Err(Problem::Internal.into());
        }
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(
            verifier.to_owned(),
        ));
        let state = push.door.state.expose().to_owned();
        let client = self
            .oauth_client(self.endpoints().await?)
            .set_redirect_uri(RedirectUrl::from_url(push.redirect_uri.clone()));
        let mut request = client
            .authorize_url(|| CsrfToken::new(state))
            .set_pkce_challenge(challenge)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("attempt", push.attempt.0.as_str());
        let device_name: String = push.device_name.chars().take(LONGEST_NAME).collect();
        if !device_name.is_empty() {
            request = request.add_extra_param("device_name", device_name);
        }
        let hints = [
            ("login_hint", &push.hints.email),
            ("organization", &push.hints.organization),
            ("connection", &push.hints.connection),
            ("provider", &push.hints.provider),
        ];
        for (name, value) in hints {
            if let Some(value) = value {
                request = request.add_extra_param(name, value.as_str());
            }
        }
        let (url, _) = request.url();
        Ok(url.query().unwrap_or_default().to_owned())
    }

    /// Ends the session at the companion, RFC 7009. A token that it does not know is as good as revoked.
    /// Built by hand: the `oauth2` crate refuses a revocation endpoint over http, which a companion on this machine has.
    ///
    /// # Errors
    /// When it did not say so.
    pub async fn revoke(&self, token: &RefreshToken) -> Result<(), Trouble> {
        let endpoints = self.endpoints().await?;
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", self.client_id)
            .append_pair("token", token.expose())
            .append_pair("token_type_hint", "refresh_token")
            .finish();
        let response = self.wire.send(form(&endpoints.revoke, body)?).await?;
        match response.status() {
            StatusCode::OK => Ok(()),
            _ => Err(trouble::of_answer(&response)),
        }
    }

    /// Whose session this is. A session that was given is not given up because the companion does
    /// not say, or not in 3 s: the account then has a made-up subject and no other fact.
    pub async fn facts_of(&self, key: &DeviceKey, issued: &Issued) -> Facts {
        if let Some(facts) = &issued.facts {
            return facts.clone();
        }
        let asked = timeout(FACTS_TIMEOUT, self.userinfo(key, &issued.tokens.access)).await;
        let answer = asked.unwrap_or(Err(Trouble::Problem(Problem::Offline)));
        answer.unwrap_or_else(|cause| {
            tracing::warn!(%cause, "the facts of the account cannot be read");
            Facts::unknown(&*self.random)
        })
    }

    /// Asks who is signed in.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn userinfo(&self, key: &DeviceKey, token: &AccessToken) -> Result<Facts, Trouble> {
        let endpoints = self.endpoints().await?;
        let request = Request::builder()
            .method(Method::GET)
            .uri(endpoints.userinfo.as_str())
            .header(ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|_| Problem::Internal)?;
        let response = self.send_proven(key, Some(token), request).await?;
        if response.status() != StatusCode::OK {
            return Err(trouble::of_answer(&response));
        }
        let claims: Value =
            serde_json::from_slice(response.body()).map_err(|_| Problem::UnexpectedAnswer)?;
        Facts::of_userinfo(&claims).ok_or_else(|| Problem::UnexpectedAnswer.into())
    }
}

fn form(url: &Url, body: String) -> Result<Request<Vec<u8>>, Trouble> {
    Request::builder()
        .method(Method::POST)
        .uri(url.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.into_bytes())
        .map_err(|_| Problem::Internal.into())
}
