//! The companion as the client speaks to it: metadata (RFC 8414), pushed requests (RFC 9126),
//! tokens (RFC 6749) with proof of possession (RFC 9449), and the attempt endpoint of
//! `docs/protocol.md`. It keeps no session and decides nothing; every error leaves as a
//! [`Problem`](keyport_core::Problem).

mod account;
mod attempt;
mod companion;
mod discovery;
mod dpop;
mod error;
mod oauth;
mod revocation;
mod sessions;
mod token;
mod wire;

pub use attempt::AttemptStatus;
pub use companion::CompanionClient;
pub use discovery::Issuer;
pub use dpop::{DeviceKey, KeyError, Proof};
pub use error::HttpError;
pub use oauth::Push;
pub(crate) use revocation::{REVOKE, Unkept};
pub(crate) use sessions::Resource;
pub use token::Issued;
