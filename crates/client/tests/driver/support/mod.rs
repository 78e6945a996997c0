//! What every test here needs: a companion, a desk with a client on it, and the person's moves.

pub mod companion;
pub mod desk;
mod endpoints;
mod gate;
pub mod keychain;
pub mod proof;
mod tokens;

use std::time::Duration;

#[allow(unused_imports, reason = "not every test binary uses all of them")]
pub use companion::{Fault, TestCompanion};
#[allow(unused_imports, reason = "not every test binary uses all of them")]
pub use desk::Desk;
pub use keychain::MoodyKeychain;

/// Longer than anything here may take; reached only when something hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);
