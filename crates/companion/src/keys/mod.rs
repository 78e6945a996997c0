//! Key material: one key file and everything that is derived from it. Seals, MACs, token formats and signatures are
//! here; the primitives are aws-lc's and jsonwebtoken's, none is ours.

mod access_token;
mod code;
mod csrf_token;
mod file;
mod material;
mod nonce;
mod random;
mod refresh_token;
mod secret;

pub use access_token::{AccessClaims, AccessTokenError, AccessTokenKey, Confirmation};
pub use code::AuthorizationCode;
pub use file::{KeyFile, KeyFileError};
pub use material::{Keys, Purpose, Tampered};
pub use nonce::NonceError;
pub use random::{Random, SystemRandom};
pub use refresh_token::{ForgedToken, RefreshToken};
pub use secret::{SecretBytes, SecretText};

#[cfg(test)]
mod tests;
