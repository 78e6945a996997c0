//! What every test here needs: a companion, a client on a test keychain, and the person's moves.

pub mod companion;
mod endpoints;
pub mod fixture;
mod gate;
pub mod keychain;
pub mod proof;
mod tokens;

use std::time::Duration;

#[allow(unused_imports, reason = "not every test binary uses all of them")]
pub use companion::{Fault, TestCompanion};
#[allow(unused_imports, reason = "not every test binary uses all of them")]
pub use fixture::ClientFixture;
pub use keychain::FaultyKeychain;

/// Longer than anything here may take; reached only when something hangs.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(20);
