//! Puts a client together for an app of your own, with a good default for everything but the
//! companion.

use std::io;
use std::sync::Arc;

use keyport_core::{CallbackReceiver, Hints, SessionStore};
use keyport_messages::Messages;
use thiserror::Error;

use crate::browser::{Browser, Desktop, SystemBrowser};
use crate::config::{self, Channel, CompanionUrlError, Config, RedirectUriError};
use crate::keychain::{Keychain, SystemKeychain};
use crate::platform::{Platform, SystemClock, SystemRandomness};
use crate::{Client, Intent, ReceiverOrder, SignInRequest};

/// Why a client cannot be put together.
#[derive(Debug, Error)]
pub enum ClientBuildError {
    /// The companion's address cannot be one.
    #[error("the address of the companion cannot be used: {0}")]
    Companion(#[from] CompanionUrlError),
    /// The app cannot be reached by a link of this redirect URI.
    #[error("the redirect URI of the app {0}")]
    RedirectUri(#[from] RedirectUriError),
    /// The system has no thread to give, or no place for a lock.
    #[error("the keychain cannot be used: {}", .0.kind())]
    Keychain(#[source] io::Error),
}

/// A client that is being put together: see [`Client::builder`].
#[must_use = "nothing is started before build"]
pub struct ClientBuilder {
    companion: String,
    client_id: String,
    channel: Result<Channel, RedirectUriError>,
    device_name: String,
    words: Messages,
    browser: Option<Arc<dyn Browser>>,
    keychain: Option<Arc<dyn Keychain>>,
}

impl Client {
    /// Puts a client of the companion at this address together: Keyport's own unless
    /// [`app`](ClientBuilder::app) is said, with the browser and the keychain of this system.
    pub fn builder(companion: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            companion: companion.into(),
            client_id: config::DEFAULT_CLIENT_ID.to_owned(),
            channel: Ok(Channel::of_build()),
            device_name: config::device_name(),
            words: Messages::english(),
            browser: None,
            keychain: None,
        }
    }

    /// Signs in through the browser and a loopback redirect (RFC 8252 §7.3), and keeps the session
    /// in the keychain. What comes of it is a [`ClientNotice`](crate::ClientNotice): hints that
    /// cannot be meant ([`Hints::check`]) are [`Problem::HintInvalid`](crate::Problem), and nothing
    /// is sent.
    pub fn sign_in(&self, hints: Hints) {
        let receivers = vec![CallbackReceiver::Loopback];
        self.intend(Intent::SignInWith(SignInRequest {
            hints,
            receivers,
            store: SessionStore::Keychain,
        }));
    }
}

impl ClientBuilder {
    /// The client record of your app at the companion: its id, and its private-use redirect URI
    /// such as `com.example.notes:/callback`. The URI's scheme also names the keychain items.
    pub fn app(mut self, client_id: impl Into<String>, redirect_uri: &str) -> Self {
        let scheme = redirect_uri.split(':').next().unwrap_or_default();
        self.channel = Channel::of_app(scheme, redirect_uri);
        self.client_id = client_id.into();
        self
    }

    /// What the confirm page calls this device; unless said, its host name.
    pub fn device_name(mut self, name: impl Into<String>) -> Self {
        self.device_name = name.into();
        self
    }

    /// The words of the pages that a callback receiver shows; unless said, the English ones.
    pub fn words(mut self, words: Messages) -> Self {
        self.words = words;
        self
    }

    /// Opens the companion's pages; unless said, the system's browser.
    pub fn browser(mut self, browser: impl Browser + 'static) -> Self {
        self.browser = Some(Arc::new(browser));
        self
    }

    /// Keeps device key and sessions; unless said, the system's keychain.
    pub fn keychain(mut self, keychain: impl Keychain + 'static) -> Self {
        self.keychain = Some(Arc::new(keychain));
        self
    }

    /// Starts the client.
    ///
    /// # Errors
    /// What is set wrongly.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn build(self) -> Result<Client, ClientBuildError> {
        let config = Config {
            companion: config::companion_url(&self.companion)?,
            client_id: self.client_id,
            channel: self.channel?,
            device_name: self.device_name,
            words: self.words,
        };
        let browser = || Arc::new(SystemBrowser::on(Desktop::of_environment()));
        let keychain = match self.keychain {
            Some(keychain) => keychain,
            None => {
                let system = SystemKeychain::of(config.channel.service());
                Arc::new(system.map_err(ClientBuildError::Keychain)?)
            }
        };
        let platform = Platform {
            browser: self.browser.unwrap_or_else(|| browser()),
            clipboard: None,
            keychain,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandomness),
        };
        let order = ReceiverOrder::beginning_with(CallbackReceiver::Loopback);
        Ok(Client::start(order, config, platform))
    }
}
