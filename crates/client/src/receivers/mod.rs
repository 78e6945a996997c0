//! The callback receivers: the ways by which the browser hands back (RFC 8252 §7). Each has a
//! module that owns its redirect URI, how it opens and closes, and what a person reads about it.
//! What a callback means is decided in the core.

mod deep_link;
pub mod loopback;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use keyport_core::secret::RawCallback;
use keyport_core::{CallbackReceiver, Problem};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::config::Config;
use crate::platform::Random;
use deep_link::DeepLink;
use loopback::{BrowserReply, Loopback, ShortLink};

/// A callback as it arrived, ours or not.
pub(crate) struct ArrivedCallback {
    pub receiver: CallbackReceiver,
    pub raw: RawCallback,
    /// Tells the browser's tab how it went, where one waits for that.
    pub reply: Option<Box<dyn FnOnce(BrowserReply) + Send>>,
}

/// Takes what arrives at an open receiver.
pub(crate) type Deliver = Arc<dyn Fn(ArrivedCallback) + Send + Sync>;

/// What [`Receiver::open`] gives back.
pub(crate) type Opening<'a> =
    Pin<Box<dyn Future<Output = Result<OpenReceiver, Problem>> + Send + 'a>>;

/// One way by which the browser hands back.
pub(crate) trait Receiver: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> CallbackReceiver;

    /// What stands before the `?` of a callback as it arrives here, compared byte by byte.
    fn address(&self) -> &str;

    /// The redirect URI of an attempt that an earlier process opened; none where the receiver ends
    /// with its process ([`CallbackReceiver::survives_restart`]).
    fn kept_redirect_uri(&self) -> Option<&Url> {
        None
    }

    /// Opens it for one attempt, until `closing` is true.
    fn open<'a>(
        &'a self,
        random: &'a dyn Random,
        deliver: Deliver,
        closing: watch::Receiver<bool>,
    ) -> Opening<'a>;
}

/// A receiver of one attempt, open.
pub(crate) struct OpenReceiver {
    pub kind: CallbackReceiver,
    /// RFC 6749 §3.1.2, to be pushed with the authorization request.
    pub redirect_uri: Url,
    /// Leads a browser on this machine to the companion.
    pub short_link: Option<ShortLink>,
    /// Ends when the receiver is closed and its last answer is out.
    pub serving: Option<JoinHandle<()>>,
}

/// Every receiver of a client.
#[derive(Clone)]
pub(crate) struct Receivers(Arc<[Box<dyn Receiver>]>);

impl Receivers {
    pub(crate) fn of(config: &Config) -> Self {
        Self(Arc::new([Box::new(DeepLink::of(config)), Box::new(Loopback::of(config))]))
    }

    /// The receiver of this kind.
    ///
    /// # Errors
    /// [`Problem::Internal`] when this client has none.
    pub(crate) fn get(&self, kind: CallbackReceiver) -> Result<&dyn Receiver, Problem> {
        let found = self.0.iter().find(|receiver| receiver.kind() == kind);
        found.map(|receiver| &**receiver).ok_or(Problem::Internal)
    }
}

/// Returns when the receivers of the attempt are closed.
pub(crate) async fn until_closed(mut closing: watch::Receiver<bool>) {
    // An error means that the attempt is forgotten, which is as good as closed.
    let _ = closing.wait_for(|closed| *closed).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_every_receiver_and_a_kept_one_knows_its_redirect_uri() {
        let config = Config::of(Url::parse("https://a.test").unwrap());
        let receivers = Receivers::of(&config);
        for kind in CallbackReceiver::ALL {
            let receiver = receivers.get(kind).unwrap_or_else(|_| panic!("{kind:?}"));
            assert_eq!(receiver.kept_redirect_uri().is_some(), kind.survives_restart(), "{kind:?}");
        }
    }
}
