//! The thumbprint of a public key (RFC 7638 §3): one spelling of the key has one digest.

use sha2::{Digest as _, Sha256};

use crate::domain::Thumbprint;

/// Of a P-256 key; `x` and `y` are its coordinates in base64url without padding.
pub fn p256_thumbprint(x: &str, y: &str) -> Thumbprint {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Thumbprint::from_bytes(Sha256::digest(canonical).into())
}
