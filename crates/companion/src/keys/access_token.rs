//! Access tokens: `at+jwt` (RFC 9068), ES256, bound to the device key by `cnf.jkt` (RFC 9449). The
//! algorithm is pinned, the header never chooses it; the key is derived from the key file and its
//! `kid` is its RFC 7638 thumbprint.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::agreement;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};

use super::p256_thumbprint;
use crate::domain::{SecretArray, SecretText};
use crate::domain::{SessionId, Thumbprint, Timestamp, UserId};

const TYPE: &str = "at+jwt";

/// How far `iat` may be ahead of our own clock: 60 s, for a clock that was corrected meanwhile.
const LEEWAY: Duration = Duration::from_secs(60);

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer, byte-equal to the metadata.
    pub iss: String,
    /// Audience.
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The session.
    pub sid: SessionId,
    /// The client.
    pub client_id: String,
    /// The organization of the sign-in, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    /// The connection of the sign-in, if the upstream names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// When the person signed in, seconds since the epoch.
    pub auth_time: i64,
    /// Space-separated.
    pub scope: String,
    /// The device key.
    pub cnf: Confirmation,
    /// Unique id of this token.
    pub jti: String,
    /// Issued at, seconds since the epoch.
    pub iat: i64,
    /// First second at which it is refused.
    pub exp: i64,
}

/// `cnf` of RFC 7800 with the thumbprint of RFC 9449 §6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The thumbprint of the device key.
    pub jkt: Thumbprint,
}

/// Why an access token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// Not a token that this service has signed for this issuer and audience.
    #[error("not an access token of this service")]
    Invalid,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
    /// It was signed by a clock that is ahead of the present one, and could be used for as long as
    /// the two differ.
    #[error("the access token is of the future")]
    Future,
}

/// The ES256 key of access tokens. The pair is kept as aws-lc has it: a JWT library would read and
/// check it anew for each token, which costs as much as the signature.
pub struct AccessTokenKey {
    kid: String,
    x: String,
    y: String,
    pair: EcdsaKeyPair,
    decoding: DecodingKey,
}

impl fmt::Debug for AccessTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessTokenKey({})", self.kid)
    }
}

impl AccessTokenKey {
    /// `scalar(n)` gives 32 bytes; the first one that is a valid P-256 scalar is the key. One in
    /// 2^32 is not.
    #[expect(clippy::expect_used, reason = "256 derived scalars cannot all be outside P-256")]
    pub(super) fn derive(scalar: impl Fn(u8) -> SecretArray<32>) -> Self {
        (0..=u8::MAX).find_map(|n| Self::from_scalar(&scalar(n))).expect("a P-256 scalar")
    }

    fn from_scalar(scalar: &SecretArray<32>) -> Option<Self> {
        let private =
            agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar.expose()).ok()?;
        let public = private.compute_public_key().ok()?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            scalar.expose(),
            public.as_ref(),
        )
        .ok()?;
        // Uncompressed point: 0x04 ‖ x ‖ y.
        let (x, y) = public.as_ref().get(1..65)?.split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Some(Self {
            kid: p256_thumbprint(&x, &y).to_string(),
            pair,
            decoding: DecodingKey::from_ec_components(&x, &y).ok()?,
            x,
            y,
        })
    }

    /// The key's id: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a JWK set (RFC 7517).
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y,
            "kid": self.kid, "use": "sig", "alg": "ES256",
        }]})
    }

    /// Signs.
    pub fn sign(&self, claims: &AccessClaims) -> SecretText {
        self.sign_as(TYPE, claims)
    }

    /// A JWS in its compact form (RFC 7515 §7.1).
    #[expect(clippy::expect_used, reason = "plain claims and a key that was checked when made")]
    pub(super) fn sign_as(&self, typ: &str, claims: &AccessClaims) -> SecretText {
        let header = serde_json::json!({ "typ": typ, "alg": "ES256", "kid": self.kid });
        let claims = serde_json::to_vec(claims).expect("plain claims");
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let digest = digest(&SHA256, token.as_bytes());
        let signature = self.pair.sign_digest(&digest).expect("ES256 signature");
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        SecretText::new(token)
    }

    /// Verifies signature, type, key id, issuer, audience and lifetime. The clock is our own, so
    /// there is no leeway at the end and little at the beginning.
    pub fn verify(
        &self,
        token: &str,
        issuer: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<AccessClaims, AccessTokenError> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        // jsonwebtoken would read the ambient clock.
        validation.validate_exp = false;
        let token = jsonwebtoken::decode::<AccessClaims>(token, &self.decoding, &validation)
            .map_err(|_| AccessTokenError::Invalid)?;
        if token.header.typ.as_deref() != Some(TYPE)
            || token.header.kid.as_deref() != Some(self.kid.as_str())
        {
            return Err(AccessTokenError::Invalid);
        }
        if now.has_reached(Timestamp::from_seconds(token.claims.exp)) {
            return Err(AccessTokenError::Expired);
        }
        if Timestamp::from_seconds(token.claims.iat) > now.plus(LEEWAY) {
            return Err(AccessTokenError::Future);
        }
        Ok(token.claims)
    }
}
