//! The service on a real port, a provider that answers as WorkOS does, a device and a browser.
//! Nothing is shared with the code under test: proofs, challenges and cookies are made here from
//! the RFCs.

mod browser;
mod device;
mod provider;
mod service;
mod user_management;

pub const API_KEY: &str = "sk_test_planted_key";
pub const REDIRECT: &str = "http://127.0.0.1:9/callback";
pub const SCHEME: &str = "dev.keyport.desktop:/callback";
pub const NOON: i64 = 1_800_000_000;

pub use browser::*;
pub use device::*;
pub use provider::*;
pub use service::*;
