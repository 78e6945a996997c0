//! Authorization codes and access tokens of the emulated service: what is out, until when, and what
//! redeeming does. A code lives ten minutes and serves once; an access token lives 600 seconds.
//! Kept by fingerprint, time passed in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::pkce::CodeChallenge;
use crate::profile::Profile;
use crate::secret::{Fingerprint, Secret};

pub const CODE_LIFETIME: Duration = Duration::from_secs(600);
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub struct Codes {
    waiting: HashMap<Fingerprint, IssuedCode>,
    access_tokens: HashMap<Fingerprint, AccessToken>,
    tally: Tally,
}

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
    /// Unknown, expired or used: not told apart.
    Spent,
    /// The verifier is missing, wrong, or there although no challenge was sent. The code is burnt.
    Verifier,
}

#[derive(Debug)]
struct IssuedCode {
    profile: Profile,
    challenge: Option<CodeChallenge>,
    expires: Instant,
}

#[derive(Debug)]
struct AccessToken {
    profile: Profile,
    expires: Instant,
}

impl Codes {
    pub fn issue(
        &mut self,
        code: &Secret,
        profile: Profile,
        challenge: Option<CodeChallenge>,
        now: Instant,
    ) {
        self.forget_expired(now);
        self.tally.issued += 1;
        self.waiting.insert(
            code.fingerprint(),
            IssuedCode { profile, challenge, expires: now + CODE_LIFETIME },
        );
    }

    /// Uses the code up, whatever comes of it.
    ///
    /// # Errors
    /// When there is no such code any more, or the verifier does not belong to it.
    pub fn redeem(
        &mut self,
        code: &Secret,
        verifier: Option<&Secret>,
        now: Instant,
    ) -> Result<Profile, InvalidGrant> {
        let redeemed = self.take(code, verifier, now);
        match redeemed {
            Ok(_) => self.tally.redeemed += 1,
            Err(_) => self.tally.refused += 1,
        }
        redeemed
    }

    pub fn issue_access_token(&mut self, token: &Secret, profile: Profile, now: Instant) {
        let expires = now + ACCESS_TOKEN_LIFETIME;
        self.access_tokens.insert(token.fingerprint(), AccessToken { profile, expires });
    }

    #[must_use]
    pub fn profile_of(&self, token: &Secret, now: Instant) -> Option<&Profile> {
        let token = self.access_tokens.get(&token.fingerprint())?;
        (now < token.expires).then_some(&token.profile)
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
        verifier: Option<&Secret>,
        now: Instant,
    ) -> Result<Profile, InvalidGrant> {
        let waiting = self.waiting.remove(&code.fingerprint()).ok_or(InvalidGrant::Spent)?;
        if now >= waiting.expires {
            return Err(InvalidGrant::Spent);
        }
        let fits = match (&waiting.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => challenge.accepts(verifier.expose()),
            // A verifier without a challenge is a stripped challenge (RFC 9700 §4.8.2).
            (Some(_), None) | (None, Some(_)) => false,
        };
        fits.then_some(waiting.profile).ok_or(InvalidGrant::Verifier)
    }

    fn forget_expired(&mut self, now: Instant) {
        self.waiting.retain(|_, waiting| now < waiting.expires);
        self.access_tokens.retain(|_, token| now < token.expires);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{ACCESS_TOKEN_LIFETIME, CODE_LIFETIME, Codes, InvalidGrant, Tally};
    use crate::profile::Profile;
    use crate::secret::Secret;
    use crate::seed::Seed;

    const TICK: Duration = Duration::from_millis(1);

    fn ada() -> Profile {
        let seed = Seed::built_in().unwrap();
        Profile::of(&seed.people[0], &seed.connections[0], &[0; 26])
    }

    #[test]
    fn a_code_dies_after_ten_minutes() {
        let (mut codes, start) = (Codes::default(), Instant::now());
        let [late, timely] = ["late", "timely"].map(Secret::from);
        codes.issue(&late, ada(), None, start);
        codes.issue(&timely, ada(), None, start);
        assert!(codes.redeem(&timely, None, start + CODE_LIFETIME - TICK).is_ok());
        assert_eq!(
            codes.redeem(&late, None, start + CODE_LIFETIME).unwrap_err(),
            InvalidGrant::Spent
        );
        assert_eq!(codes.tally(), Tally { issued: 2, redeemed: 1, refused: 1 });
    }

    #[test]
    fn an_access_token_dies_after_600_seconds() {
        let (mut codes, start, token) = (Codes::default(), Instant::now(), Secret::from("token"));
        codes.issue_access_token(&token, ada(), start);
        assert!(codes.profile_of(&token, start + ACCESS_TOKEN_LIFETIME - TICK).is_some());
        assert!(codes.profile_of(&token, start + ACCESS_TOKEN_LIFETIME).is_none());
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let (mut codes, start) = (Codes::default(), Instant::now());
        codes.issue(&Secret::from("first"), ada(), None, start);
        codes.issue_access_token(&Secret::from("token"), ada(), start);
        codes.issue(&Secret::from("second"), ada(), None, start + CODE_LIFETIME);
        assert_eq!((codes.waiting.len(), codes.access_tokens.len()), (1, 0));
    }
}
