//! What the client is told and given here: the companion, the words of the listener's pages, this
//! machine's clock, randomness and keychain. It sends no request.

use std::sync::Arc;

use keyport_client::browser::Browser;
use keyport_client::config::{self, Channel, Config, SettingsError};
use keyport_client::keychain::{Keychain, MemoryKeychain, SystemKeychain};
use keyport_client::platform::{Platform, SystemClock, SystemRandomness};
use keyport_core::{Problem, Store};
use keyport_messages::Messages;

/// The settings, with the flag over all the others.
///
/// # Errors
/// What is set wrongly, and where.
pub fn config(companion: Option<&str>) -> Result<Config, SettingsError> {
    let channel = Channel::of_build();
    Ok(Config {
        companion: config::companion(companion)?,
        channel,
        device_name: device_name(),
        words: Messages::english(),
    })
}

/// This machine. A session that shall live in memory gets a keychain in memory too: the real one is
/// not even asked.
///
/// # Errors
/// [`Problem::Internal`] when the system has no thread to give.
pub fn platform(browser: Arc<dyn Browser>, store: Store) -> Result<Platform, Problem> {
    let keychain: Arc<dyn Keychain> = match store {
        Store::Memory => Arc::new(MemoryKeychain::default()),
        Store::Keychain => {
            let service = Channel::of_build().service;
            Arc::new(SystemKeychain::of(service).map_err(|_| Problem::Internal)?)
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

/// What this machine calls itself; empty if it does not say.
fn device_name() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    name
}
