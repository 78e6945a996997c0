//! A device key of the tests and its proofs, written from RFC 9449 alone. It shares no code with
//! our client.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A device key: ES256.
pub struct DeviceKey {
    signing: EncodingKey,
    jwk: Value,
}

impl DeviceKey {
    /// A new key.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn draw() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let point = pair.public_key().as_ref();
        let coordinate = |at: usize| URL_SAFE_NO_PAD.encode(&point[at..at + 32]);
        let jwk = json!({ "crv": "P-256", "kty": "EC", "x": coordinate(1), "y": coordinate(33) });
        let document = pair.to_pkcs8v1()?;
        Ok(Self { signing: EncodingKey::from_ec_der(document.as_ref()), jwk })
    }

    /// RFC 9449 §4.2.
    ///
    /// # Errors
    /// When signing fails.
    pub fn proof(
        &self,
        method: &str,
        url: &str,
        nonce: Option<&str>,
        access: Option<&str>,
    ) -> Result<String> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(serde_json::from_value(self.jwk.clone())?);
        let mut claims = json!({ "jti": random(16)?, "htm": method, "htu": url, "iat": now() });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        if let Some(access) = access {
            claims["ath"] = URL_SAFE_NO_PAD.encode(Sha256::digest(access)).into();
        }
        Ok(jsonwebtoken::encode(&header, &claims, &self.signing)?)
    }
}

/// Random bytes in base64url.
///
/// # Errors
/// When the machine has no randomness.
pub fn random(bytes: usize) -> Result<String> {
    let mut drawn = vec![0; bytes];
    SystemRandom::new().fill(&mut drawn)?;
    Ok(URL_SAFE_NO_PAD.encode(drawn))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
