//! Key material: one key file and everything that is derived from it. Seals, MACs, token formats
//! and signatures are here; the primitives are aws-lc's and jsonwebtoken's, none is ours.

mod access_token;
mod code;
mod csrf_token;
mod file;
mod material;
mod nonce;
mod refresh_token;
mod thumbprint;

pub use access_token::{AccessClaims, AccessTokenError, AccessTokenKey, Confirmation};
pub use code::AuthorizationCode;
pub use file::{KeyFile, KeyFileError};
pub use material::{Keys, Purpose, SealError};
pub use nonce::NonceError;
pub use refresh_token::{RefreshToken, RefreshTokenError};
pub use thumbprint::p256_thumbprint;

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
