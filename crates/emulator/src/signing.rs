//! The key with which AuthKit signs access tokens (RS256), and its public half as a JWK Set
//! (RFC 7517, with the certificate members that WorkOS publishes).

use anyhow::{Context, anyhow};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

pub struct SigningKey {
    key: EncodingKey,
    key_id: String,
    jwks: Value,
}

impl SigningKey {
    /// # Errors
    /// When the machine has no random numbers.
    pub fn generate() -> anyhow::Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow!("no RSA key"))?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| anyhow!("no PKCS #8"))?;
        let certified = rcgen::KeyPair::try_from(pkcs8.as_ref()).context("the RSA key")?;
        let certificate = rcgen::CertificateParams::new(vec!["emulator.test".to_owned()])?
            .self_signed(&certified)
            .context("the certificate")?;
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.der()));
        let key_id = format!("sso_oidc_key_pair_{}", &thumbprint[..26]);
        let key = EncodingKey::from_rsa_pem(certified.serialize_pem().as_bytes())?;
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::RS256)?)?;
        jwk["kid"] = json!(key_id);
        jwk["use"] = json!("sig");
        jwk["x5c"] = json!([STANDARD.encode(certificate.der())]);
        jwk["x5t#S256"] = json!(thumbprint);
        let jwks = json!({ "keys": [jwk] });
        Ok(Self { key, key_id, jwks })
    }

    /// # Errors
    /// When the key cannot sign.
    pub fn sign(&self, claims: &impl Serialize) -> anyhow::Result<Secret> {
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::RS256) };
        Ok(Secret::from(encode(&header, claims, &self.key)?))
    }

    #[must_use]
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
