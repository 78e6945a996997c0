//! What the client is told and given by this app: companion, build channel, way back, device name, words, and this machine's
//! browser, clipboard, keychain, clock and randomness. A setting that is wrong is an error, never a reason to guess.

use std::io;
use std::sync::Arc;

use keyport_client::config::{self, Channel, Config, ListenerWords, SettingsTrouble};
use keyport_client::keychain::SystemKeychain;
use keyport_client::loopback::Notice;
use keyport_client::{Platform, SystemClock, SystemRandomness};
use keyport_core::Door;
use keyport_words::Words;
use thiserror::Error;
use tokio::sync::broadcast;

use crate::platform::{DesktopBrowser, DesktopClipboard};

/// Chooses the way back from the browser: `link` (unless set) or `loopback`, for machines where links do not arrive.
pub const DOOR_VARIABLE: &str = "KEYPORT_DOOR";

/// Why there can be no client. For whoever looks after the machine; it holds no secret.
#[derive(Debug, Error)]
pub enum Trouble {
    /// The companion.
    #[error(transparent)]
    Companion(#[from] SettingsTrouble),
    /// The way back.
    #[error("{DOOR_VARIABLE} is neither link nor loopback")]
    Door,
    /// The system gave no thread for the keychain.
    #[error("the keychain could not be reached")]
    Keychain(#[source] io::Error),
}

/// The client's settings and surroundings, and the way back that it starts with.
///
/// # Errors
/// What is set wrongly.
pub fn read(
    words: &Words,
    device: &str,
    said: broadcast::Sender<&'static str>,
) -> Result<(Config, Platform, Door), Trouble> {
    let channel = Channel::of_build();
    let door = door(std::env::var(DOOR_VARIABLE).ok().as_deref())?;
    let config = Config {
        companion: config::companion(None)?,
        channel,
        device_name: device.to_owned(),
        words: listener_words(words),
    };
    let platform = Platform {
        browser: Arc::new(DesktopBrowser),
        clipboard: Some(Arc::new(DesktopClipboard::new(said))),
        keychain: Arc::new(SystemKeychain::of(channel.service).map_err(Trouble::Keychain)?),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandomness),
    };
    Ok((config, platform, door))
}

fn door(set: Option<&str>) -> Result<Door, Trouble> {
    match set {
        None | Some("" | "link") => Ok(Door::Link),
        Some("loopback") => Ok(Door::Loopback),
        Some(_) => Err(Trouble::Door),
    }
}

/// What people call this device, as far as the system knows.
#[must_use]
pub fn device_name() -> String {
    whoami::devicename().or_else(|_| whoami::hostname()).unwrap_or_default()
}

fn listener_words(words: &Words) -> ListenerWords {
    let notice = |what: &str| Notice {
        title: words.text(&format!("listener-{what}-title"), &[]),
        sentence: words.text(&format!("listener-{what}-text"), &[]),
    };
    ListenerWords {
        language: "en".to_owned(),
        right_to_left: false,
        not_waiting: notice("not-waiting"),
        finished: notice("finished"),
        unanswered: notice("unanswered"),
    }
}
