//! What the client is told and given by this app: companion, build channel, way back, device name,
//! words, and this machine's browser, clipboard, keychain, clock and randomness. A setting that is
//! wrong is an error, never a reason to guess.

use std::io;
use std::sync::Arc;

use keyport_client::config::{self, Channel, Config, SettingsError};
use keyport_client::keychain::SystemKeychain;
use keyport_client::{Platform, SystemClock, SystemRandomness};
use keyport_core::{CallbackReceiver, ReceiverOrder};
use keyport_messages::Messages;
use thiserror::Error;
use tokio::sync::broadcast;

use crate::platform::{DesktopBrowser, DesktopClipboard};

/// Chooses the way back from the browser: `link` (unless set) or `loopback`, for machines where
/// links do not arrive.
pub const RECEIVER_VARIABLE: &str = "KEYPORT_RECEIVER";

/// Why there can be no client. For whoever looks after the machine; it holds no secret.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The companion.
    #[error(transparent)]
    Companion(#[from] SettingsError),
    /// The way back.
    #[error("{RECEIVER_VARIABLE} is none of: {}", receiver_names())]
    Receiver,
    /// The system gave no thread for the keychain.
    #[error("the keychain could not be reached")]
    Keychain(#[source] io::Error),
}

/// The client's settings and platform, and its callback receivers.
///
/// # Errors
/// What is set wrongly.
pub fn read(
    words: &Messages,
    device: &str,
    said: broadcast::Sender<&'static str>,
) -> Result<(Config, Platform, ReceiverOrder), SetupError> {
    let channel = Channel::of_build();
    let receiver = receiver(std::env::var(RECEIVER_VARIABLE).ok().as_deref())?;
    let config = Config {
        channel: channel.clone(),
        device_name: device.to_owned(),
        words: words.clone(),
        ..Config::of(config::companion(None)?)
    };
    let platform = Platform {
        browser: Arc::new(DesktopBrowser),
        clipboard: Some(Arc::new(DesktopClipboard::new(said))),
        keychain: Arc::new(SystemKeychain::of(channel.service()).map_err(SetupError::Keychain)?),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandomness),
    };
    Ok((config, platform, ReceiverOrder::beginning_with(receiver)))
}

fn receiver(set: Option<&str>) -> Result<CallbackReceiver, SetupError> {
    match set {
        None | Some("") => Ok(CallbackReceiver::Link),
        Some(name) => CallbackReceiver::named(name).ok_or(SetupError::Receiver),
    }
}

fn receiver_names() -> String {
    CallbackReceiver::ALL.map(CallbackReceiver::name).join(", ")
}
