//! PKCE (RFC 7636), method S256 only: the challenge as the authorization request carries it, and
//! the check of a verifier against it. The method `plain` is refused like any other.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 of the verifier the client keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// `None` unless it is the unpadded base64url text of 32 bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// As an authorization request carries it.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Whether `verifier` has the form RFC 7636 §4.1 asks for and hashes to this challenge.
    #[must_use]
    pub fn accepts(&self, verifier: &str) -> bool {
        let hashed: [u8; 32] = Sha256::digest(verifier.as_bytes()).into();
        is_verifier(verifier) && bool::from(hashed.ct_eq(&self.0))
    }
}

fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::CodeChallenge;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn only_the_verifier_of_the_challenge_is_accepted() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        for wrong in ["", "short", CHALLENGE, &VERIFIER.to_lowercase(), &format!("{VERIFIER}=")] {
            assert!(!challenge.accepts(wrong), "{wrong}");
        }
        assert!(challenge.accepts(VERIFIER));
    }

    #[test]
    fn a_challenge_is_32_bytes_of_base64url() {
        for wrong in
            ["", "plain", &CHALLENGE[1..], &format!("{CHALLENGE}="), &CHALLENGE.replace('-', "+")]
        {
            assert_eq!(CodeChallenge::parse(wrong), None, "{wrong}");
        }
    }
}
