//! Checks a DPoP proof (RFC 9449 §4.3) by hand, without the library that made it.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The proof's key thumbprint, its `jti` and its nonce. Panics where the proof is not about this
/// request.
pub fn check(
    proof: &str,
    method: &str,
    url: &str,
    access_token: Option<&str>,
) -> (String, String, Option<String>) {
    let parts: Vec<&str> = proof.split('.').collect();
    assert_eq!(parts.len(), 3, "a compact JWS");
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
    let header: Value = serde_json::from_slice(&decode(parts[0])).expect("a header");
    assert_eq!((&header["typ"], &header["alg"]), (&"dpop+jwt".into(), &"ES256".into()));
    let jwk = &header["jwk"];
    assert!(jwk.get("d").is_none(), "a proof carries the public key alone");
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        point.extend(decode(jwk[coordinate].as_str().expect("a coordinate")));
    }
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &decode(parts[2]))
        .expect("signed by the key that it shows");
    let claims: Value = serde_json::from_slice(&decode(parts[1])).expect("claims");
    assert_eq!((&claims["htm"], &claims["htu"]), (&method.into(), &url.into()));
    let ath = access_token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    assert_eq!(claims.get("ath").and_then(Value::as_str), ath.as_deref());
    let thumbprint = format!("{}.{}", jwk["x"], jwk["y"]);
    let text = |claim: &str| claims[claim].as_str().map(str::to_owned);
    (thumbprint, text("jti").expect("a jti"), text("nonce"))
}
