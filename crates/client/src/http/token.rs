//! The token endpoint, RFC 6749 §4.1.3 and §6, and what it gives: tokens, and with a code the
//! account. Nothing is repeated here.
//!
//! The `oauth2` crate builds the requests. It copies code, verifier and refresh token into strings
//! that it only frees; the allocator of our programs wipes them. The answers are read here: the
//! crate would copy the tokens, and reads every answer that is not 200 as a refusal of RFC 6749
//! §5.2, whatever its status and its kind.

use std::time::Duration;

use std::borrow::Cow;
use std::fmt;

use http::{Request, Response, StatusCode};
use keyport_core::secret::{AccessToken, AuthorizationCode, CodeVerifier, RefreshToken};
use keyport_core::{Account, Problem, Tokens};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, TokenUrl,
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::account;
use super::companion::CompanionClient;
use super::discovery::Endpoints;
use super::dpop::DeviceKey;
use super::error::{self, HttpError};
use super::revocation::{Revocable, Unkept};
use super::wire::{Body, OwnConnection};
use crate::keychain::LARGEST;

/// More than any token of the companion has, in bytes.
const LONGEST_TOKEN: usize = 4096;
/// Half of what a keychain item holds, in bytes: it stands there with its account.
const LONGEST_REFRESH_TOKEN: usize = LARGEST / 2;
/// More than a session's name at our companion has, in bytes.
const LONGEST_SESSION_ID: usize = 64;
/// Where the token endpoint leaves it open, an access token is taken to live this long.
const UNSAID: Duration = Duration::from_secs(60);

/// What the token endpoint gave for a code: a session that nothing keeps yet. Dropped, it is
/// revoked.
#[derive(Debug)]
pub struct Issued {
    tokens: Tokens,
    account: Option<Account>,
    unkept: Unkept,
}

impl Issued {
    /// Takes the tokens: from here on the caller keeps the session, or revokes it.
    #[must_use]
    pub fn keep(self) -> Tokens {
        let (tokens, mut unkept) = self.into_parts();
        unkept.keep();
        tokens
    }

    /// Revokes the session: one try of at most 3 s.
    pub async fn revoke(self) {
        self.unkept.revoke().await;
    }

    /// The tokens, and what revokes them until the session is kept.
    pub(crate) fn into_parts(self) -> (Tokens, Unkept) {
        (self.tokens, self.unkept)
    }

    /// Whose it is, if that could be read from the answer.
    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    pub(super) fn access(&self) -> &AccessToken {
        &self.tokens.access
    }
}

/// RFC 6749 §5.1. The tokens stay in the answer until they have their type.
#[derive(Deserialize)]
struct TokenResponse<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    #[serde(borrow)]
    token_type: Cow<'a, str>,
    /// In seconds.
    expires_in: Option<u64>,
    #[serde(borrow)]
    refresh_token: Option<Cow<'a, str>>,
    keyport_account: Option<Value>,
    keyport_session: Option<Value>,
}

/// A request as the crate has built it, handed back unsent.
#[derive(Error)]
#[error("a request that is not sent yet")]
struct Built(Box<Request<Body>>);

impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Built").finish_non_exhaustive()
    }
}

/// In the place of an HTTP client. The crate gives its requests to nothing else.
fn hand_back(request: HttpRequest) -> Result<HttpResponse, Built> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(OwnConnection);
    Err(Built(Box::new(request)))
}

/// What the crate says after [`hand_back`].
type Prepared = Result<BasicTokenResponse, RequestTokenError<Built, BasicErrorResponse>>;

