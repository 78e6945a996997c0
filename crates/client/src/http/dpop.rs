//! The device key and its proofs of possession, RFC 9449: ES256 alone, the curve of TPM and Secure
//! Enclave. Does not keep the key (see `session::device`) and sends nothing.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use keyport_core::Moment;
use keyport_core::secret::AccessToken;
use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

/// The bytes are no P-256 key, or none could be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a device key")]
pub struct KeyError;

/// This device's key. Every session is bound to one.
pub struct DeviceKey {
    pkcs8: Zeroizing<Vec<u8>>,
    signing: EncodingKey,
    public: Jwk,
}

impl DeviceKey {
    /// A new key.
    ///
    /// # Errors
    /// [`KeyError`] when the library gives none.
    pub fn draw() -> Result<Self, KeyError> {
        let drawn =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self::of_pkcs8(drawn.map_err(|_| KeyError)?.as_ref())
    }

    /// A key as `pkcs8` gave it.
    ///
    /// # Errors
    /// [`KeyError`] if it is none.
    pub fn of_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| KeyError)?;
        let signing = EncodingKey::from_ec_der(pkcs8);
        let public = Jwk::from_encoding_key(&signing, Algorithm::ES256).map_err(|_| KeyError)?;
        Ok(Self { pkcs8: Zeroizing::new(pkcs8.to_vec()), signing, public })
    }

    /// What the companion binds tokens to: the thumbprint of the public half (RFC 7638).
    pub(crate) fn thumbprint(&self) -> String {
        self.public.thumbprint(ThumbprintHash::SHA256)
    }

    /// The private key, for the keychain alone.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn prove(&self, about: &About<'_>) -> Result<Proof, KeyError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.public.clone());
        let mut address = about.url.clone();
        address.set_query(None);
        address.set_fragment(None);
        let claims = Claims {
            jti: URL_SAFE_NO_PAD.encode(about.jti),
            htm: about.method,
            htu: address.as_str(),
            iat: about.now.0 / 1000,
            nonce: about.nonce,
            ath: about
                .access_token
                .map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose()))),
        };
        let proof = jsonwebtoken::encode(&header, &claims, &self.signing);
        Ok(Proof(Zeroizing::new(proof.map_err(|_| KeyError)?)))
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey[redacted]")
    }
}

/// A proof for one request. Good for that one alone, and nothing for a log all the same.
#[derive(Clone)]
pub struct Proof(Zeroizing<String>);

impl Proof {
    /// For the `DPoP` header.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof[redacted]")
    }
}

/// The request that a proof is about, RFC 9449 §4.2.
pub(crate) struct About<'a> {
    pub method: &'a str,
    pub url: &'a Url,
    /// 128 random bits.
    pub jti: [u8; 16],
    pub now: Moment,
    pub nonce: Option<&'a str>,
    /// Of the same request, where there is one.
    pub access_token: Option<&'a AccessToken>,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    htu: &'a str,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::Value;

    use super::*;

    fn claims(key: &DeviceKey, about: &About<'_>) -> Value {
        let proof = key.prove(about).unwrap();
        let proof = proof.expose();
        let header = jsonwebtoken::decode_header(proof).unwrap();
        assert_eq!(header.typ.as_deref(), Some("dpop+jwt"));
        let mut rules = Validation::new(Algorithm::ES256);
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        let public = DecodingKey::from_jwk(&header.jwk.unwrap()).unwrap();
        jsonwebtoken::decode::<Value>(proof, &public, &rules).unwrap().claims
    }

    #[test]
    fn a_proof_names_its_request_and_verifies_with_its_own_key() {
        let url = Url::parse("https://a.test/oauth/userinfo?x=1#y").unwrap();
        let token = AccessToken::new("at");
        let about = About {
            method: "GET",
            url: &url,
            jti: [7; 16],
            now: Moment(12_345),
            nonce: Some("n"),
            access_token: Some(&token),
        };
        let claims = claims(&DeviceKey::draw().unwrap(), &about);
        assert_eq!(
            claims,
            serde_json::json!({
                "jti": URL_SAFE_NO_PAD.encode([7; 16]),
                "htm": "GET",
                "htu": "https://a.test/oauth/userinfo",
                "iat": 12,
                "nonce": "n",
                "ath": URL_SAFE_NO_PAD.encode(Sha256::digest("at")),
            })
        );
    }

    #[test]
    fn a_key_survives_the_keychain_and_its_public_half_alone_is_shown() {
        let key = DeviceKey::draw().unwrap();
        let again = DeviceKey::of_pkcs8(key.pkcs8()).unwrap();
        assert_eq!(again.public, key.public);
        assert!(serde_json::to_value(&key.public).unwrap().get("d").is_none());
        assert!(key.pkcs8().len() < 200);
        assert_eq!(DeviceKey::of_pkcs8(b"not a key").err(), Some(KeyError));
    }
}
