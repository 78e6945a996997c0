//! One DPoP proof (RFC 9449 §4.3): a JWS by the device key that names the request. ES256 only, the
//! curve of TPM and Secure Enclave. Says whose proof it is; whether nonce and `jti` are acceptable
//! is asked elsewhere.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use url::Url;

use crate::domain::Thumbprint;
use crate::keys::p256_thumbprint;

/// Longest proof that is looked at, in bytes.
const LONGEST: usize = 4096;
/// Longest `jti`, in bytes.
const LONGEST_JTI: usize = 256;

/// The request that the proof must be about.
pub struct Expected<'a> {
    /// HTTP method, upper case.
    pub method: &'a str,
    /// The endpoint as the metadata names it; never the `Host` header.
    pub url: &'a Url,
    /// The access token of the same request, where there is one (`ath`).
    pub access_token: Option<&'a str>,
}

/// A proof whose signature and claims fit the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    /// RFC 7638 SHA-256 thumbprint of the device key.
    pub thumbprint: Thumbprint,
    /// The proof's own id.
    pub jti: String,
    /// The server nonce it carries.
    pub nonce: Option<String>,
}

/// Why a proof is no good. For the log; the client hears `invalid_dpop_proof`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Too long, not a JWS, or claims missing.
    #[error("the proof is malformed")]
    Malformed,
    /// Not `dpop+jwt` or not ES256.
    #[error("the proof has the wrong type or algorithm")]
    Algorithm,
    /// Not a public P-256 key in canonical form.
    #[error("the proof's key is not a public P-256 key")]
    Key,
    /// Signed by another key.
    #[error("the proof's signature does not match")]
    Signature,
    /// Made for another request.
    #[error("the proof is about another request")]
    OtherRequest,
    /// Made for another access token.
    #[error("the proof is about another access token")]
    OtherToken,
}

/// The header, as far as it counts.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    jwk: Option<DeviceKey>,
    /// Extensions that would have to be understood (RFC 7515 §4.1.11); none is.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// The key of the header. One that is not an elliptic one has other members.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DeviceKey {
    kty: String,
    crv: String,
    x: String,
    y: String,
    /// The private part: a client that leaks it is told so.
    #[serde(deserialize_with = "present")]
    d: bool,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    // Only its presence counts: the nonce says how fresh the proof is, so a wrong clock signs in.
    #[serde(rename = "iat")]
    _iat: serde_json::Number,
    nonce: Option<String>,
    ath: Option<String>,
}

/// Checks `compact` against the request.
///
/// # Errors
/// The first rule of RFC 9449 §4.3 that does not hold.
pub fn verify(compact: &str, expected: &Expected<'_>) -> Result<VerifiedProof, ProofError> {
    if compact.len() > LONGEST {
        return Err(ProofError::Malformed);
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(ProofError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(ProofError::Malformed)?;
    let header: Header = part(header)?;
    if header.alg != "ES256" || header.typ.as_deref() != Some("dpop+jwt") {
        return Err(ProofError::Algorithm);
    }
    let key = header.jwk.filter(|key| !key.d && !header.crit).ok_or(ProofError::Key)?;
    let (thumbprint, key) = public_key(&key)?;
    match crypto::verify(signature, signed.as_bytes(), &key, Algorithm::ES256) {
        Ok(true) => {}
        Ok(false) => return Err(ProofError::Signature),
        Err(_) => return Err(ProofError::Malformed),
    }
    let claims: Claims = part(claims)?;
    check_request(&claims, expected)?;
    Ok(VerifiedProof { thumbprint, jti: claims.jti, nonce: claims.nonce })
}

/// One part of the JWS: base64url of JSON.
fn part<T: DeserializeOwned>(encoded: &str) -> Result<T, ProofError> {
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| ProofError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| ProofError::Malformed)
}

/// True for a member that is there, whatever it holds.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(from).map(|_| true)
}

fn check_request(claims: &Claims, expected: &Expected<'_>) -> Result<(), ProofError> {
    if claims.jti.is_empty() || claims.jti.len() > LONGEST_JTI {
        return Err(ProofError::Malformed);
    }
    if claims.htm != expected.method || !is_same_address(&claims.htu, expected.url)? {
        return Err(ProofError::OtherRequest);
    }
    let ath = expected.access_token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    if ath.is_some() && claims.ath != ath {
        return Err(ProofError::OtherToken);
    }
    Ok(())
}

/// RFC 9449 §4.3: without query and fragment, and after normalization (RFC 3986 §6.2.2, §6.2.3).
fn is_same_address(htu: &str, expected: &Url) -> Result<bool, ProofError> {
    // What every client of ours sends; it need not be parsed.
    if htu == expected.as_str() {
        return Ok(true);
    }
    let mut address = Url::parse(htu).map_err(|_| ProofError::Malformed)?;
    address.set_query(None);
    address.set_fragment(None);
    Ok(address == *expected)
}

/// Coordinates must be the one base64url spelling of 32 bytes, or one key would have many
/// thumbprints.
fn public_key(key: &DeviceKey) -> Result<(Thumbprint, DecodingKey), ProofError> {
    if key.kty != "EC" || key.crv != "P-256" {
        return Err(ProofError::Key);
    }
    for coordinate in [&key.x, &key.y] {
        if URL_SAFE_NO_PAD.decode(coordinate).map_err(|_| ProofError::Key)?.len() != 32 {
            return Err(ProofError::Key);
        }
    }
    let public = DecodingKey::from_ec_components(&key.x, &key.y).map_err(|_| ProofError::Key)?;
    Ok((p256_thumbprint(&key.x, &key.y), public))
}
