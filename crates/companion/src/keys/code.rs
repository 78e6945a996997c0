//! The authorization code: 256 random bits, base64url. Storage keeps its SHA-256 only (RFC 6749
//! §10.5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::domain::{Random, SecretArray, SecretText};

/// An authorization code.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthorizationCode(SecretText);

impl AuthorizationCode {
    /// Draws one.
    pub fn draw(random: &dyn Random) -> Self {
        let mut bytes = SecretArray::new([0; 32]).expose().to_owned();
        random.fill(&mut bytes);
        let code = Self(SecretText::new(URL_SAFE_NO_PAD.encode(bytes)));
        zeroize::Zeroize::zeroize(&mut bytes);
        code
    }

    /// As received; whether it is one of ours only storage knows.
    pub fn received(text: impl Into<String>) -> Self {
        Self(SecretText::new(text))
    }

    /// The text, for the redirect.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What storage keeps. No salt: the code has 256 bits of its own.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose().as_bytes()).into()
    }
}
