//! The deep link: the browser opens a URI of the app's private-use scheme (RFC 8252 §7.1), and the
//! system hands it to the app, started for it or running. There is nothing to open or to close
//! here: the scheme is registered by the installer, and the app delivers what it is given
//! ([`Client::deliver_link`](crate::Client::deliver_link)). A person reads nothing about it but
//! what their browser asks.

use keyport_core::{CallbackReceiver, Problem};
use tokio::sync::watch;
use url::Url;

use super::{Deliver, OpenReceiver, Opening, Receiver};
use crate::config::Config;
use crate::platform::Random;

pub(super) struct DeepLink {
    address: String,
    redirect_uri: Option<Url>,
}

impl DeepLink {
    pub(super) fn of(config: &Config) -> Self {
        let address = config.channel.link().to_owned();
        Self { redirect_uri: Url::parse(&address).ok(), address }
    }
}

impl Receiver for DeepLink {
    fn kind(&self) -> CallbackReceiver {
        CallbackReceiver::Link
    }

    fn address(&self) -> &str {
        &self.address
    }

    fn kept_redirect_uri(&self) -> Option<&Url> {
        self.redirect_uri.as_ref()
    }

    fn open<'a>(
        &'a self,
        _random: &'a dyn Random,
        _deliver: Deliver,
        _closing: watch::Receiver<bool>,
    ) -> Opening<'a> {
        Box::pin(async {
            let redirect_uri = self.redirect_uri.clone().ok_or(Problem::Internal)?;
            Ok(OpenReceiver { kind: self.kind(), redirect_uri, short_link: None, serving: None })
        })
    }
}
