//! One DPoP proof (RFC 9449 §4.3): a JWS by the device key that names the request. ES256 only, the
//! curve of TPM and Secure Enclave. Says whose proof it is; whether nonce and `jti` are acceptable
//! is asked elsewhere.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

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
pub struct Proof {
    /// RFC 7638 SHA-256 thumbprint of the device key.
    pub thumbprint: String,
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
pub fn verify(compact: &str, expected: &Expected<'_>) -> Result<Proof, ProofError> {
    if compact.len() > LONGEST {
        return Err(ProofError::Malformed);
    }
    let header = decode_header(compact).map_err(|_| ProofError::Malformed)?;
    if header.alg != Algorithm::ES256 || header.typ.as_deref() != Some("dpop+jwt") {
        return Err(ProofError::Algorithm);
    }
    let key = header.jwk.ok_or(ProofError::Key)?;
    refuse_private_parts(compact)?;
    let thumbprint = thumbprint(&key)?;
    let decoding = DecodingKey::from_jwk(&key).map_err(|_| ProofError::Key)?;
    let claims = signed_claims(compact, &decoding)?;
    check_request(&claims, expected)?;
    Ok(Proof { thumbprint, jti: claims.jti, nonce: claims.nonce })
}

fn signed_claims(compact: &str, key: &DecodingKey) -> Result<Claims, ProofError> {
    let mut rules = Validation::new(Algorithm::ES256);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_aud = false;
    let decoded = decode::<Claims>(compact, key, &rules).map_err(|error| match error.kind() {
        jsonwebtoken::errors::ErrorKind::InvalidSignature => ProofError::Signature,
        _ => ProofError::Malformed,
    })?;
    Ok(decoded.claims)
}

fn check_request(claims: &Claims, expected: &Expected<'_>) -> Result<(), ProofError> {
    if claims.jti.is_empty() || claims.jti.len() > LONGEST_JTI {
        return Err(ProofError::Malformed);
    }
    let mut address = Url::parse(&claims.htu).map_err(|_| ProofError::Malformed)?;
    address.set_query(None);
    address.set_fragment(None);
    if claims.htm != expected.method || address != *expected.url {
        return Err(ProofError::OtherRequest);
    }
    let ath = expected.access_token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    if ath.is_some() && claims.ath != ath {
        return Err(ProofError::OtherToken);
    }
    Ok(())
}

/// Coordinates must be the one base64url spelling of 32 bytes, or one key would have many
/// thumbprints.
fn thumbprint(key: &Jwk) -> Result<String, ProofError> {
    let AlgorithmParameters::EllipticCurve(point) = &key.algorithm else {
        return Err(ProofError::Key);
    };
    if point.curve != EllipticCurve::P256 {
        return Err(ProofError::Key);
    }
    for coordinate in [&point.x, &point.y] {
        if URL_SAFE_NO_PAD.decode(coordinate).map_err(|_| ProofError::Key)?.len() != 32 {
            return Err(ProofError::Key);
        }
    }
    Ok(key.thumbprint(ThumbprintHash::SHA256))
}

/// The JWT library drops fields it does not know, and `d` among them: a client that leaks its
/// private key is told so.
fn refuse_private_parts(compact: &str) -> Result<(), ProofError> {
    let head = compact.split('.').next().ok_or(ProofError::Malformed)?;
    let head = URL_SAFE_NO_PAD.decode(head).map_err(|_| ProofError::Malformed)?;
    let head: serde_json::Value =
        serde_json::from_slice(&head).map_err(|_| ProofError::Malformed)?;
    match head.pointer("/jwk/d").or_else(|| head.get("crit")) {
        Some(_) => Err(ProofError::Key),
        None => Ok(()),
    }
}
