//! Whether a body was sent by WorkOS: `WorkOS-Signature: t=MILLISECONDS, v1=HEX`, an HMAC-SHA256
//! over instant, full stop and raw body. The header is read in the one form in which it is sent,
//! and the instant may be off by three minutes in either direction.

use aws_lc_rs::hmac;
use subtle::{Choice, ConstantTimeEq as _};

use crate::domain::{SecretText, Timestamp};

/// How far the instant may be from our clock: 180 s, as the provider's own libraries have it.
const TOLERANCE_MILLIS: u64 = 180_000;

/// Why a body is not taken as the provider's. For the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SignatureError {
    /// There is none, or several, or not in this form.
    #[error("the signature is missing or malformed")]
    Malformed,
    /// Too old, or of the future.
    #[error("the signature is not of this time")]
    Time,
    /// Of another secret or body.
    #[error("the signature does not match")]
    Mismatch,
}

/// Checks `header` against the body with each of the secrets.
///
/// # Errors
/// See [`SignatureError`].
pub(super) fn check(
    header: &str,
    body: &[u8],
    secrets: &[SecretText],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let (instant, given) = parts(header).ok_or(SignatureError::Malformed)?;
    let sent: i64 = instant.parse().map_err(|_| SignatureError::Malformed)?;
    if sent.abs_diff(now.seconds().saturating_mul(1000)) > TOLERANCE_MILLIS {
        return Err(SignatureError::Time);
    }
    // All are tried, whichever fits.
    let fits = secrets.iter().fold(Choice::from(0), |fits, secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        let mut signed = hmac::Context::with_key(&key);
        for part in [instant.as_bytes(), b".", body] {
            signed.update(part);
        }
        fits | signed.sign().as_ref().ct_eq(&given)
    });
    if bool::from(fits) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

fn parts(header: &str) -> Option<(&str, [u8; 32])> {
    let (instant, signature) = header.strip_prefix("t=")?.split_once(", v1=")?;
    let is_instant =
        (1..=16).contains(&instant.len()) && instant.bytes().all(|b| b.is_ascii_digit());
    let mut bytes = [0; 32];
    let read = base16ct::lower::decode(signature, &mut bytes).ok()?;
    (is_instant && read.len() == 32).then_some((instant, bytes))
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
