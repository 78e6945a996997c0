//! Who is asking: the DPoP proof of a request, its nonce and its single use, before anything is
//! looked up.

use axum::http::{HeaderMap, Method};

use crate::app::App;
use crate::domain::Thumbprint;
use crate::dpop::{self, Expected};
use crate::web::OAuthError;

/// The device key that signed this request. `path` is the endpoint's own, below the issuer.
///
/// # Errors
/// `invalid_dpop_proof` or `use_dpop_nonce`.
pub fn prove(
    app: &App,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
    access_token: Option<&str>,
) -> Result<Thumbprint, OAuthError> {
    const BAD: OAuthError = OAuthError::new(
        "invalid_dpop_proof",
        "the DPoP proof is missing or does not fit the request",
    );
    let mut proofs = headers.get_all("dpop").into_iter();
    let proof = proofs.next().and_then(|proof| proof.to_str().ok());
    let (Some(proof), None) = (proof, proofs.next()) else { return Err(BAD) };
    let expected = Expected { method: method.as_str(), url: &app.issuer.url(path), access_token };
    let proof = dpop::verify(proof, &expected).map_err(|reason| {
        tracing::info!(%reason, "proof refused");
        BAD
    })?;
    let fresh = proof
        .nonce
        .as_deref()
        .is_some_and(|nonce| app.keys.check_dpop_nonce(nonce, app.now()).is_ok());
    if !fresh {
        return Err(OAuthError::new(
            "use_dpop_nonce",
            "the proof must carry the nonce of this answer",
        ));
    }
    if !app.seen.first_sight(proof.thumbprint, &proof.jti) {
        tracing::warn!("a proof came twice");
        return Err(BAD);
    }
    Ok(proof.thumbprint)
}
