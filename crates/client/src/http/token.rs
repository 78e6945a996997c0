//! The token endpoint, RFC 6749 §4.1.3 and §6, and what it gives: tokens, and with a code the facts
//! of the account. Nothing is repeated here. Code, verifier and tokens are read and written in memory
//! that is wiped; that is why no OAuth library, which copies them into plain strings, stands between.

use std::borrow::Cow;

use http::StatusCode;
use keyport_core::secret::{AccessToken, AuthorizationCode, CodeVerifier, RefreshToken};
use keyport_core::{Lifetime, Problem, Tokens};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::authorized::Companion;
use super::dpop::DeviceKey;
use super::facts::Facts;
use super::oauth::{encoded, form};
use super::trouble::{self, Trouble};
use super::wire::Body;

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

/// RFC 6749 §5.1. The tokens stay in the answer until they have their type.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    #[serde(borrow)]
    token_type: Cow<'a, str>,
    /// In seconds.
    expires_in: Option<u64>,
    #[serde(borrow)]
    refresh_token: Option<Cow<'a, str>>,
    keyport_account: Option<Value>,
}

impl Companion {
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
        let grant = encoded([
            ("grant_type", "authorization_code"),
            ("client_id", self.client_id),
            ("code", code.expose()),
            ("code_verifier", verifier.expose()),
            ("redirect_uri", redirect_uri.as_str()),
        ]);
        self.ask_for_tokens(key, grant).await
    }

    /// Rotates the session. The same token may be presented again after a lost answer: the companion gives the same child.
    ///
    /// # Errors
    /// [`Trouble::GrantInvalid`] when the session is over; everything else leaves it as it is.
    pub async fn refresh(&self, key: &DeviceKey, token: &RefreshToken) -> Result<Issued, Trouble> {
        let grant = encoded([
            ("grant_type", "refresh_token"),
            ("client_id", self.client_id),
            ("refresh_token", token.expose()),
        ]);
        self.ask_for_tokens(key, grant).await
    }

    async fn ask_for_tokens(&self, key: &DeviceKey, grant: Body) -> Result<Issued, Trouble> {
        let endpoints = self.endpoints().await?;
        let response = self.send_proven(key, None, form(&endpoints.token, grant)?).await?;
        if response.status() == StatusCode::OK {
            self.issued(response.body())
        } else {
            Err(trouble::of_token_answer(&response))
        }
    }

    fn issued(&self, body: &[u8]) -> Result<Issued, Trouble> {
        let unexpected = |_| Problem::UnexpectedAnswer;
        let answer: Answer<'_> = serde_json::from_slice(body).map_err(unexpected)?;
        let is_bound = answer.token_type.eq_ignore_ascii_case("dpop");
        let refresh = answer.refresh_token.filter(|_| is_bound).ok_or(Problem::UnexpectedAnswer)?;
        let lifetime = answer.expires_in.map_or(UNSAID, Lifetime::seconds);
        Ok(Issued {
            tokens: Tokens {
                refresh: RefreshToken::new(refresh),
                access: AccessToken::new(answer.access_token),
                access_deadline: self.clock.now().after(lifetime),
            },
            facts: answer.keyport_account.as_ref().and_then(Facts::of_token_answer),
        })
    }
}
