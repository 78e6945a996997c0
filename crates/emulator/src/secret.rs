//! Secrets of the emulated service: API key, authorization codes, access tokens, passwords and
//! verifiers as received. Compared in constant time, printed as `[redacted]`. They are development
//! values, but a habit kept here is one that tests of the real thing can rely on.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A value that must not reach a log. `expose` is the only way to its text.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

/// SHA-256 of a secret: what the emulator keeps to recognise it later.
pub type Fingerprint = [u8; 32];

impl Secret {
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_does_not_print_the_secret() {
        assert_eq!(format!("{:?}", Secret::from("sk_test_emulator")), "[redacted]");
    }
}
