//! The access token of a WorkOS session: a JWT (RS256), verified against the keys of our client.
//! Only the id of the session is read of it.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use workos::helpers::JwkSet;
use workos::models::AuthenticateResponse;

use super::AuthKit;
use crate::domain::Timestamp;
use crate::upstream::UpstreamError;

/// How far the clocks of WorkOS and of this machine may differ.
const LEEWAY: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Claims {
    sub: String,
    sid: String,
    exp: i64,
    org_id: Option<String>,
}

/// Whom a token must be for.
struct Expected<'a> {
    issuers: [String; 3],
    user: &'a str,
    organization: Option<&'a str>,
}

impl AuthKit {
    /// The session of a verified answer.
    ///
    /// # Errors
    /// The token is not one for this user from this issuer, or the keys cannot be had.
    pub(super) async fn session_of(
        &self,
        answer: &AuthenticateResponse,
    ) -> Result<String, UpstreamError> {
        let token = answer.access_token.expose();
        let expected = Expected {
            issuers: self.issuers(),
            user: &answer.user.id,
            organization: answer.organization_id.as_deref(),
        };
        let known = self.keys.fetch().await.map_err(|error| UpstreamError::of(&error))?;
        let key = match key_of(token, &known) {
            Some(key) => key,
            // WorkOS has a new key since the keys were read.
            None => {
                let anew = self.keys.refresh().await.map_err(|error| UpstreamError::of(&error))?;
                key_of(token, &anew).ok_or(UpstreamError::Nonsense)?
            }
        };
        verify(token, &key, &expected, self.clock.now()).ok_or_else(|| {
            tracing::error!("an access token of WorkOS was refused: is its issuer set right?");
            UpstreamError::Nonsense
        })
    }

    /// The documents show the first and the second form; tokens of the API carry the third.
    fn issuers(&self) -> [String; 3] {
        let (origin, client) = (&self.origin, self.account.client().client_id());
        [origin.clone(), format!("{origin}/"), format!("{origin}/user_management/{client}")]
    }
}

fn key_of(token: &str, known: &JwkSet) -> Option<DecodingKey> {
    let id = decode_header(token).ok()?.kid?;
    let key = known.keys.iter().find(|key| key.kid.as_deref() == Some(&id))?;
    let part = |name: &str| key.other.get(name).and_then(|value| value.as_str());
    DecodingKey::from_rsa_components(part("n")?, part("e")?).ok()
}

/// The session of a token that is right.
fn verify(
    token: &str,
    key: &DecodingKey,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Option<String> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&expected.issuers);
    validation.set_required_spec_claims(&["iss", "sub", "exp"]);
    // WorkOS names no audience: the keys are those of our client.
    validation.validate_aud = false;
    // jsonwebtoken would read the ambient clock.
    validation.validate_exp = false;
    let claims = decode::<Claims>(token, key, &validation).ok()?.claims;
    let is_over = now.has_reached(Timestamp::from_seconds(claims.exp).plus(LEEWAY));
    let is_theirs =
        claims.sub == expected.user && claims.org_id.as_deref() == expected.organization;
    (is_theirs && !is_over).then_some(claims.sid)
}
