//! Time-based one-time codes (RFC 6238: SHA-1, six digits, 30 seconds, one step of skew), and the
//! picture with which an app on a phone takes the secret over.

use base64::{Engine, engine::general_purpose::STANDARD};
use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::Builder;

use crate::secret::Secret;

/// A TOTP generator with the names that an authenticator shows.
#[derive(Debug)]
pub struct Totp(totp_rs::Totp);

/// A secret from which no generator can be made, or a name with a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTotpError;

impl Totp {
    /// From the secret as base 32; at least 16 bytes.
    ///
    /// # Errors
    /// When the secret or one of the names cannot be used.
    pub fn new(secret: &Secret, issuer: &str, user: &str) -> Result<Self, InvalidTotpError> {
        let secret = totp_rs::Secret::try_from_base32(secret.expose());
        Builder::new()
            .with_secret(secret.map_err(|_| InvalidTotpError)?)
            .with_issuer(Some(issuer))
            .with_account_name(user)
            .build()
            .map(Self)
            .map_err(|_| InvalidTotpError)
    }

    /// The secret of 20 bytes as base 32.
    #[must_use]
    pub fn secret(bytes: [u8; 20]) -> Secret {
        Secret::from(totp_rs::Secret::from(bytes).to_base32())
    }

    /// The number of the 30-second step that `code` belongs to.
    #[must_use]
    pub fn step_of(&self, code: &str, seconds: u64) -> Option<u64> {
        self.0.check(code, seconds)
    }

    /// The code at a time, in seconds since 1970.
    #[must_use]
    pub fn code(&self, seconds: u64) -> String {
        self.0.generate(seconds).to_string()
    }

    /// The `otpauth` URI (Key URI format).
    #[must_use]
    pub fn uri(&self) -> String {
        self.0.to_url().unwrap_or_default()
    }

    /// The URI as a QR code, as a data URI.
    #[must_use]
    pub fn qr_code(&self) -> String {
        let Ok(code) = QrCode::new(self.uri()) else {
            return String::new();
        };
        let svg = code.render::<svg::Color<'_>>().min_dimensions(160, 160).build();
        format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg))
    }
}

#[cfg(test)]
mod tests {
    use super::Totp;
    use crate::secret::Secret;

    // RFC 6238, appendix B, with the first 20 bytes of the secret as base 32.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_the_rfc_and_one_step_off_is_taken() {
        let totp = Totp::new(&Secret::from(SECRET), "Emulator", "ada@acme.test").unwrap();
        assert_eq!(totp.code(59), "287082");
        assert_eq!(totp.code(1_111_111_109), "081804");
        assert_eq!(totp.step_of("287082", 59), Some(1));
        assert_eq!(totp.step_of("287082", 89), Some(1));
        assert_eq!(totp.step_of("287082", 120), None);
        assert!(totp.uri().starts_with("otpauth://totp/"));
        assert!(totp.qr_code().starts_with("data:image/svg+xml;base64,"));
    }

    #[test]
    fn a_secret_that_is_too_short_or_not_base_32_is_refused() {
        for wrong in ["", "GEZDGNBV", "not base 32 at all, and long enough"] {
            assert!(Totp::new(&Secret::from(wrong), "Emulator", "ada").is_err(), "{wrong}");
        }
    }
}