/// A client whose token endpoint is known.
pub(super) type OauthClient =
    BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl CompanionClient {
    pub(super) fn oauth_client(&self, endpoints: &Endpoints) -> OauthClient {
        BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
    }

    /// Exchanges the code. Sent once: a lost answer costs one more click, a second try could burn
    /// what the first one gave. What an answer gives that is refused here is revoked.
    ///
    /// # Errors
    /// [`HttpError::GrantInvalid`] when the companion refuses the code.
    pub async fn exchange_code(
        &self,
        key: &DeviceKey,
        redirect_uri: Url,
        code: &AuthorizationCode,
        verifier: &CodeVerifier,
    ) -> Result<Issued, HttpError> {
        let endpoints = self.endpoints().await?;
        let prepared = self
            .oauth_client(endpoints)
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri))
            .exchange_code(oauth2::AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
            .request(&hand_back);
        let response = self.ask_for_tokens(key, prepared).await?;
        let given = self.read(&response);
        let revocable = match &given {
            Ok((tokens, _)) => Some(Revocable::Refresh(tokens.refresh.clone())),
            Err(_) => Revocable::in_answer(response.body()),
        };
        let unkept = self.unkept(revocable, &endpoints.revoke);
        match given {
            Ok((tokens, account)) => Ok(Issued { tokens, account, unkept }),
            Err(error) => {
                unkept.revoke().await;
                Err(error)
            }
        }
    }

    /// Rotates the session. The same token may be presented again after a lost answer: the
    /// companion gives the same child. So what an answer gives that is refused here is not lost.
    ///
    /// # Errors
    /// [`HttpError::GrantInvalid`] when the session is over; everything else leaves it as it is.
    pub async fn refresh(
        &self,
        key: &DeviceKey,
        token: &RefreshToken,
    ) -> Result<Tokens, HttpError> {
        let prepared = self
            .oauth_client(self.endpoints().await?)
            .exchange_refresh_token(&oauth2::RefreshToken::new(token.expose().to_owned()))
            .request(&hand_back);
        let response = self.ask_for_tokens(key, prepared).await?;
        self.read(&response).map(|(tokens, _)| tokens)
    }

    async fn ask_for_tokens(
        &self,
        key: &DeviceKey,
        prepared: Prepared,
    ) -> Result<Response<Body>, HttpError> {
        let Err(RequestTokenError::Request(Built(request))) = prepared else {
            return Err(Problem::Internal.into());
        };
        Ok(self.send_proven(key, None, *request).await?)
    }

    fn read(&self, response: &Response<Body>) -> Result<(Tokens, Option<Account>), HttpError> {
        if response.status() != StatusCode::OK {
            return Err(error::of_token_answer(response));
        }
        let body = response.body();
        let unexpected = |_| Problem::UnexpectedAnswer;
        let answer: TokenResponse<'_> = serde_json::from_slice(body).map_err(unexpected)?;
        let is_bound = answer.token_type.eq_ignore_ascii_case("dpop");
        let refresh = answer.refresh_token.filter(|token| is_bound && is_refresh_token(token));
        let refresh = refresh.ok_or(Problem::UnexpectedAnswer)?;
        if !is_token(&answer.access_token) {
            return Err(Problem::UnexpectedAnswer.into());
        }
        let now = self.clock.now();
        let lifetime = answer.expires_in.map_or(UNSAID, Duration::from_secs);
        let tokens = Tokens {
            refresh: RefreshToken::new(refresh),
            access: AccessToken::new(answer.access_token),
            access_deadline: now.after(lifetime),
            session: answer.keyport_session.as_ref().and_then(session_id),
        };
        let said = answer.keyport_account.as_ref();
        let account = said.and_then(|said| account::of_token_answer(said, &self.issuer, now));
        Ok((tokens, account))
    }
}

/// The companion's name of a session: short, and plain enough for a path.
pub(super) fn session_id(value: &Value) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let id = value.as_str()?;
    let is_id = (1..=LONGEST_SESSION_ID).contains(&id.len()) && id.bytes().all(is_plain);
    is_id.then(|| id.to_owned())
}

/// Whether this can stand in a header, a form and a keychain item: visible ASCII (RFC 6749 appendix
/// A.12) that needs no escape in JSON, not empty, of bounded length. What is no token must not take
/// the place of one.
fn is_token(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(is_plain)
}

/// As [`is_token`], and short enough for a keychain item with the facts of its account.
fn is_refresh_token(text: &str) -> bool {
    text.len() <= LONGEST_REFRESH_TOKEN && is_token(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_or_no_header_value_is_no_token() {
        assert!(is_token("eyJ.a-_~+/=") && is_token(&"a".repeat(LONGEST_TOKEN)));
        assert!(is_refresh_token(&"a".repeat(512)) && !is_refresh_token(&"a".repeat(513)));
        for text in [
            "",
            " ",
            "a b",
            "a\"b",
            "a\\b",
            "a\r\nEvil: y",
            "\0",
            "\u{e9}",
            &"a".repeat(LONGEST_TOKEN + 1),
        ] {
            assert!(!is_token(text), "{text:?}");
        }
    }

    #[test]
    fn a_session_has_a_name_that_can_stand_in_a_path() {
        let id = Value::from("session_00ff-A");
        assert_eq!(session_id(&id).as_deref(), id.as_str());
        for other in ["", "a/b", "..", "a b", "a%2f", "\u{e9}", &"a".repeat(65)] {
            assert_eq!(session_id(&other.into()), None, "{other:?}");
        }
        assert_eq!(session_id(&Value::from(7)), None);
    }

    #[test]
    fn what_is_sent_is_shown_nowhere() {
        let request = Request::builder().uri("https://a.test").body(b"code=canary".to_vec());
        let built = hand_back(request.unwrap()).unwrap_err();
        let error = RequestTokenError::<_, BasicErrorResponse>::Request(built);
        let shown = format!("{error} {error:?}");
        let RequestTokenError::Request(Built(request)) = error else { unreachable!() };
        assert_eq!(&**request.body(), b"code=canary");
        assert!(request.extensions().get::<OwnConnection>().is_some());
        assert!(!shown.contains("canary") && !shown.contains("99, 111, 100"), "{shown}");
    }
}
