//! Secrets are types from the first byte.
//!
//! No `Display`, no `Serialize`, no `Deref`; `Debug` prints `[redacted]`; equality takes the same
//! time whatever differs; the memory is wiped on drop. [`expose`](RefreshToken::expose) is the one
//! way out, and a test counts the files that use it.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

macro_rules! secret {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(String);

        impl $name {
            /// Takes the value over; the caller keeps no copy.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The value itself, for the wire and the keychain alone.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "[redacted]"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
            }
        }

        impl Eq for $name {}

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }
    )*};
}

secret! {
    /// `state`, RFC 6749 §4.1.1: ties a callback to the receiver that waits for it.
    State;
    /// `code_verifier`, RFC 7636 §4.1.
    CodeVerifier;
    /// `code`, RFC 6749 §4.1.2.
    AuthorizationCode;
    /// An access token, RFC 6749 §1.4.
    AccessToken;
    /// A refresh token, RFC 6749 §1.5.
    RefreshToken;
    /// The URL that starts the browser part. Who has it can begin an authorization of this attempt:
    /// it stays out of logs and webviews.
    AuthorizationUrl;
    /// A redirect as it arrived, before anything of it is believed.
    RawCallback;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_its_name_and_nothing_else() {
        assert_eq!(format!("{:?}", RefreshToken::new("kpr_canary")), "RefreshToken[redacted]");
    }

    #[test]
    fn secrets_are_equal_by_value() {
        assert_eq!(State::new("a"), State::new("a"));
        assert_ne!(State::new("a"), State::new("b"));
        assert_ne!(State::new("a"), State::new("ab"));
    }
}
