//! The other OAuth endpoints: pushed requests (RFC 9126) with PKCE (RFC 7636), revocation (RFC 7009), userinfo.
//! Which doors there are and what becomes of a session is not known here.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use keyport_core::secret::{AccessToken, AuthorizationUrl, RefreshToken};
use keyport_core::{AttemptId, DoorSeed, Hints, Lifetime, Moment, Problem};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use super::authorized::Companion;
use super::dpop::DeviceKey;
use super::facts::Facts;
use super::token::Issued;
use super::trouble::{self, Trouble};
use super::wire::{Body, OwnConnection};

const SCOPES: &str = "openid profile email offline_access";
/// The longest device name the companion takes, in characters.
const LONGEST_NAME: usize = 64;
/// How long a sign-in waits to be told whose session it is, where the tokens came without it.
const FACTS_TIMEOUT: Duration = Duration::from_secs(3);
/// More than any form of ours has, in bytes.
const LONGEST_FORM: usize = 8 * 1024;
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
        let body = self.authorization_request(push)?;
        let request = form(&endpoints.push, body)?;
        let response = self.send_proven(key, None, request).await?;
        if response.status() != StatusCode::CREATED {
            return Err(trouble::of_answer(&response).into());
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
    fn authorization_request(&self, push: &Push<'_>) -> Result<Body, Trouble> {
        let verifier = push.door.verifier.expose();
        if !VERIFIER_LENGTH.contains(&verifier.len()) {
            return Err(Problem::Internal.into());
        }
        // RFC 7636 §4.2: S256.
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let device_name: String = push.device_name.chars().take(LONGEST_NAME).collect();
        let device_name = (!device_name.is_empty()).then_some(&*device_name);
        let hints = push.hints;
        let parameters = [
            ("response_type", Some("code")),
            ("client_id", Some(self.client_id)),
            ("redirect_uri", Some(push.redirect_uri.as_str())),
            ("state", Some(push.door.state.expose())),
            ("code_challenge", Some(&*challenge)),
            ("code_challenge_method", Some("S256")),
            ("scope", Some(SCOPES)),
            ("attempt", Some(push.attempt.0.as_str())),
            ("device_name", device_name),
            ("login_hint", hints.email.as_deref()),
            ("organization", hints.organization.as_deref()),
            ("connection", hints.connection.as_deref()),
            ("provider", hints.provider.as_deref()),
        ];
        let set = |(name, value): (&'static str, Option<_>)| Some((name, value?));
        Ok(encoded(parameters.into_iter().filter_map(set)))
    }

    /// Ends the session at the companion, RFC 7009. A token that it does not know is as good as revoked.
    ///
    /// # Errors
    /// When it did not say so.
    pub async fn revoke(&self, token: &RefreshToken) -> Result<(), Trouble> {
        let endpoints = self.endpoints().await?;
        let body = encoded([
            ("client_id", self.client_id),
            ("token", token.expose()),
            ("token_type_hint", "refresh_token"),
        ]);
        let response = self.wire.send(form(&endpoints.revoke, body)?).await?;
        if trouble::is_revoked(&response) {
            Ok(())
        } else {
            Err(trouble::of_answer(&response).into())
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
            .body(Body::default())
            .map_err(|_| Problem::Internal)?;
        let response = self.send_proven(key, Some(token), request).await?;
        if response.status() != StatusCode::OK {
            return Err(trouble::of_answer(&response).into());
        }
        let claims: Value =
            serde_json::from_slice(response.body()).map_err(|_| Problem::UnexpectedAnswer)?;
        Facts::of_userinfo(&claims).ok_or_else(|| Problem::UnexpectedAnswer.into())
    }
}

/// Parameters as a form, in memory that is large enough from the start and wiped on drop.
pub(super) fn encoded<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Body {
    let form = String::with_capacity(LONGEST_FORM);
    let mut form = form_urlencoded::Serializer::new(form);
    Body::new(form.extend_pairs(parameters).finish().into_bytes())
}

pub(super) fn form(url: &Url, body: Body) -> Result<Request<Body>, Trouble> {
    Request::builder()
        .extension(OwnConnection)
        .method(Method::POST)
        .uri(url.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .map_err(|_| Problem::Internal.into())
}
