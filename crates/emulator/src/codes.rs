//! Authorization codes and SSO access tokens of the emulated service: what is out, until when, and
//! what redeeming does. A code lives ten minutes and serves once; an access token lives 600
//! seconds. Kept by fingerprint, time passed in.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::pkce::CodeChallenge;
use crate::profile::Profile;
use crate::secret::{Fingerprint, Secret};
use crate::timestamp::Timestamp;

pub const CODE_LIFETIME: Duration = Duration::from_secs(600);
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(600);

/// Codes that stand for a `T`: a profile, or what AuthKit knows about a sign-in.
#[derive(Debug)]
pub struct Codes<T> {
    waiting: HashMap<Fingerprint, IssuedCode<T>>,
    tally: Tally,
}

#[derive(Debug, Default)]
pub struct AccessTokens(HashMap<Fingerprint, AccessToken>);

/// How many codes went which way since the start (or since the counts were cleared).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub issued: u64,
    pub redeemed: u64,
    /// Redemptions that ended in `invalid_grant`.
    pub refused: u64,
}

/// Why a code is not exchanged; `invalid_grant` on the wire, all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidGrant {
    /// Unknown, expired, used or of another client: not told apart.
    Spent,
    /// The verifier is missing, wrong, or there although no challenge was sent. The code is burnt.
    Verifier,
}

impl InvalidGrant {
    /// `error_description` on the wire.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Spent => "The code has expired or has already been used.",
            Self::Verifier => "The code verifier does not belong to the code.",
        }
    }
}

#[derive(Debug)]
struct IssuedCode<T> {
    content: T,
    client_id: String,
    challenge: Option<CodeChallenge>,
    expires: Timestamp,
}

#[derive(Debug)]
struct AccessToken {
    profile: Profile,
    expires: Timestamp,
}

impl<T> Default for Codes<T> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), tally: Tally::default() }
    }
}

impl<T> Codes<T> {
    pub fn issue(
        &mut self,
        code: &Secret,
        content: T,
        client_id: &str,
        challenge: Option<CodeChallenge>,
        now: Timestamp,
    ) {
        self.forget_expired(now);
        self.tally.issued += 1;
        self.waiting.insert(
            code.fingerprint(),
            IssuedCode {
                content,
                client_id: client_id.to_owned(),
                challenge,
                expires: now.plus(CODE_LIFETIME),
            },
        );
    }

    /// Uses the code up, whatever comes of it.
    ///
    /// # Errors
    /// When there is no such code any more, or the verifier does not belong to it.
    pub fn redeem(
        &mut self,
        code: &Secret,
        client_id: &str,
        verifier: Option<&Secret>,
        now: Timestamp,
    ) -> Result<T, InvalidGrant> {
        let redeemed = self.take(code, client_id, verifier, now);
        match redeemed {
            Ok(_) => self.tally.redeemed += 1,
            Err(_) => self.tally.refused += 1,
        }
        redeemed
    }

    /// Codes of which this is true are refused from now on.
    pub fn revoke(&mut self, of: impl Fn(&T) -> bool) {
        self.waiting.retain(|_, waiting| !of(&waiting.content));
    }

    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    pub fn clear_tally(&mut self) {
        self.tally = Tally::default();
    }

    fn take(
        &mut self,
        code: &Secret,
        client_id: &str,
        verifier: Option<&Secret>,
        now: Timestamp,
    ) -> Result<T, InvalidGrant> {
        let waiting = self.waiting.remove(&code.fingerprint()).ok_or(InvalidGrant::Spent)?;
        if now >= waiting.expires || waiting.client_id != client_id {
            return Err(InvalidGrant::Spent);
        }
        let fits = match (&waiting.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => challenge.accepts(verifier.expose()),
            // A verifier without a challenge is a stripped challenge (RFC 9700 §4.8.2).
            (Some(_), None) | (None, Some(_)) => false,
        };
        fits.then_some(waiting.content).ok_or(InvalidGrant::Verifier)
    }

    fn forget_expired(&mut self, now: Timestamp) {
        self.waiting.retain(|_, waiting| now < waiting.expires);
    }
}

impl AccessTokens {
    pub fn issue(&mut self, token: &Secret, profile: Profile, now: Timestamp) {
        self.0.retain(|_, token| now < token.expires);
        let expires = now.plus(ACCESS_TOKEN_LIFETIME);
        self.0.insert(token.fingerprint(), AccessToken { profile, expires });
    }

    #[must_use]
    pub fn profile_of(&self, token: &Secret, now: Timestamp) -> Option<&Profile> {
        let token = self.0.get(&token.fingerprint())?;
        (now < token.expires).then_some(&token.profile)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ACCESS_TOKEN_LIFETIME, AccessTokens, CODE_LIFETIME, Codes, InvalidGrant, Tally};
    use crate::profile::Profile;
    use crate::secret::Secret;
    use crate::seed::Seed;
    use crate::timestamp::SEEDED;

    const TICK: Duration = Duration::from_millis(1);

    fn ada() -> Profile {
        let seed = Seed::built_in().unwrap();
        Profile::of(&seed.people[0], &seed.connections[0], &[0; 26])
    }

    #[test]
    fn a_code_dies_after_ten_minutes() {
        let mut codes = Codes::default();
        let [late, timely] = ["late", "timely"].map(Secret::from);
        codes.issue(&late, 1, "client", None, SEEDED);
        codes.issue(&timely, 2, "client", None, SEEDED);
        let end = SEEDED.plus(CODE_LIFETIME);
        let before = SEEDED.plus(CODE_LIFETIME.checked_sub(TICK).unwrap());
        assert_eq!(codes.redeem(&timely, "client", None, before), Ok(2));
        assert_eq!(codes.redeem(&late, "client", None, end), Err(InvalidGrant::Spent));
        assert_eq!(codes.tally(), Tally { issued: 2, redeemed: 1, refused: 1 });
    }

    #[test]
    fn a_code_of_another_client_is_burnt() {
        let (mut codes, code) = (Codes::default(), Secret::from("code"));
        codes.issue(&code, 1, "client", None, SEEDED);
        assert_eq!(codes.redeem(&code, "other", None, SEEDED), Err(InvalidGrant::Spent));
        assert_eq!(codes.redeem(&code, "client", None, SEEDED), Err(InvalidGrant::Spent));
    }

    #[test]
    fn an_access_token_dies_after_600_seconds() {
        let (mut tokens, token) = (AccessTokens::default(), Secret::from("token"));
        tokens.issue(&token, ada(), SEEDED);
        let end = SEEDED.plus(ACCESS_TOKEN_LIFETIME);
        let before = SEEDED.plus(ACCESS_TOKEN_LIFETIME.checked_sub(TICK).unwrap());
        assert!(tokens.profile_of(&token, before).is_some());
        assert!(tokens.profile_of(&token, end).is_none());
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let (mut codes, mut tokens) = (Codes::default(), AccessTokens::default());
        let end = SEEDED.plus(CODE_LIFETIME);
        codes.issue(&Secret::from("first"), 1, "client", None, SEEDED);
        codes.issue(&Secret::from("second"), 2, "client", None, end);
        tokens.issue(&Secret::from("first"), ada(), SEEDED);
        tokens.issue(&Secret::from("second"), ada(), end);
        assert_eq!((codes.waiting.len(), tokens.0.len()), (1, 1));
    }
}
