//! What the client is told and given here: the companion, and this machine's clock, randomness and
//! keychain. It sends no request.

use std::sync::Arc;

use keyport_client::browser::Browser;
use keyport_client::config::{self, Channel, Config, SettingsError};
use keyport_client::keychain::{Keychain, MemoryKeychain, SystemKeychain};
use keyport_client::platform::{Platform, SystemClock, SystemRandomness};
use keyport_core::{Problem, SessionStore};

/// The settings, with the flag over all the others.
///
/// # Errors
/// What is set wrongly, and where.
pub fn config(companion: Option<&str>) -> Result<Config, SettingsError> {
    config::companion(companion).map(Config::of)
}

/// This machine. A session that shall live in memory gets a keychain in memory too: the real one is
/// not even asked.
///
/// # Errors
/// [`Problem::Internal`] when the system has no thread to give.
pub fn platform(browser: Arc<dyn Browser>, store: SessionStore) -> Result<Platform, Problem> {
    let keychain: Arc<dyn Keychain> = match store {
        SessionStore::Memory => Arc::new(MemoryKeychain::default()),
        SessionStore::Keychain => {
            let channel = Channel::of_build();
            Arc::new(SystemKeychain::of(channel.service()).map_err(|_| Problem::Internal)?)
        }
    };
    Ok(Platform {
        browser,
        clipboard: None,
        keychain,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandomness),
    })
}
