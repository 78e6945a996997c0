//! The identifiers of the companion: random bytes with one text form each. None of them is a secret
//! that opens anything alone; codes and tokens are not here but in [`crate::keys`].

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::Random;

/// The text is not an identifier of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed identifier")]
pub struct IdError;

fn read_hex(text: &str) -> Result<[u8; 16], IdError> {
    let mut bytes = [0; 16];
    let read = base16ct::lower::decode(text, &mut bytes).map_err(|_| IdError)?;
    if read.len() == 16 { Ok(bytes) } else { Err(IdError) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The 128 bits as they are stored.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 128 bits as they are stored.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// A new one, from 128 random bits.
            pub fn draw(random: &dyn Random) -> Self {
                let mut bytes = [0; 16];
                random.fill(&mut bytes);
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                f.write_str(&base16ct::lower::encode_string(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                read_hex(text.strip_prefix($prefix).ok_or(IdError)?).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One user, `sub` of the access token. Text: `user_` and 32 hex digits.
    UserId "user_";
    /// One session, `sid` of the access token. Text: `session_` and 32 hex digits.
    SessionId "session_";
    /// One grant, the opaque part of `/handoff/{grant}`. Text: 32 hex digits.
    GrantId "";
    /// One refresh-token family.
    FamilyId "";
    /// One pushed authorization request; drawn at PAR, sealed into its `request_uri`.
    RequestId "";
    /// One opening of a pushed request in a browser; drawn at authorize, sealed into the upstream
    /// `state`.
    UpstreamAuthorizationId "";
    /// The client's attempt: 128 bits, 32 lower-case hex digits on the wire.
    AttemptId "";
    /// One running instance, as the one that reads the provider's list of events.
    FeedHolder "";
}

macro_rules! digests {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The digest as it is stored.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The digest as it is stored.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| IdError)?;
                bytes.try_into().map(Self).map_err(|_| IdError)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

digests! {
    /// SHA-256 thumbprint of a device key (RFC 7638), `jkt` of RFC 9449. Text: base64url.
    Thumbprint;
    /// SHA-256 of the browser cookie, so that the hand-off stays in the browser that signed in.
    BrowserHash;
}
