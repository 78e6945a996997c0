//! The DPoP nonce of the server (RFC 9449 §8): a MAC over a window of 60 seconds. Nothing is
//! stored, every instance with the same key file accepts it; the current and the previous window
//! count, so a nonce lives 60 to 120 seconds.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Keys;
use crate::domain::Timestamp;

const WINDOW_SECONDS: i64 = 60;
const MAC: usize = 16;

/// The nonce is not one of ours or too old: answer `use_dpop_nonce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the nonce is not fresh")]
pub struct NonceError;

impl Keys {
    /// The nonce to hand out at `now`.
    pub fn dpop_nonce(&self, now: Timestamp) -> String {
        let window = now.seconds().div_euclid(WINDOW_SECONDS).to_be_bytes();
        let tag = hmac::sign(&self.nonce_mac, &window);
        URL_SAFE_NO_PAD.encode([&window[..], &tag.as_ref()[..MAC]].concat())
    }

    /// Accepts a nonce of the current or the previous window.
    pub fn check_dpop_nonce(&self, nonce: &str, now: Timestamp) -> Result<(), NonceError> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).map_err(|_| NonceError)?;
        let (window, presented) = bytes.split_first_chunk::<8>().ok_or(NonceError)?;
        let tag = hmac::sign(&self.nonce_mac, window);
        aws_lc_rs::constant_time::verify_slices_are_equal(&tag.as_ref()[..MAC], presented)
            .map_err(|_| NonceError)?;
        let current = now.seconds().div_euclid(WINDOW_SECONDS);
        let age = current.checked_sub(i64::from_be_bytes(*window)).ok_or(NonceError)?;
        if matches!(age, 0 | 1) { Ok(()) } else { Err(NonceError) }
    }
}
